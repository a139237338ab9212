"""Laws of all attacks: inside every budget, on any snnTorch network, nothing left behind, more never helps the defender."""

from collections.abc import Iterator
from itertools import product

import pytest
import snntorch as snn
import torch
from snntorch import surrogate
from torch import Tensor, nn

from snnlab import zoo
from snnlab.attacks import ATTACKS, ENSEMBLE, INFORMED, NAIVE, NORMS, AdaptiveSharpness, Budget, attack, sa_pgd_attack
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.contexts import freeze_weights, use_surrogate
from snnlab.networks.early_exit import ExitRule, dynamic_exit
from snnlab.training.bptt import initialise

RADII = {"Linf": 0.2, "L2": 1.0, "L1": 3.0, "L0": 4.0}


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Stepwise(nn.Module):
    """A network as readers write it: a loop over snnTorch neurons."""

    def __init__(self, *, hidden_state: bool = False, alone: bool = False) -> None:
        super().__init__()
        self.alone, self.hidden_state = alone, hidden_state
        self.first, self.second = nn.Linear(36, 24), nn.Linear(24, 10)
        options = {"spike_grad": surrogate.fast_sigmoid(slope=25), "init_hidden": hidden_state}
        self.hidden = snn.Leaky(beta=0.9, **options)
        self.output = snn.Leaky(beta=0.9, output=True, **options) if hidden_state else snn.Leaky(beta=0.9, **options)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=0.4, generator=_generator(layer.in_features))

    def forward(self, sequence: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        states = None if self.hidden_state else [self.hidden.init_leaky(), self.output.init_leaky()]
        spikes, membrane = zip(*(self._step(x.flatten(1), states) for x in sequence), strict=True)
        return torch.stack(spikes) if self.alone else (torch.stack(spikes), torch.stack(membrane))

    def _step(self, x: Tensor, states: list[Tensor] | None) -> tuple[Tensor, Tensor]:
        if states is None:
            found: tuple[Tensor, Tensor] = self.output(self.second(self.hidden(self.first(x))))
            return found
        spikes, states[0] = self.hidden(self.first(x), states[0])
        out, states[1] = self.output(self.second(spikes), states[1])
        return out, states[1]


def _small(code: str) -> Classifier:
    found = encoder(code, num_steps=4)
    network = SpikingMLP((36 * found.channel_factor, 24, 10))
    initialise(network, 0)
    return Classifier(network, found)


def _images(n: int = 20, seed: int = 0) -> Tensor:
    x = torch.rand(n, 1, 6, 6, generator=_generator(seed))
    return x * (torch.rand(x.shape, generator=_generator(seed + 1)) > 0.5)  # half black, as digits are


def _tries() -> Iterator[tuple[str, str, str]]:
    for code, norm, method in product(("direct", "poisson", "onset", "latency", "fusion(direct, offset)"), NORMS, ATTACKS):
        if ATTACKS[method].suits(_small(code), norm):
            yield code, norm, method


@pytest.mark.slow
def test_no_attack_leaves_its_budget_for_any_of_a_thousand_inputs() -> None:
    tried = 0
    for number, (code, norm, method) in enumerate(_tries()):
        model, x = _small(code), _images(20, number)
        budget = Budget(RADII[norm] * (1 if norm == "L0" else float(torch.rand((), generator=_generator(number)))), norm)
        labels = torch.randint(0, 10, (len(x),), generator=_generator(number))
        for attacker in (NAIVE, INFORMED):
            found = attack(model, x, labels, budget, method, attacker, steps=3, generator=_generator(number))
            budget.verify(found.images, x)
            tried += len(x)
    assert tried >= 1000


@pytest.mark.parametrize("norm", list(NORMS))
def test_sa_pgd_stays_inside_every_norm(norm: str) -> None:
    x, labels = _images(), torch.zeros(20, dtype=torch.long)
    budget = Budget(RADII[norm], norm)
    for code in ("direct", "onset"):
        budget.verify(sa_pgd_attack(_small(code), x, labels, budget, steps=4, generator=_generator()).images, x)


@pytest.mark.parametrize("norm", list(NORMS))
def test_projection_is_the_identity_inside_and_reaches_the_boundary_from_outside(norm: str) -> None:
    x, budget = torch.full((3, 1, 6, 6), 0.5), Budget(RADII[norm], norm)
    far = x + (0.15 if norm == "L1" else 1) * torch.randn(x.shape, generator=_generator())
    near = budget.project(far, x)
    torch.testing.assert_close(budget.project(near, x), near)
    assert torch.allclose(budget.distance(near, x), torch.tensor(budget.eps), rtol=1e-4)


def test_projection_on_the_l1_ball_is_the_nearest_point() -> None:
    """Nearer than any of many other points of the ball."""
    x, budget = torch.full((1, 1, 2, 2), 0.5), Budget(0.2, "L1")
    far = x + torch.tensor([0.3, -0.2, 0.05, 0.0]).view_as(x)
    near = budget.project(far, x)
    others = torch.randn(2000, 1, 2, 2, generator=_generator())
    others = x + 0.2 * others / others.flatten(1).abs().sum(1).view(-1, 1, 1, 1)
    assert ((others - far).flatten(1).norm(dim=1) >= (near - far).norm() - 1e-6).all()


def test_l0_moves_no_more_pixels_than_it_may() -> None:
    model, x = _small("direct"), _images()
    found = attack(model, x, torch.zeros(20, dtype=torch.long), Budget(3, "L0"), "pgd", steps=5, generator=_generator())
    moved = (found.images != x).flatten(1).sum(1)
    assert moved.max() <= 3
    assert moved.max() > 0


@pytest.mark.parametrize("norm", ["L2", "L1"])
def test_one_step_reaches_the_closed_form_of_a_linear_model_in_other_norms(norm: str) -> None:
    """Two classes, logits (0, w·x), far from the walls: L2 moves along w; L1, in one step, along its largest entries."""
    weights = torch.linspace(-1, 1, 20)
    linear = nn.Linear(20, 2, bias=False)
    linear.weight.data = torch.stack([torch.zeros(20), weights])
    model, x = Classifier(nn.Sequential(nn.Flatten(), linear)), torch.full((1, 1, 4, 5), 0.5)
    found = attack(model, x, torch.tensor([1]), Budget(0.3, norm), "fgsm")
    best = -0.3 * weights / weights.norm() if norm == "L2" else torch.zeros(20)
    moved = (found.images - x).flatten()
    if norm == "L1":  # 5 % of twenty entries is one: either of the two largest
        assert moved.abs().sum() == pytest.approx(0.3, abs=1e-5)
        assert moved @ weights == pytest.approx(-0.3, abs=1e-5)
    else:
        torch.testing.assert_close(moved, best, atol=1e-5, rtol=0)


@pytest.mark.parametrize("options", [{}, {"hidden_state": True}, {"alone": True}], ids=["pair", "init_hidden", "spikes"])
@pytest.mark.parametrize("code", ["direct", "latency"])
def test_every_attack_works_on_a_loop_over_snntorch_neurons(options: dict[str, bool], code: str) -> None:
    model = Classifier(Stepwise(**options), encoder(code, num_steps=4))
    x = _images()
    labels = model.predict(x)[-1].clamp(min=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [model.network.hidden.spike_grad, model.network.output.spike_grad]
    for method in ("fgsm", "pgd", "apgd", "square"):
        found = attack(model, x, labels, Budget(0.3), method, steps=5, generator=_generator())
        assert torch.equal(found.success, model.predict(found.images)[-1] != labels)
    strong = sa_pgd_attack(model, x, labels, Budget(0.3), steps=10, generator=_generator())
    assert strong.success.float().mean() > 0.5
    assert [model.network.hidden.spike_grad, model.network.output.spike_grad] == gradients
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_the_surrogate_of_a_snntorch_neuron_is_swapped_for_the_block_only() -> None:
    network = Stepwise()
    model, x = Classifier(network, encoder("direct", num_steps=4)), _images().requires_grad_(True)

    def gradient() -> Tensor:
        return torch.autograd.grad(model(x).sum(), x)[0]

    own = gradient()
    for seen in ENSEMBLE:
        with use_surrogate(network, seen.surrogate):
            assert not torch.equal(gradient(), own)
            assert torch.equal(model.predict(x.detach()), model.predict(x.detach()))
    with pytest.raises(RuntimeError, match="stop"), use_surrogate(network, ENSEMBLE[0].surrogate):  # noqa: PT012
        gradient()
        raise RuntimeError("stop")
    assert torch.equal(gradient(), own)


def test_adaptive_sharpness_follows_steps_of_snntorch_as_it_follows_whole_sequences() -> None:
    """The same network, written as a loop and run at once, gives the same gradients over three iterations."""
    loop = Stepwise()
    whole = SpikingMLP((36, 24, 10))
    for mine, theirs in zip(whole.layers, (loop.first, loop.second), strict=True):
        mine.load_state_dict(theirs.state_dict())
    x = _images()
    found = []
    for network in (loop, whole):
        model, sharp = Classifier(network, encoder("onset", num_steps=4, backward="relaxed")), AdaptiveSharpness()
        gradients = []
        with use_surrogate(network, sharp):
            for turn in range(3):
                sharp.begin()
                leaf = (x * (1 - 0.1 * turn)).requires_grad_(True)
                gradients.append(torch.autograd.grad(model(leaf).square().sum(), leaf)[0])
        found.append(gradients)
    for step_by_step, at_once in zip(*found, strict=True):
        torch.testing.assert_close(step_by_step, at_once, atol=1e-5, rtol=1e-4)


def test_weights_ask_for_no_gradient_during_an_attack_and_do_again_after_it() -> None:
    model = _small("onset")
    asked = []
    model.network.register_forward_hook(lambda *_: asked.append(any(p.requires_grad for p in model.parameters())))
    attack(model, _images(), torch.zeros(20, dtype=torch.long), Budget(0.1), "pgd", steps=2)
    sa_pgd_attack(model, _images(), torch.zeros(20, dtype=torch.long), Budget(0.1), steps=2)
    model.network.layers[0].weight.requires_grad_(False)
    with pytest.raises(RuntimeError, match="stop"), freeze_weights(model):
        raise RuntimeError("stop")
    assert [p.requires_grad for p in model.network.layers.parameters()] == [False, True, True, True]


def test_a_joint_attack_is_wrong_at_every_exit_and_one_on_a_rule_where_it_leaves(few: Split) -> None:
    model, budget, rule = zoo.load("latency"), Budget(0.2), ExitRule("margin", 2.0)
    joint = sa_pgd_attack(model, few.images, few.labels, budget, steps=10, aim="all", generator=_generator())
    assert torch.equal(joint.success, (joint.predictions != few.labels).all(0))
    assert joint.success.any()
    ruled = sa_pgd_attack(model, few.images, few.labels, budget, steps=10, aim=rule, generator=_generator())
    left = dynamic_exit(ruled.logits, ruled.membrane, rule).predictions
    assert torch.equal(ruled.success, left != few.labels)
    # An image that is wrong at every exit is wrong wherever it leaves; aiming at the rule is easier.
    assert ruled.success.sum() >= joint.success.sum()


def test_ttfs_is_attacked_through_its_first_spike(few: Split) -> None:
    model = zoo.load("ttfs-latency")
    before = (model.predict(few.images)[-1] != few.labels).float().mean()
    found = sa_pgd_attack(model, few.images, few.labels, Budget(0.2), steps=10, generator=_generator())
    assert found.success.float().mean() > before + 0.3


def test_bad_requests_say_what_is_valid(few: Split) -> None:
    x, y = few.images, few.labels
    for call, says in (
        (lambda: Budget(0.1, "L7"), "choose one of Linf, L2, L1, L0"),
        (lambda: Budget(2.5, "L0"), "whole number of pixels"),
        (lambda: Budget(-1.0, "L2"), "eps must lie in"),
        (lambda: attack(zoo.load("onset"), x, y, Budget(1, "L1"), "apgd"), "supports the norms Linf and L2"),
        (lambda: sa_pgd_attack(zoo.load("ann"), x, y, Budget(0.1), aim="all"), "an ANN has one exit"),
        (lambda: sa_pgd_attack(zoo.load("onset"), x, y, Budget(0.1), aim="some"), "choose None"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=says):
            call()


@pytest.mark.parametrize("method", [name for name, found in ATTACKS.items() if not found.on_trains])
def test_no_attack_changes_the_mode_of_a_module(method: str) -> None:
    """An adapter in training mode, as one is made, must not put the network's dropout and norms back to work."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 20), nn.Dropout(), nn.BatchNorm1d(20), nn.Linear(20, 10)).eval()
    network[2].train()
    model = Classifier(network)
    before = [module.training for module in network.modules()]
    images = torch.rand(4, 1, 6, 6, generator=_generator())
    attack(model, images, torch.arange(4), Budget(0.1), method, steps=2, generator=_generator())
    assert [module.training for module in network.modules()] == before
