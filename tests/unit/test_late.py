"""Late perturbations: nothing before the step, all of the attack from step 0, never over the budget."""

import itertools
import json
import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab import zoo
from snnlab.attacks import ATTACKERS, INFORMED, NAIVE, Budget, TimeRestricted, attack, sa_pgd_attack
from snnlab.attacks.spike_flips import flip_attack, flip_noise, verify_flips
from snnlab.attacks.time_restricted import splice, subset
from snnlab.data import Dataset, Split
from snnlab.encoding import BACKWARD_RULES, encoder
from snnlab.evaluation.late import LateAccuracy, late_accuracy
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.decoding import SILENT, predictions
from snnlab.training.bptt import initialise
from snnlab.training.tssl_bp import TsslMLP

CODES = ["direct", "poisson", "onset", "offset", "latency", "phase", "fusion(direct, poisson)", "fusion(onset, latency)"]
STEPS = range(9)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _two(seed: int = 0) -> tuple[Tensor, Tensor]:
    """A batch of three images and one that has nothing to do with it."""
    first, second = torch.rand(2, 3, 1, 2, 3, generator=_generator(seed))
    return first, second


def _tiny(code: str, seed: int = 0, steps: int = 4, exit_step: int | None = None) -> tuple[Classifier, Tensor, Tensor]:
    """Six pixels, a few steps, two classes: small enough to enumerate, strong enough weights to spike."""
    made = encoder(code, num_steps=steps)
    network = SpikingMLP((6 * made.channel_factor, 6, 2))
    initialise(network, seed)
    for layer in network.layers:
        layer.weight.data *= 4
    model = Classifier(network, made, exit_step=exit_step)
    images = torch.rand(5, 1, 2, 3, generator=_generator(seed))
    return model, images, model.predict(images)[model.exit_step - 1].clamp(min=0)


# The code


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("from_step", STEPS)
def test_the_early_steps_are_the_clean_image_s_and_the_late_ones_the_other_s(name: str, from_step: int) -> None:
    code, (clean, other) = encoder(name), _two()
    found = splice(code, clean, other, from_step, _generator())
    assert torch.equal(found[:from_step], code(clean, generator=_generator())[:from_step])
    assert torch.equal(found[from_step:], code(other, generator=_generator())[from_step:])


def test_a_latency_pixel_that_crosses_the_step_fires_twice_or_never() -> None:
    clean, other = torch.tensor([[[[0.6, 0.4]]]]), torch.tensor([[[[0.4, 0.6]]]])  # of four steps 1 and 2, then 2 and 1
    found = splice(encoder("latency", num_steps=4), clean, other, 2)
    assert found.flatten(1).T.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("name", ["poisson", "fusion(direct, poisson)"])
def test_both_images_of_a_stochastic_code_meet_the_same_random_numbers(name: str) -> None:
    code, (clean, other) = encoder(name), _two()
    stream, plain = _generator(3), _generator(3)
    assert torch.equal(splice(code, clean, clean, 4, stream), code(clean, generator=plain))
    assert torch.equal(stream.get_state(), plain.get_state())  # and no number more is drawn
    brighter = torch.maximum(clean, other)
    assert (splice(code, clean, brighter, 4, _generator(3)) >= splice(code, clean, clean, 4, _generator(3))).all()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        assert torch.equal(splice(code, clean, clean, 4), code(clean, generator=_generator(3)))


@pytest.mark.parametrize("name", [n for n in CODES if "poisson" not in n])
@pytest.mark.parametrize("rule", BACKWARD_RULES)
@pytest.mark.parametrize("from_step", [0, 3, 8])
def test_the_gradient_is_the_code_s_and_flows_through_the_late_steps_only(name: str, rule: str, from_step: int) -> None:
    code, (clean, other) = encoder(name).with_backward(rule, 5.0), _two()  # type: ignore[arg-type]
    slopes = []
    for late in (False, True):
        leaf = other.clone().requires_grad_(True)
        sequence = splice(code, clean, leaf, from_step) if late else code(leaf)
        weights = torch.rand(sequence.shape, generator=_generator())
        if not late:
            weights[:from_step] = 0
        slopes.append(torch.autograd.grad((weights * sequence).sum(), leaf)[0])
    assert torch.allclose(*slopes, atol=1e-6)
    assert from_step < 8 or (slopes[1] == 0).all()


# Causality


@pytest.mark.parametrize("decoder", ["rate", "membrane", "ttfs"])
@pytest.mark.parametrize("name", CODES)
def test_what_acts_from_a_step_on_changes_no_answer_up_to_it(name: str, decoder: str) -> None:
    clean, other = _two()
    code = encoder(name)
    size = 6 * code.channel_factor
    for network in (SpikingMLP((size, 8, 3)), TsslMLP((size, 8, 3))):
        initialise(network, 0)
        network.layers[0].weight.data *= 5
        for from_step in STEPS:
            late = TimeRestricted(Classifier(network, code, decoder), clean, from_step)
            answers = []
            for x in (clean, other):
                late.generator = _generator()
                answers.append(late.read(x))
            for before, after in zip(*answers, strict=True):
                assert torch.equal(before[:from_step], after[:from_step])
            if from_step == 0:
                assert not torch.equal(answers[0][1], answers[1][1])


@pytest.mark.parametrize("name", ["onset", "latency", "offset"])
@pytest.mark.parametrize("from_step", STEPS)
def test_a_trained_network_answers_as_undisturbed_up_to_the_step(name: str, from_step: int, few: Split) -> None:
    model = zoo.load(name)
    assert model.encoder is not None
    clean = model.read(few.images)[0][:from_step]
    noise = attack(model, few.images, few.labels, Budget(0.3), "noise", generator=_generator()).images
    through_code = TimeRestricted(model, few.images, from_step).read(noise)[0]
    assert torch.equal(through_code[:from_step], clean)
    flips = 100 if from_step < 8 else 0
    on_spikes = model.respond(flip_noise(model.encode(few.images), from_step, flips, _generator()))[0]
    assert torch.equal(on_spikes[:from_step], clean)


# Attacks on the input


@pytest.mark.slow
@pytest.mark.parametrize("name", ["direct", "poisson", "onset", "latency", "fusion"])
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd"])
@pytest.mark.parametrize("attacker", list(ATTACKERS.values()), ids=list(ATTACKERS))
def test_from_step_zero_is_the_ordinary_attack(name: str, method: str, attacker, few: Split) -> None:  # type: ignore[no-untyped-def]
    model, (x, y) = zoo.load(name), (few.images[:10], few.labels[:10])
    assert model.encoder is not None
    found = []
    for seen in (model.at(exit_step=6), TimeRestricted(model.at(exit_step=6), x, 0)):
        seen.generator = _generator(1)
        found.append(attack(seen, x, y, Budget(0.1), method, attacker, steps=3, generator=_generator(2)))
    assert torch.equal(found[0].images, found[1].images)
    assert torch.equal(found[0].predictions, found[1].predictions)


@pytest.mark.parametrize("name", ["direct", "poisson", "onset", "latency", "fusion"])
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd"])
def test_from_the_last_step_on_nothing_changes(name: str, method: str, few: Split) -> None:
    model, (x, y) = zoo.load(name), (few.images[:10], few.labels[:10])
    assert model.encoder is not None
    seen = TimeRestricted(model, x, 8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = attack(seen, x, y, Budget(0.2), method, steps=2, generator=_generator())
        torch.manual_seed(0)
        after = seen.encode(found.images)
        torch.manual_seed(0)
        assert torch.equal(after, model.encode(x))
    assert found.zero_gradient in (None, 1.0)


def test_a_classifier_of_few_levels_reads_both_halves_rounded(few: Split) -> None:
    grey = Split(few.images * 0.9 + 0.05, few.labels)  # no pixel is a level of its own accord
    trained = zoo.load("latency")
    coarse = Classifier(trained.network, trained.encoder, trained.decoder, levels=4).eval()
    found = late_accuracy(coarse, grey, 0.2, [0, 8], "noise")
    right = (coarse.predict(grey.images) == grey.labels).sum(1)
    assert found.correct[1] == right.tolist()


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["direct", "poisson", "onset", "latency", "phase"]),
    eps=st.floats(0, 1),
    method=st.sampled_from(["noise", "fgsm", "pgd"]),
    from_step=st.integers(0, 4),
    exit_step=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
def test_no_late_attack_leaves_its_budget(
    name: str, eps: float, method: str, from_step: int, exit_step: int, seed: int
) -> None:
    model, images, labels = _tiny(name, seed % 1000, exit_step=exit_step)
    assert model.encoder is not None
    seen = TimeRestricted(model, images, from_step)
    found = attack(seen, images, labels, Budget(eps), method, steps=2, generator=_generator(seed))
    found.budget.verify(found.images, images)


# Flips


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["poisson", "onset", "latency", "fusion(onset, latency)"]),
    from_step=st.integers(0, 4),
    exit_step=st.integers(1, 4),
    flips=st.integers(0, 24),
    attacker=st.sampled_from([NAIVE, INFORMED]),
    seed=st.integers(0, 2**31),
)
def test_flips_stay_inside_their_budget(name: str, from_step: int, exit_step: int, flips: int, attacker, seed: int) -> None:  # type: ignore[no-untyped-def]
    model, images, labels = _tiny(name, seed % 1000, exit_step=exit_step)
    model.generator = _generator(seed)
    spikes = model.encode(images)
    flips = min(flips, spikes[from_step:, 0].numel())
    noisy = flip_noise(spikes, from_step, flips, _generator(seed))
    assert (noisy != spikes).transpose(0, 1).flatten(1).sum(1).tolist() == [flips] * 5
    assert torch.equal(noisy[:from_step], spikes[:from_step])
    assert set(noisy.unique().tolist()) <= {0.0, 1.0}

    model.generator = _generator(seed)
    found = flip_attack(model, images, labels, from_step, flips, attacker, steps=6)
    changed = found != spikes
    assert int(changed.transpose(0, 1).flatten(1).sum(1).max()) <= flips
    assert not changed[:from_step].any()
    assert not changed[exit_step:].any()


def _brute_force(model: Classifier, images: Tensor, labels: Tensor, from_step: int, flips: int) -> Tensor:
    """Whether any pattern of at most ``flips`` late flips is misread, per image: all patterns."""
    spikes = model.encode(images)
    entries = spikes[from_step:, 0].numel()
    before = spikes[:, 0].numel() - entries
    patterns = [p for k in range(flips + 1) for p in itertools.combinations(range(entries), k)]
    masks = torch.zeros(len(patterns), before + entries)
    for row, pattern in enumerate(patterns):
        masks[row, [before + i for i in pattern]] = 1
    found = []
    for n, label in enumerate(labels):
        every = (spikes[:, n].flatten() - masks).abs().view(len(patterns), len(spikes), *spikes.shape[2:]).transpose(0, 1)
        answers = predictions(*model.respond(every))[model.exit_step - 1]
        found.append(bool((answers != label).any()))
    return torch.tensor(found)


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("code", ["onset", "latency", "offset"])
@pytest.mark.parametrize("from_step", [0, 2])
@pytest.mark.parametrize("exit_step", [3, 4])
def test_flips_claim_no_more_than_brute_force_and_reach_it_for_one(code: str, from_step: int, exit_step: int) -> None:
    possible, claimed = [0, 0, 0, 0], [0, 0, 0, 0]
    for seed, flips in itertools.product(range(3), (1, 2, 3)):
        model, images, labels = _tiny(code, seed, exit_step=exit_step)
        exact = _brute_force(model, images, labels, from_step, flips)
        with torch.enable_grad():
            spikes = flip_attack(model, images, labels, from_step, flips, steps=60 if flips == 1 else 20)
        found = predictions(*model.respond(spikes))[exit_step - 1] != labels
        assert not (found & ~exact).any()
        possible[flips] += int(exact.sum())
        claimed[flips] += int(found.sum())
    assert claimed[1] == possible[1]
    assert sum(claimed) >= sum(possible) / 2


def test_aimed_flips_break_more_than_random_ones_and_rounds_help(few: Split) -> None:
    model = zoo.load("latency")
    spikes = model.encode(few.images)
    noise = predictions(*model.respond(flip_noise(spikes, 4, 20, _generator())))[-1] != few.labels
    attacked = (flip_attack(model, few.images, few.labels, 4, 20, steps=s) for s in (1, 20))
    one, many = (predictions(*model.respond(found))[-1] != few.labels for found in attacked)
    assert noise.sum() < 10 < many.sum()
    assert one.sum() <= many.sum()
    assert not (one & ~many).any()  # the best is kept


def test_an_attack_on_spikes_leaves_nothing_behind(onset: Classifier, few: Split) -> None:
    before = {k: v.clone() for k, v in onset.network.state_dict().items()}
    surrogate, state = onset.network.surrogate, torch.random.get_rng_state()
    flip_attack(onset, few.images, few.labels, 4, 5, steps=3)
    late_accuracy(onset, few, 0.1, [4], steps=2)
    late_accuracy(onset, few, 5, [4], "flip_noise")
    assert onset.network.surrogate is surrogate
    assert all(torch.equal(before[k], v) for k, v in onset.network.state_dict().items())
    assert all(p.grad is None for p in onset.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_flip_budget_notices_who_left_it() -> None:
    spikes = torch.zeros(4, 2, 3)
    early, many, grey = spikes.clone(), spikes.clone(), spikes.clone()
    early[1, 0, 0], many[3, 1, :2], grey[3, 0, 0] = 1, 1, 0.5
    verify_flips(spikes, spikes, 2, 1)
    for changed, says in ((early, "flipped before"), (many, "flipped 2 entries"), (grey, "0 and 1")):
        with pytest.raises(ValueError, match=says):
            verify_flips(changed, spikes, 2, 1)


# Accuracy


@pytest.mark.slow
@pytest.mark.parametrize("name", ["direct", "poisson", "latency"])
def test_accuracy_is_the_clean_one_up_to_the_step_and_never_above_it(name: str, few: Split) -> None:
    model, few = zoo.load(name), few[:20]
    model.generator = _generator()
    clean = [int((p == few.labels).sum()) for p in model.predict(few.images)]
    exits = [2, 4, 6, 8]
    found = [late_accuracy(model, few, 0.2, [0, 4, 8], m, exits=exits, steps=3) for m in ("noise", "fgsm", "pgd")]
    if name == "latency":
        found += [late_accuracy(model, few, 20, [0, 4, 8], m, exits=exits, steps=3) for m in ("flip_noise", "flips")]
    for measured in found:
        for from_step, row in zip(measured.from_steps, measured.correct, strict=True):
            for e, correct in zip(exits, row, strict=True):
                assert e > from_step or correct == clean[e - 1]
                assert measured.attacker is None or correct <= clean[e - 1]


def test_each_exit_is_attacked_for_itself(few: Split) -> None:
    model = zoo.load("latency")
    assert model.encoder is not None
    found = late_accuracy(model, few, 0.2, [0, 4], "pgd", exits=[6, 8], steps=3, seed=5, batch_size=40)
    clean = model.predict(few.images)
    for e in (6, 8):
        for from_step in (0, 4):
            aimed = TimeRestricted(model.at(exit_step=e), few.images, from_step)
            alone = attack(aimed, few.images, few.labels, Budget(0.2), "pgd", steps=3, generator=_generator(5 + e))
            right = ~alone.success & (clean[e - 1] == few.labels)
            assert found.accuracy(from_step, e) == pytest.approx(float(right.float().mean()))
    assert found.aimed == [6, 8]


def test_noise_is_aimed_at_no_exit(few: Split) -> None:
    noise = late_accuracy(zoo.load("latency"), few, 0.2, [2], "noise")
    assert (noise.exits, noise.aimed, noise.attacker) == ([*range(1, 9)], None, None)


def test_flips_from_a_later_step_count_at_every_earlier_one(mnist: Dataset) -> None:
    found = late_accuracy(zoo.load("latency"), mnist.validation[:60], 5, [6, 0, 4, 2, 8], "flips", exits=[8], steps=2)
    by_step = [found.accuracy(t, 8) for t in sorted(found.from_steps)]
    assert by_step == sorted(by_step)


def test_late_noise_and_attacks_hurt_later_exits_only(mnist: Dataset) -> None:
    """The claim about early exit, as it is true of any network; on validation digits."""
    split = mnist.validation[:100]
    for name in ("direct", "latency"):
        found = late_accuracy(zoo.load(name), split, 0.1, [4], exits=[4, 8])
        assert found.accuracy(4, 4) > 0.85
        assert found.accuracy(4, 8) < found.accuracy(4, 4) - 0.15


def test_a_silent_network_is_wrong_and_counted(few: Split) -> None:
    network = SpikingMLP((784, 4, 10))
    for parameter in network.parameters():
        parameter.data.zero_()
    split = Split(few.images, torch.zeros_like(few.labels))
    model = Classifier(network, encoder("onset"))
    for found in (late_accuracy(model, split, 0.1, [0], steps=1), late_accuracy(model, split, 3, [0], "flips", steps=1)):
        assert found.correct == [[0] * 8]
        assert found.silent == [[40] * 8]
    spikes = flip_attack(model, split.images, split.labels, 0, 3)
    assert (predictions(*model.respond(spikes)) == SILENT).all()


@pytest.mark.parametrize("name", ["poisson", "latency"])
def test_a_measurement_repeats_with_its_seed_and_for_any_caller_s_generator(name: str, few: Split) -> None:
    model = zoo.load(name)
    found = []
    for seed in (0, 1):
        model.generator = _generator(seed)
        found.append(late_accuracy(model, few, 0.2, [0, 4], exits=[8], steps=2).plain())
    assert found[0] == found[1]
    assert model.generator is not None
    assert torch.equal(model.generator.get_state(), _generator(1).get_state())


def test_a_record_is_plain_data(few: Split) -> None:
    model = zoo.load("latency")
    shared = {"method", "attacker", "n", "from_steps", "exits", "aimed", "correct", "silent", "interval"}
    late, flips = (
        late_accuracy(model, few, 0.1, range(9), "noise").plain(),
        late_accuracy(model, few, 3, (4,), "flips", exits=[8], steps=2).plain(),
    )
    assert set(late) == shared | {"eps"}
    assert set(flips) == shared | {"flips"}
    assert (flips["method"], flips["attacker"], flips["flips"], flips["from_steps"]) == ("flips", "informed", 3, [4])
    assert json.loads(json.dumps(late)) == late
    assert len(late["correct"]) == len(late["interval"]) == 9
    assert late["interval"][0][7] == [round(b, 4) for b in LateAccuracy.of(late).interval(0, 8)]


# What is refused


def test_bad_requests_say_what_is_valid(few: Split) -> None:
    x, y = few.images, few.labels
    onset, direct, ann = zoo.load("onset"), zoo.load("direct"), zoo.load("ann")
    code = encoder("onset")
    late = TimeRestricted(onset, x, 4)
    spikes = code(x)
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: TimeRestricted(onset, x, 9), "from 0 to T=8"),
        (lambda: TimeRestricted(onset, x, -1), "got -1"),
        (lambda: TimeRestricted(onset, x, True), "got True"),
        (lambda: TimeRestricted(onset, x, 2.0), "got 2.0"),  # type: ignore[arg-type]
        (lambda: TimeRestricted(onset, x[0], 2), "[N, C, H, W]"),
        (lambda: TimeRestricted(ann, x, 2), "an ANN has no steps to perturb late"),
        (lambda: late(torch.zeros(41, 1, 28, 28)), "batch of shape [40, 1, 28, 28], got [41, 1, 28, 28]"),
        (lambda: late(torch.zeros(40, 1, 14, 14)), "got [40, 1, 14, 14]"),
        (lambda: late(x[1:3]), "make another TimeRestricted"),
        (lambda: late(x[:0]), "empty batch"),
        (lambda: flip_noise(spikes, 4, -1), "flips must be an integer of at least 0, got -1"),
        (lambda: flip_noise(spikes, 4, True), "got True"),
        (lambda: flip_noise(spikes, 4, 4 * 784 + 1), "have 3136 a sample"),
        (lambda: flip_noise(spikes, 8, 1), "have 0 a sample"),
        (lambda: flip_noise(spikes, 9, 1), "from 0 to T=8"),
        (lambda: flip_noise(spikes[0, 0, 0], 0, 1), "spikes [T, N, …], got shape [28, 28]"),
        (lambda: flip_noise(encoder("direct")(x), 4, 1), "direct, phase"),
        (lambda: flip_attack(direct, x, y, 4, 1), "only spikes of 0 and 1"),
        (lambda: flip_attack(onset, x, y, 4, 9999), "cannot flip 9999 entries"),
        (lambda: flip_attack(onset, x, y, 9, 1), "from 0 to T=8"),
        (lambda: flip_attack(onset, x, y[:3], 4, 1), "labels [N] with N=40, got [3]"),
        (lambda: flip_attack(onset, x, y + 5, 4, 1), "labels must lie in 0 … 9"),
        (lambda: flip_attack(onset, x, y, 4, 1, steps=0), "steps must be at least 1"),
        (lambda: flip_attack(ann, x, y, 0, 1), "an ANN has no spikes"),
        (lambda: late_accuracy(onset, few, 0.1, [4], "magic"), "unknown attack 'magic'; choose one of"),
        (lambda: late_accuracy(onset, few, 2, [4]), "eps must lie in [0, 1]"),
        (lambda: late_accuracy(onset, few, 0.1, []), "at least one step and one exit"),
        (lambda: late_accuracy(onset, few, 0.1, [4], exits=[]), "at least one step and one exit"),
        (lambda: late_accuracy(onset, few, 0.1, [4, 9]), "from 0 to T=8"),
        (lambda: late_accuracy(onset, few, 0.1, [4], exits=[9]), "from 1 to num_steps=8"),
        (lambda: late_accuracy(ann, few, 0.1, [0]), "an ANN has no steps"),
        (lambda: late_accuracy(direct, few, 5, [4], "flips"), "only spikes of 0 and 1"),
        (
            lambda: late_accuracy(onset, few, 0.1, [4], "noise").accuracy(3, 8),
            "first step 3 was not measured; choose one of [4]",
        ),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_the_first_clean_images_of_the_batch_are_understood_and_perturbed_ones_are_not(few: Split) -> None:
    model = zoo.load("onset")
    late = TimeRestricted(model, few.images, 4)
    assert torch.equal(late.encode(few.images[:3]), model.encode(few.images[:3]))
    with pytest.raises(ValueError, match="whole batch"):
        late(few.images[:3] * 0.5)
    rows = torch.tensor([5, 2])
    assert torch.equal(subset(late, rows).encode(few.images[rows] * 0.5)[:4], model.encode(few.images[rows])[:4])


def test_a_sequence_of_the_wrong_form_is_refused_and_a_right_one_read_as_an_image(onset: Classifier, few: Split) -> None:
    sequence = onset.encode(few.images)
    for found, expected in zip(onset.respond(sequence), onset.read(few.images), strict=True):
        assert torch.equal(found, expected)
    for wrong in (sequence[:0], torch.cat([sequence, sequence]), sequence[0, 0, 0]):
        with pytest.raises(ValueError, match="expected a sequence"):
            onset.respond(wrong)


def test_an_attack_that_leaves_broken_samples_alone_goes_through_the_restriction(few: Split) -> None:
    model = zoo.load("latency")
    late = TimeRestricted(model, few.images, 4)
    result = sa_pgd_attack(late, few.images, few.labels, Budget(0.2), steps=4, generator=torch.Generator().manual_seed(0))
    assert 0 < int(result.success.sum()) < len(few)  # some were left out on the way
    assert torch.equal(late.read(result.images)[0][:4], model.read(few.images)[0][:4])
