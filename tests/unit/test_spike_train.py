"""The spike-train attack: inside its budget, at brute force on few pixels, and never weaker than the suites before it."""

import itertools

import pytest
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import LOSSES, Budget, TimeRestricted, attack, has_trains, spike_train_attack
from snnlab.attacks.goal import Goal
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.early_exit import ExitRule
from snnlab.networks.surrogate import Surrogate
from snnlab.training.bptt import initialise

STEP_CODES = ("onset", "offset", "latency", "phase", "fusion(onset, latency)", "negative(latency)")


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _tiny(code: str, seed: int, pixels: int = 6, decoder: str = "rate") -> tuple[Classifier, Tensor, Tensor]:
    """Six pixels, four steps, three classes: few enough to enumerate, weights strong enough to spike."""
    chosen = encoder(code, num_steps=4)
    network = SpikingMLP((pixels * chosen.channel_factor, 8, 3))
    initialise(network, seed)
    for layer in network.layers:
        layer.weight.data *= 4
    model = Classifier(network, chosen, decoder)
    images = torch.rand(8, 1, 1, pixels, generator=_generator(seed))
    return model, images, model.predict(images)[-1].clamp(min=0)


def _breakable(model: Classifier, images: Tensor, labels: Tensor, eps: float) -> Tensor:
    """Whether any combination of reachable trains is misread, per image."""
    assert model.encoder is not None
    table = model.encoder.table
    assert table is not None
    found = []
    for image, label in zip(images, labels, strict=True):
        low, high = (image.flatten() - eps).clamp(min=0), (image.flatten() + eps).clamp(max=1)
        first, last = table.reachable(low, high)
        options = [
            [float(table.lower[b].clamp(min=lo).clamp(max=hi)) for b in range(int(f), int(e) + 1)]
            for f, e, lo, hi in zip(first, last, low, high, strict=True)
        ]
        every = torch.tensor(list(itertools.product(*options))).view(-1, *image.shape)
        found.append(bool((model.predict(every)[model.exit_step - 1] != label).any()))
    return torch.tensor(found)


@pytest.mark.parametrize("code", STEP_CODES)
@pytest.mark.parametrize("seed", range(3))
def test_it_breaks_what_brute_force_breaks_and_nothing_else(code: str, seed: int) -> None:
    eps = 0.05 if code == "phase" else 0.2
    model, images, labels = _tiny(code, seed)
    possible = _breakable(model, images, labels, eps)
    starts = 32  # side by side, as a batch
    found = spike_train_attack(
        model,
        images.repeat(starts, 1, 1, 1),
        labels.repeat(starts),
        Budget(eps),
        steps=20,
        restarts=2,
        generator=_generator(),
    )
    assert torch.equal(found.success.view(starts, -1).any(0), possible)


@pytest.mark.parametrize("decoder", ["rate", "ttfs", "membrane"])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_read_out_and_loss_stays_inside_the_budget_and_finds_something(decoder: str, loss: str) -> None:
    model, images, labels = _tiny("latency", 1, decoder=decoder)
    found = spike_train_attack(model, images, labels, Budget(0.2), loss=loss, steps=20, restarts=3, generator=_generator())
    Budget(0.2).verify(found.images, images)
    assert found.success.any()
    assert torch.equal(found.success, model.predict(found.images)[-1] != labels)


def test_direct_parts_of_a_fusion_are_moved_jointly() -> None:
    model, images, labels = _tiny("fusion(0.5*direct, latency)", 0)
    found = spike_train_attack(model, images, labels, Budget(0.2), steps=40, restarts=5, generator=_generator())
    alone = attack(model, images, labels, Budget(0.2), "pgd", steps=40, generator=_generator())
    assert found.success.sum() >= alone.success.sum()
    assert (found.images != images).any()


def test_a_random_part_is_averaged_over_draws() -> None:
    model, images, labels = _tiny("fusion(0.5*poisson, latency)", 0)
    model.generator = _generator()
    found = spike_train_attack(model, images, labels, Budget(0.3), steps=5, eot=3, generator=_generator())
    Budget(0.3).verify(found.images, images)


@pytest.mark.parametrize("exit_step", [1, 2, 4])
def test_it_aims_at_the_exit_in_use(exit_step: int) -> None:
    model, images, _ = _tiny("latency", 3)
    model = model.at(exit_step=exit_step)
    labels = model.predict(images)[exit_step - 1].clamp(min=0)
    possible = _breakable(model, images, labels, 0.2)
    found = spike_train_attack(model, images, labels, Budget(0.2), steps=20, restarts=8, generator=_generator())
    assert torch.equal(found.success, possible)


@pytest.mark.parametrize("aim", ["all", ExitRule("margin", 1.0), ExitRule("first_spike")])
def test_success_is_judged_where_it_aims(aim: object) -> None:
    model, images, labels = _tiny("latency", 2)
    found = spike_train_attack(model, images, labels, Budget(0.2), aim=aim, steps=20, generator=_generator())  # type: ignore[arg-type]
    expected = Goal.of(model, labels, aim=aim).reached_by(model, found.images)  # type: ignore[arg-type]
    assert torch.equal(found.success, expected)


def test_a_late_attack_leaves_the_early_steps_alone() -> None:
    model, images, labels = _tiny("latency", 1)
    late = TimeRestricted(model, images, 2)
    found = spike_train_attack(late, images, labels, Budget(0.3), steps=20, restarts=3, generator=_generator())
    assert torch.equal(late.encode(found.images)[:2], model.encode(images)[:2])
    assert torch.equal(found.success, late.predict(found.images)[-1] != labels)


@pytest.mark.slow
def test_a_screening_searches_the_nearest_and_finds_no_more_than_brute_force() -> None:
    model, images, labels = _tiny("latency", 0)
    possible = _breakable(model, images, labels, 0.2)
    found = spike_train_attack(model, images, labels, Budget(0.2), steps=30, restarts=30, screen=5, generator=_generator())
    assert not (found.success & ~possible).any()


def test_the_network_is_as_before_and_other_surrogates_serve_too() -> None:
    model, images, labels = _tiny("latency", 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    surrogate = model.network.surrogate
    spike_train_attack(model, images, labels, Budget(0.2), surrogate=Surrogate("triangular", 0.5), generator=_generator())
    assert model.network.surrogate is surrogate
    assert all(p.requires_grad for p in model.network.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_what_it_cannot_attack_is_said() -> None:
    model, images, labels = _tiny("latency", 0)
    direct = Classifier(model.network, encoder("direct", num_steps=4))
    assert not has_trains(direct.encoder)
    with pytest.raises(ValueError, match="'direct' is no step function"):
        spike_train_attack(direct, images, labels, Budget(0.1))
    with pytest.raises(ValueError, match="L∞"):
        spike_train_attack(model, images, labels, Budget(0.1, "L2"))
    with pytest.raises(ValueError, match="unknown loss"):
        spike_train_attack(model, images, labels, Budget(0.1), loss="hinge")
    with pytest.raises(ValueError, match="steps must be at least 1"):
        spike_train_attack(model, images, labels, Budget(0.1), steps=0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "eps"), [("latency", 0.1), ("pgd-latency", 0.2), ("fgsm-latency", 0.2)])
def test_the_attack_alone_breaks_more_than_image_space_attacks_together(name: str, eps: float) -> None:
    digits, model = data.load("mnist5k").test[slice(100)], zoo.load(name)
    budget = Budget(eps)
    alone = spike_train_attack(model, digits.images, digits.labels, budget, steps=60, generator=_generator())
    others = [
        attack(model, digits.images, digits.labels, budget, method, steps=10, generator=_generator()).success
        for method in ("fgsm", "pgd")
    ]
    assert alone.success.sum() >= torch.stack(others).any(0).sum()
