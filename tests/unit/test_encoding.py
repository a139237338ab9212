"""Laws of the neural codes."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import spikegen
from torch import Tensor

from snnlab.encoding import BACKWARD_RULES, ENCODINGS, code_names, encoder, first_active_step

STEP_CODES = ["onset", "offset", "latency", "phase"]
CONTROLS = [
    "binary",
    "negative(latency)",
    "negative(onset(rounding=up))",
    "negative(direct)",
    "negative(poisson)",
    "shuffled(latency, order=1 3 7 5 2 6 0 4)",
    "fusion(shuffled(onset, order=7 6 5 4 3 2 1 0), negative(shuffled(latency, order=1 0 2 3 4 5 6 7)))",
    "fusion(0.5*direct, fusion(latency, onset(rounding=up)))",
    "gaussian(0.144)",
]
ALL = ["direct", "poisson", *STEP_CODES, "fusion(direct, latency)", "fusion(poisson, onset, phase)"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("num_steps", [1, 3, 8])
def test_spikes_are_time_first_and_as_long_as_asked(name: str, num_steps: int) -> None:
    code = encoder(name, num_steps=num_steps)
    spikes = code(torch.rand(2, 3, 4, 5))
    assert spikes.shape == (num_steps, 2, 3 * code.channel_factor, 4, 5)


@pytest.mark.parametrize("name", ["poisson", "onset", "offset", "latency"])
def test_spikes_are_zero_or_one(name: str, ramp: Tensor) -> None:
    assert set(encoder(name)(ramp).unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("num_steps", [4, 5, 8])
@pytest.mark.parametrize(("rounding", "fewer"), [("down", 1), ("up", 0)])
def test_onset_and_offset_spike_equally_often(num_steps: int, rounding: str, fewer: int) -> None:
    """ceil(Tx) spikes when rounding up, one less (but never below none) when rounding down."""
    x = torch.tensor([0.0, 0.01, 0.3, 0.49, 0.77, 1.0]).view(1, 1, 1, -1)
    counts = [encoder(n, num_steps=num_steps, rounding=rounding)(x).sum(0) for n in ("onset", "offset")]
    expected = (torch.ceil(num_steps * x) - fewer).clamp(min=0)
    assert torch.equal(counts[0], expected)
    assert torch.equal(counts[1], expected)


@pytest.mark.parametrize("rounding", ["down", "up"])
def test_offset_is_onset_played_backwards(rounding: str, ramp: Tensor) -> None:
    forward = encoder("onset", rounding=rounding)(ramp)
    backward = encoder("offset", rounding=rounding)(ramp)
    assert torch.equal(forward, backward.flip(0))


def test_latency_fires_once_brighter_sooner_and_black_never(ramp: Tensor) -> None:
    spikes = encoder("latency")(ramp).flatten(1)
    assert spikes[:, 0].sum() == 0
    assert torch.equal(spikes[:, 1:].sum(0), torch.ones(256))
    first = spikes[:, 1:].argmax(0)
    assert torch.equal(first, first.sort(descending=True).values)
    assert first[-1] == 0


@pytest.mark.case("snnTorch's latency is another code than ours")
def test_latency_of_snntorch_differs_where_the_chapter_says() -> None:
    levels = torch.tensor([1.0, 0.5, 0.1, 0.0])
    ours = encoder("latency", num_steps=8)(levels.view(1, 1, 1, 4)).flatten(1)
    options = {"num_steps": 8, "normalize": True, "linear": True}
    theirs, clipped = spikegen.latency(levels, **options), spikegen.latency(levels, clip=True, **options)
    assert [ours[:, k].nonzero().flatten().tolist() for k in range(4)] == [[0], [4], [7], []]
    assert [theirs[:, k].nonzero().flatten().tolist() for k in range(4)] == [[0], [4], [6], [7]]
    assert [clipped[:, k].nonzero().flatten().tolist() for k in range(4)] == [[0], [4], [6], []]


def test_phase_carries_eight_bits_unchanged() -> None:
    pixels = torch.arange(256)
    spikes = encoder("phase")((pixels / 255).view(1, 1, 1, -1))
    assert torch.equal(spikes.sum(0).flatten() * 256, pixels.float())


def test_poisson_fires_with_probability_of_the_pixel() -> None:
    x = torch.tensor([0.0, 0.2, 0.5, 1.0]).view(1, 1, 1, 4)
    spikes = encoder("poisson", num_steps=20_000)(x, generator=torch.Generator().manual_seed(1))
    # four standard deviations of a mean over 20,000 draws
    assert torch.allclose(spikes.mean(0), x, atol=4 * 0.5 / 20_000**0.5)


def test_poisson_repeats_with_its_generator_only() -> None:
    x = torch.full((1, 1, 4, 4), 0.5)
    draws = [encoder("poisson")(x, generator=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("name", ["onset", "latency"])
@pytest.mark.parametrize("eps", [0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_perturbed_black_pixel_is_silent_before_its_first_active_step(name: str, eps: float) -> None:
    options = {"rounding": "up"} if name == "onset" else {}  # rounding up leaves no dead zone to hide behind
    spikes = encoder(name, **options)(torch.full((1, 1, 1, 1), eps))
    assert spikes[: first_active_step(eps)].sum() == 0


def test_a_perturbed_black_pixel_fires_at_once_in_offset() -> None:
    assert encoder("offset")(torch.full((1, 1, 1, 1), 0.01))[0].item() == 1


def test_fusion_is_its_parts_side_by_side(ramp: Tensor) -> None:
    fused = encoder("fusion(direct, latency)")(ramp)
    assert torch.equal(fused[:, :, :1], encoder("direct")(ramp))
    assert torch.equal(fused[:, :, 1:], encoder("latency")(ramp))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rule", ["straight_through", "relaxed"])
def test_backward_rule_changes_no_spike(name: str, rule: str, ramp: Tensor) -> None:
    plain = encoder(name)(ramp, generator=torch.Generator().manual_seed(0))
    seen = encoder(name, backward=rule)(ramp.clone().requires_grad_(), generator=torch.Generator().manual_seed(0))
    assert torch.equal(plain, seen)


def _gradient(name: str, x: Tensor, weights: Tensor, **options: object) -> Tensor:
    leaf = x.clone().requires_grad_()
    spikes = encoder(name, **options)(leaf, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad((spikes * weights).sum(), leaf)
    return gradient


@pytest.mark.parametrize("name", ["poisson", *STEP_CODES])
def test_straight_through_gradient_is_the_upstream_times_the_spike(name: str, ramp: Tensor) -> None:
    weights = torch.randn(8, 1, 1, 1, 257, generator=torch.Generator().manual_seed(5))
    spikes = encoder(name)(ramp, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(_gradient(name, ramp, weights), (weights * spikes).sum(0))


@pytest.mark.parametrize("name", STEP_CODES)
def test_straight_through_is_blind_where_nothing_fires_and_relaxed_is_not(name: str) -> None:
    black, weights = torch.zeros(1, 1, 1, 3), torch.ones(8, 1, 1, 1, 3)
    assert torch.equal(_gradient(name, black, weights), torch.zeros_like(black))
    assert (_gradient(name, black, weights, backward="relaxed") > 0).all()


@pytest.mark.parametrize("rounding", ["down", "up"])
@pytest.mark.parametrize("slope", [2.0, 10.0, 25.0, 80.0])
def test_relaxed_gradient_is_the_derivative_of_a_smooth_step(rounding: str, slope: float) -> None:
    """Against central differences of the sigmoid that stands for the step, in double precision."""
    x = torch.linspace(0.01, 0.99, 23, dtype=torch.float64).view(1, 1, 1, -1)
    t = torch.arange(8, dtype=torch.float64).view(-1, 1, 1, 1, 1)
    shift = {("onset", "down"): 0, ("onset", "up"): 1, ("offset", "up"): 0, ("offset", "down"): 1}

    def smooth(name: str, x: Tensor) -> Tensor:
        if name == "latency":
            return torch.sigmoid(slope * (x - 1 + (t + 1) / 8)) - torch.sigmoid(slope * (x - 1 + t / 8))
        threshold = (t + shift[name, rounding]) / 8
        return torch.sigmoid(slope * (x - 1 + threshold if name == "onset" else x - threshold))

    weights = torch.randn(8, 1, 1, 1, 23, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for name in ("onset", "offset", "latency"):
        options = {} if name == "latency" else {"rounding": rounding}
        gradient = _gradient(name, x, weights, backward="relaxed", slope=slope, **options)
        h = 1e-6
        expected = (weights * (smooth(name, x + h) - smooth(name, x - h)) / (2 * h)).sum(0)
        assert torch.allclose(gradient, expected, atol=1e-7)


def test_relaxed_phase_bit_is_smoothed_around_every_one_of_its_thresholds() -> None:
    x = torch.linspace(0, 1, 33, dtype=torch.float64).view(1, 1, 1, -1)
    weights = torch.zeros(8, 1, 1, 1, 33, dtype=torch.float64)
    weights[1] = 1  # second bit: up at 1/4, down at 1/2, up at 3/4, worth 1/4
    h, slope = 1e-6, 10.0

    def bit(x: Tensor) -> Tensor:
        return sum(s * torch.sigmoid(slope * (x - c)) for s, c in ((1, 0.25), (-1, 0.5), (1, 0.75))) / 4

    expected = (bit(x + h) - bit(x - h)) / (2 * h)
    assert torch.allclose(_gradient("phase", x, weights, backward="relaxed"), expected, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(x=st.floats(0, 1, width=32), num_steps=st.integers(1, 16), name=st.sampled_from(ALL))
def test_any_valid_image_encodes_to_finite_spikes(x: float, num_steps: int, name: str) -> None:
    spikes = encoder(name, num_steps=num_steps)(torch.full((1, 1, 1, 1), x))
    assert torch.isfinite(spikes).all()
    assert 0 <= spikes.min() <= spikes.max() <= 1


@pytest.mark.parametrize("name", [*ALL, *CONTROLS])
def test_an_encoder_is_made_again_from_its_title(name: str) -> None:
    assert encoder(name).title == name
    assert encoder(encoder(name).title) == encoder(name)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_an_encoder_as_the_codes_are(name: str, ramp: Tensor) -> None:
    code, generator = encoder(name), torch.Generator().manual_seed(0)
    spikes = code(ramp, generator=generator)
    assert spikes.shape == (8, 1, code.channel_factor, 1, 257)
    assert 0 <= spikes.min() <= spikes.max() <= 1
    for rule in BACKWARD_RULES:
        leaf = ramp.clone().requires_grad_()
        seen = code.with_backward(rule, 7.0)(leaf, generator=generator.manual_seed(0))
        assert torch.equal(seen, spikes)
        assert torch.autograd.grad(seen.sum(), leaf)[0].shape == ramp.shape


@pytest.mark.parametrize("name", STEP_CODES)
def test_the_negative_of_a_code_is_the_code_of_the_negative_image(name: str, ramp: Tensor) -> None:
    assert torch.equal(encoder(f"negative({name})")(ramp), encoder(name)(1 - ramp))


@pytest.mark.parametrize("name", ["direct", *STEP_CODES])
@pytest.mark.parametrize("rule", BACKWARD_RULES)
def test_the_gradient_of_a_negative_is_minus_that_of_the_code_at_the_negative_image(
    name: str, rule: str, ramp: Tensor
) -> None:
    weights = torch.randn(8, 1, 1, 1, 257, generator=torch.Generator().manual_seed(5))
    expected = -_gradient(name, 1 - ramp, weights, backward=rule)
    torch.testing.assert_close(_gradient(f"negative({name})", ramp, weights, backward=rule), expected)
    code = encoder(f"negative({name})")
    torch.testing.assert_close(code._derivative(ramp), -encoder(name)._derivative(1 - ramp))


@pytest.mark.parametrize("name", STEP_CODES)
@pytest.mark.parametrize("rule", BACKWARD_RULES)
def test_shuffled_steps_are_the_steps_of_the_code_and_so_are_their_gradients(name: str, rule: str, ramp: Tensor) -> None:
    order = [1, 3, 7, 5, 2, 6, 0, 4]
    shuffled = f"shuffled({name}, order={' '.join(map(str, order))})"
    plain, moved = encoder(name)(ramp), encoder(shuffled)(ramp)
    assert torch.equal(moved, plain[order])
    assert torch.equal(moved.sum(0), plain.sum(0))
    weights = torch.randn(8, 1, 1, 1, 257, generator=torch.Generator().manual_seed(5))
    expected = _gradient(name, ramp, weights, backward=rule)
    torch.testing.assert_close(_gradient(shuffled, ramp, weights[order], backward=rule), expected)
    torch.testing.assert_close(encoder(shuffled)._derivative(ramp), encoder(name)._derivative(ramp)[order])


def test_gaussian_noise_has_its_deviation_where_nothing_is_clipped_and_the_gradient_of_the_identity() -> None:
    grey = torch.full((1, 1, 1, 20_000), 0.5)
    noise = encoder("gaussian(0.1)", num_steps=1)(grey, generator=torch.Generator().manual_seed(1)) - grey
    # four standard deviations of a mean, and of a variance, over 20,000 draws
    assert noise.mean().abs() < 4 * 0.1 / 20_000**0.5
    assert abs(noise.std().item() / 0.1 - 1) < 4 / 40_000**0.5
    for rule in BACKWARD_RULES:
        black = torch.zeros(1, 1, 1, 5)
        weights = torch.randn(8, 1, 1, 1, 5, generator=torch.Generator().manual_seed(3))
        torch.testing.assert_close(_gradient("gaussian(0.1)", black, weights, backward=rule), weights.sum(0))


def test_every_listed_encoding_can_be_made() -> None:
    assert set(ENCODINGS) == {"direct", "poisson", "onset", "offset", "latency", "phase", "fusion"}
    for name in ENCODINGS:
        made = encoder("fusion(direct, latency)" if name == "fusion" else name)
        assert made.name == name


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("morse", {}, f"choose one of {', '.join(code_names())}"),
        ("fusion(direct, latency", {}, "brackets of 'fusion(direct, latency' do not match"),
        ("fusion(direct, , latency)", {}, "an empty argument"),
        ("latency(rounding=up)", {}, "'latency' has no rounding"),
        ("onset(packing=up)", {}, "'onset' has no packing; it has rounding"),
        ("latency(onset)", {}, "hold options only"),
        ("fusion(direct)", {}, "at least two parts"),
        ("fusion()", {}, "at least two parts"),
        ("onset", {"rounding": "nearest"}, "choose 'down' or 'up'"),
        ("negative", {}, "negative takes 1"),
        ("negative(onset, latency)", {}, "as in 'negative(latency)'"),
        ("shuffled(latency)", {}, "as in 'shuffled(latency, order=1 0)'"),
        ("shuffled(latency, 1 0)", {}, "as in 'shuffled(latency, order=1 0)', got 'shuffled(latency, 1 0)'"),
        ("shuffled(latency, order=0 1)", {"num_steps": 2}, "that moves some"),
        ("shuffled(latency, order=1 0)", {}, "permutation of the steps 0 … 7"),
        ("gaussian", {}, "as in 'gaussian(0.144)'"),
        ("gaussian(-1)", {}, "sigma must be positive"),
        ("onset", {"num_steps": 0}, "at least 1"),
        ("onset", {"num_steps": 2.5}, "integer"),
        ("onset", {"backward": "magic"}, "choose one of ('straight_through', 'relaxed')"),
        ("onset", {"slope": -1.0}, "positive"),
    ],
)
def test_bad_encoder_says_what_is_valid(name: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        encoder(name, **options)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(0, 1, 2, 2), "empty batch"),
        (torch.zeros(1, 2, 2), "[N, C, H, W], got [1, 2, 2]"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "divide 8-bit images by 255"),
        (torch.full((1, 1, 2, 2), 1.5), "got values from 1.5 to 1.5"),
        (torch.full((1, 1, 2, 2), -0.1), "[0, 1]"),
        (torch.full((1, 1, 2, 2), float("nan")), "[0, 1]"),
        ([[0.5]], "torch.Tensor"),
    ],
)
def test_bad_images_are_refused_by_every_code(images: Tensor, says: str) -> None:
    for name in ALL:
        with pytest.raises(ValueError, match=re.escape(says)):
            encoder(name)(images)


NEIGHBOURS = torch.tensor([0.0, 1e-45, 2**-26, 2**-25, 2**-24, 1 - 2**-24, 1.0])


@pytest.mark.parametrize("num_steps", [1, 2, 3, 5, 7, 8, 10, 16])
def test_spikes_of_every_step_code_are_those_of_its_inequality_to_the_last_bit_of_float32(num_steps: int) -> None:
    t = torch.arange(num_steps, dtype=torch.float32)[:, None]
    bits = min(num_steps, 8)
    k = t.long() % bits
    rules = {
        "onset": lambda x: t / num_steps > 1 - x,
        "onset(rounding=up)": lambda x: (t + 1) / num_steps > 1 - x,
        "offset": lambda x: t / num_steps < x,
        "offset(rounding=down)": lambda x: (t + 1) / num_steps < x,
        "latency": lambda x: t == torch.floor((1 - x) * num_steps),
        "negative(latency)": lambda x: t == torch.floor((1 - (1 - x)) * num_steps),
        "binary": lambda x: (x >= 0.5).expand(num_steps, -1),
        "phase": lambda x: ((x * 2**bits).floor().clamp(max=2**bits - 1).long() >> (bits - 1 - k) & 1) * 0.5 ** (1 + k),
    }
    drawn = torch.rand(2000, generator=torch.Generator().manual_seed(0))
    for name, fires in rules.items():
        code = encoder(name, num_steps=num_steps)
        ends = code.levels()
        near = [torch.nextafter(ends, torch.full_like(ends, side)) for side in (0.0, 1.0)]
        x = torch.cat([drawn, ends, *near, NEIGHBOURS, torch.arange(256) / 255]).clamp(0, 1)
        assert torch.equal(code(x.view(1, 1, 1, -1)).flatten(1), fires(x).float()), name


def test_a_code_may_be_written_within_another_and_with_options() -> None:
    nested = encoder("fusion(direct, 0.5*fusion(latency, 0.5*onset(rounding=up)))")
    assert [(gate, part.title) for gate, part in nested.leaves()] == [
        (1, "direct"),
        (0.5, "latency"),
        (0.25, "onset(rounding=up)"),
    ]
    assert encoder("negative(fusion(0.5*direct, phase))").title == "fusion(0.5*negative(direct), negative(phase))"
    assert encoder("onset", rounding="up") == encoder(" onset ( rounding = up ) ")


@pytest.mark.parametrize("eps", [0.05, 0.1, 0.2, 0.25, 0.3, 0.5])
@pytest.mark.parametrize("num_steps", [8, 10, 12])
def test_a_raised_black_pixel_fires_one_step_later_in_onset_than_in_latency(eps: float, num_steps: int) -> None:
    in_latency, in_onset = (first_active_step(eps, num_steps, code) for code in ("latency", "onset"))
    assert in_onset == min(in_latency + 1, num_steps)


@pytest.mark.parametrize(("eps", "bit"), [(0.05, 4), (0.07, 3), (0.1, 3), (0.2, 2), (0.3, 1)])
def test_a_raised_black_pixel_sets_the_leading_bit_of_eps_in_phase(eps: float, bit: int) -> None:
    assert first_active_step(eps, 8, "phase") == bit


@pytest.mark.parametrize("name", ["direct", "offset"])
def test_a_raised_black_pixel_acts_at_once_where_all_lit_pixels_start_together(name: str) -> None:
    assert first_active_step(0.1, 8, name) == 0


def test_a_random_code_has_no_first_active_step() -> None:
    with pytest.raises(ValueError, match="random"):
        first_active_step(0.1, 8, "poisson")
