"""Laws of the simulated event camera."""

import re

import numpy as np
import pytest
import torch

from snnlab import data, encoder
from snnlab.data.event_camera import NUM_STEPS, EventCamera, saccade_path, saccades, spike_frames
from snnlab.data.events import EVENT, frames_of

CAMERA = EventCamera()


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return data.load("mnist5k").test.images[:20]


def test_a_still_image_gives_no_events(digits: torch.Tensor) -> None:
    still = digits[:, 0].expand(5, -1, -1, -1)
    assert CAMERA.crossings(still).abs().sum() == 0
    assert len(CAMERA.events(still[:, 0])) == 0
    assert CAMERA.frames(still, 2).sum() == 0


def test_a_ramp_fires_at_the_times_that_logarithms_give() -> None:
    """One pixel whose logarithm rises by 2.5 thresholds: two events, at two fifths and four fifths of the time."""
    camera = EventCamera(threshold=0.8, dark=0.1, duration=1000)
    start = 0.1
    end = (start + 0.1) * np.exp(2.5 * 0.8) - 0.1
    events = camera.events(torch.tensor([start, end / 1.0]).clamp(max=1).view(2, 1, 1))
    rise = np.log((min(end, 1.0) + 0.1) / 0.2)
    expected = [int(np.ceil(k * 0.8 / rise * 1000)) - 1 for k in range(1, int(rise / 0.8) + 1)]
    assert events["t"].tolist() == expected
    assert set(events["p"].tolist()) == {1}


def test_time_reversed_every_polarity_is_the_other() -> None:
    """Where every level is reached exactly, brighter and darker are symmetric."""
    up = torch.exp(torch.linspace(np.log(0.1), np.log(1.1), 13, dtype=torch.float64)).sub(0.1).clamp(0, 1).view(-1, 1, 1, 1)
    camera = EventCamera(threshold=0.25)
    brighter, darker = camera.frames(up, 1), camera.frames(up.flip(0), 1)
    assert brighter[0, 0, 1].item() == darker[0, 0, 0].item() > 5
    assert brighter[0, 0, 0] == darker[0, 0, 1] == 0


def test_half_as_many_events_at_twice_the_threshold(digits: torch.Tensor) -> None:
    sequence = saccades(digits)
    few, many = (EventCamera(threshold=c).frames(sequence).sum() for c in (0.4, 0.2))
    assert 0.4 < few / many < 0.6


def test_events_are_sorted_and_on_the_sensor_and_fill_the_same_frames(digits: torch.Tensor) -> None:
    sequence = saccades(digits[:3])
    for n in range(3):
        events = CAMERA.events(sequence[:, n])
        assert (np.diff(events["t"]) >= 0).all()
        assert events["t"].min() >= 0
        assert events["t"].max() < CAMERA.duration
        assert events["x"].max() < 28
        assert events["y"].max() < 28
        assert min(events["x"].min(), events["y"].min()) >= 0
        counted = frames_of(events, num_steps=NUM_STEPS, size=28, sensor=28, span=CAMERA.duration)
        assert torch.equal(counted, CAMERA.frames(sequence)[:, n])


def test_the_level_of_a_pixel_follows_its_intensity(digits: torch.Tensor) -> None:
    """What was fired is never a whole threshold away from what happened."""
    sequence = saccades(digits)
    logs = torch.log(sequence + CAMERA.dark)
    fired = CAMERA.crossings(sequence).double().cumsum(0) * CAMERA.threshold
    assert ((logs[1:] - logs[0]) - fired).abs().max() < CAMERA.threshold


def test_noise_is_seeded_and_of_the_stated_rate() -> None:
    camera, still = EventCamera(noise=10.0, duration=1_000_000), torch.zeros(4, 1, 28, 28)
    first, again = (camera.frames(still, 3, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.sum() / 784 == pytest.approx(10, rel=0.05)
    events = camera.events(still, generator=torch.Generator().manual_seed(1))
    assert len(events) / 784 == pytest.approx(10, rel=0.05)
    assert (np.diff(events["t"]) >= 0).all()


def test_the_path_closes_after_three_straight_strokes() -> None:
    path = saccade_path(9, reach=3)
    assert torch.equal(path[0], path[-1])
    assert path.abs().max() == 3
    for stroke in (path[:4], path[3:7], path[6:]):
        assert torch.allclose(stroke.diff(dim=0).std(0), torch.zeros(2, dtype=torch.float64), atol=1e-12)


def test_a_shift_by_whole_pixels_moves_the_image(digits: torch.Tensor) -> None:
    moved = saccades(digits[:1], torch.tensor([[0, 0], [2, -1]]))
    assert torch.equal(moved[0, 0], digits[0, 0].double())
    assert torch.equal(moved[1, 0, 2:, :-1], digits[0, 0, :-2, 1:].double())


def test_the_data_set_is_the_frames_of_the_digits(digits: torch.Tensor) -> None:
    recordings = data.load("events5k")
    assert [len(getattr(recordings, part)) for part in ("train", "validation", "test")] == [3500, 500, 1000]
    frames = spike_frames(digits)
    code = encoder("frames", num_steps=NUM_STEPS)
    assert torch.equal(code(recordings.test.images[:20]), frames)
    assert set(frames.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(recordings.test.labels, data.load("mnist5k").test.labels)
    assert "simulated" in repr(recordings)


def recorded(*events: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(list(events), EVENT)


def in_seconds(time: float) -> np.ndarray:
    return np.array([(0, 0, time, 0)], [(name, float) for name in "xytp"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frames_of(recorded(), sensor=4, size=4), "without events"),
        (lambda: frames_of(recorded((0, 0, 5, 0), (0, 0, 3, 0)), sensor=4, size=4), "times must rise: event 1 is at 3"),
        (lambda: frames_of(recorded((4, 0, 0, 0)), num_steps=1, sensor=4, size=4), "not on a sensor of 4 x 4"),
        (lambda: frames_of(recorded((0, 0, 0, 2)), num_steps=1, sensor=4, size=4), "2 polarities"),
        (
            lambda: frames_of(recorded((0, 0, 0, 0), (0, 0, 9, 0)), num_steps=3, sensor=4, size=4),
            "1 of 3 frames hold no event",
        ),
        (lambda: frames_of(recorded((0, 0, 12, 0)), num_steps=1, sensor=4, size=4, span=10), "outside the span"),
        (lambda: frames_of(recorded((0, -1, 0, 0)), num_steps=1, sensor=4, size=4), "not on a sensor"),
        (lambda: frames_of(recorded((0, 0, -1, 0)), num_steps=1, sensor=4, size=4, span=10), "outside the span"),
        (lambda: frames_of(np.zeros((3, 4)), sensor=4, size=4), "got no fields (ndarray); x is missing"),
        (lambda: frames_of(recorded((0, 0, 0, 0))[["x", "y", "t"]], sensor=4, size=4), "p is missing"),
        (lambda: frames_of(in_seconds(0.25), sensor=4, size=4), "the field t holds values that are not whole"),
        (lambda: frames_of(in_seconds(np.nan), sensor=4, size=4), "the field t holds values that are not whole"),
        (lambda: saccade_path(4), "multiple of 3"),
        (lambda: saccades(torch.full((1, 4, 4), 1.5)), "in [0, 1]"),
        (lambda: saccades(torch.zeros(1, 4, 4), torch.zeros(3, 3)), "path [M + 1, 2]"),
        (lambda: EventCamera(threshold=0), "must be positive"),
        (lambda: CAMERA.frames(torch.zeros(5, 1, 4, 4), 3), "must divide the 4 moments"),
        (lambda: CAMERA.frames(torch.zeros(1, 1, 4, 4)), "at least two images"),
        (lambda: CAMERA.events(torch.zeros(3, 2, 4, 4)), "one sequence"),
        (lambda: CAMERA.crossings(torch.full((2, 1, 4, 4), -0.1)), "must lie in [0, 1]"),
    ],
)
def test_what_is_no_recording_is_said(call, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_silent_frames_are_returned_where_they_are_meant() -> None:
    events = recorded((0, 0, 0, 0), (0, 0, 9, 0))
    assert frames_of(events, num_steps=3, sensor=4, size=4, empty=True).sum((1, 2, 3)).tolist() == [1, 0, 1]
