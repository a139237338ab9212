"""The chapters: their code is the package's, their cells are short, their exercises have answers that pass."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import snntorch as snn
import torch
from building import BOOK
from markdown_it import MarkdownIt
from torch import Tensor

from chapters import chapters, questions, read
from snnlab import zoo
from snnlab.attacks import NAIVE, AdaptiveSharpness, Budget, attack
from snnlab.attacks.goal import Goal
from snnlab.attacks.spike_train import TrainSearch
from snnlab.data import Split
from snnlab.data.event_camera import EventCamera
from snnlab.encoding import encoder
from snnlab.networks.bounds import Range, Sequence, linear_bounds
from snnlab.networks.conv import Block, SpikingConvNet
from snnlab.networks.decoding import logits_at_every_exit
from snnlab.networks.early_exit import ExitRule, exit_steps
from snnlab.networks.energy import energy
from snnlab.networks.faults import faulty
from snnlab.networks.sequence import lif, unroll
from snnlab.teach import checks, question

CHAPTERS = chapters(BOOK)


def _cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def _run_cell(chapter: str, text: str) -> dict[str, Any]:
    """Run the one cell of a chapter that contains a text, and return the names that it defines."""
    (cell,) = (c for c in _cells(BOOK / chapter, "code") if text in c.source)
    names: dict[str, Any] = {"torch": torch}
    exec(cell.source, names)
    return names


def test_the_encoders_of_the_text_are_those_of_the_package(ramp: Tensor) -> None:
    names = _run_cell("encoding.ipynb", "def latency(")
    for name in ("onset", "offset", "latency"):
        assert torch.equal(names[name](ramp.flatten(), 8), encoder(name)(ramp).flatten(1))


def test_the_exits_of_the_text_are_those_of_the_package() -> None:
    names = _run_cell("early_exit.ipynb", "def dynamic_exits(")
    spikes = torch.randint(0, 2, (8, 50, 10), generator=torch.Generator().manual_seed(0)).float()
    votes = names["fixed_exits"](spikes)
    assert torch.equal(votes, logits_at_every_exit(spikes, spikes, "rate"))
    for margin in (0, 1, 2, 5, 99):
        assert torch.equal(names["dynamic_exits"](votes, margin), exit_steps(votes, ExitRule("margin", margin)))


@pytest.mark.parametrize("gate", [(1.0, 1.0), (0.125, 1.0), (0.0, 2.0)])
def test_the_fusion_of_the_text_is_that_of_the_package(ramp: Tensor, gate: tuple[float, float]) -> None:
    names = _run_cell("fusion.ipynb", "def fuse(")
    code = encoder(f"fusion({gate[0]}*direct, {gate[1]}*latency)", backward="relaxed")
    values = []
    for fused in (lambda x: names["fuse"]([part(x) for part in code.parts], gate), code):
        leaf = ramp.clone().requires_grad_(True)
        sequence = fused(leaf)
        values.append((sequence, torch.autograd.grad(sequence.square().sum(), leaf)[0]))
    for text, package in zip(*values, strict=True):
        assert torch.equal(text, package)


def test_the_pixel_of_the_text_is_the_sensor_of_the_package() -> None:
    names = _run_cell("events.ipynb", "def events_of(")
    for seed in range(5):
        intensity = torch.rand(40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        expected = EventCamera().crossings(intensity.view(-1, 1, 1, 1)).flatten().tolist()
        assert names["events_of"](intensity) == expected


def test_the_neuron_of_the_text_is_that_of_the_package() -> None:
    names = _run_cell("training.ipynb", "def lif(")
    generator = torch.Generator().manual_seed(0)
    current, weight = (torch.randn(8, 50, generator=generator) for _ in range(2))
    values = []
    for neuron in (names["lif"], lambda i: lif(i)[0]):
        leaf = current.clone().requires_grad_(True)
        spikes = neuron(leaf)
        values.append((spikes, torch.autograd.grad((weight * spikes).sum(), leaf)[0]))
    assert torch.equal(values[0][0], values[1][0])
    torch.testing.assert_close(values[0][1], values[1][1])


def test_the_relaxed_code_of_the_text_is_that_of_the_package(ramp: Tensor) -> None:
    names = _run_cell("honest.ipynb", "def offset_seen_by_bpda(")
    values = []
    for code in (names["offset_seen_by_bpda"], encoder("offset", backward="relaxed")):
        leaf = ramp.clone().requires_grad_(True)
        sequence = code(leaf)
        values.append((sequence.detach(), torch.autograd.grad(sequence.sum(), leaf)[0]))
    for text, package in zip(*values, strict=True):
        torch.testing.assert_close(text, package)


def test_the_adaptive_sharpness_of_the_text_is_that_of_the_package() -> None:
    names, sharp = _run_cell("honest.ipynb", "def assg("), AdaptiveSharpness()
    mean = deviation = None
    for turn in range(3):
        v = torch.randn(4, 5, generator=torch.Generator().manual_seed(turn))
        if mean is None:
            mean, deviation = v.abs(), torch.zeros_like(v)
        slope, mean, deviation = names["assg"](v, mean, deviation)
        sharp.begin()
        torch.testing.assert_close(sharp.derivative(v), slope)


def test_the_best_trains_of_the_text_are_those_of_the_package(few: Split) -> None:
    names, model = _run_cell("honest.ipynb", "def best_trains("), zoo.load("latency")
    search = TrainSearch(
        model, few.images[:1], Goal.of(model, few.labels[:1]), Budget(0.2), 1, torch.Generator().manual_seed(0)
    )
    search.begin(few.images[:1])
    gradient = torch.randn(8, 784, generator=torch.Generator().manual_seed(1))
    expected = names["best_trains"](gradient, search.table.trains.squeeze(-1), search.first[0], search.last[0])
    search.move(gradient[:, None], share=1.0)
    assert torch.equal(search.bins[0], expected)


def test_the_fault_of_the_text_is_that_of_the_package() -> None:
    neuron, current = snn.Leaky(beta=0.9), 2 * torch.rand(6, 4, 5, generator=torch.Generator().manual_seed(0))
    spikes, _ = unroll(neuron, current)
    with faulty(torch.nn.ModuleList([neuron]), "lost", 0.3, torch.Generator().manual_seed(1)):
        lost, _ = unroll(neuron, current)
    lose, generator = _run_cell("hardware.ipynb", "def lose(")["lose"], torch.Generator().manual_seed(1)
    assert torch.equal(lost, torch.stack([lose(step, 0.3, generator) for step in spikes]))


def test_the_ranges_of_the_text_are_those_of_the_package() -> None:
    generator = torch.Generator().manual_seed(0)
    layer, low = torch.nn.Linear(6, 4), torch.randn(3, 6, generator=generator)
    high = low + torch.rand(3, 6, generator=generator)
    text = _run_cell("proof.ipynb", "def layer_range(")["layer_range"](layer.weight, layer.bias, low, high)
    package = linear_bounds(layer, Sequence.of(Range(low[None], high[None]))).values
    for one, other in zip(text, package, strict=True):
        assert torch.allclose(one, other[0], atol=1e-6)


def test_the_block_of_the_text_is_that_of_the_package() -> None:
    names = _run_cell("cifar10.ipynb", "def block(")
    network = SpikingConvNet((Block(8, stride=2),), threshold=0.7).train()
    sequence = torch.rand(4, 3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    weight = network.layers[0].current.conv.weight
    found = names["block"](sequence, weight, threshold=0.7, beta=float(network.layers[0].activations[0].beta))
    # The norm of the text is written out, so that rounding may tip a neuron on the threshold.
    assert (found != network(sequence).hidden[0]).float().mean() < 1e-3
    assert 0.05 < found.mean() < 0.95


def test_the_neuron_at_the_beginning_is_that_of_the_package() -> None:
    names = _run_cell("neuron.ipynb", "def lif(")
    current = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    for beta, threshold in ((0.9, 1.0), (0.5, 0.3)):
        for ours, theirs in zip(
            names["lif"](current, beta, threshold), lif(current, beta=beta, threshold=threshold), strict=True
        ):
            assert torch.equal(ours, theirs)


def test_the_read_out_of_the_text_treats_silence_and_ties_as_the_package_does() -> None:
    names = _run_cell("neuron.ipynb", "def lif(")
    for words in ("def votes(", "by_rules ="):
        (cell,) = (c for c in _cells(BOOK / "neuron.ipynb", "code") if words in c.source)
        exec(cell.source, names)
    assert torch.equal(names["answers"], names["model"].predict(names["digits"].images)[-1])
    assert not torch.equal(names["answers"], names["counted"].argmax(1))  # the rule for ties matters


def test_the_attacks_of_the_text_are_those_of_the_package() -> None:
    names = _run_cell("adversarial.ipynb", "def right(")
    for words in ("def fgsm(", "def pgd("):
        (cell,) = (c for c in _cells(BOOK / "adversarial.ipynb", "code") if words in c.source)
        exec(cell.source, names)
    images, labels, model = names["images"], names["labels"], names["ann"]
    ours = {"fgsm": names["fgsm"](images, 0.05), "pgd": names["pgd"](images, 0.05, steps=10)}
    for method, found in ours.items():
        expected = attack(model, images, labels, Budget(0.05), method, NAIVE, steps=10, random_start=False).images
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["onset", "latency"])
def test_the_count_of_the_text_is_that_of_the_package(name: str, few: Split) -> None:
    names, model = _run_cell("energy.ipynb", "def synops("), zoo.load(name)
    counted = energy(model, few.images[:3])
    for k in range(3):
        assert names["synops"](model, few.images[k : k + 1]) == counted.synops[:, k].tolist()
    assert counted.macs.sum() == 0


def test_the_bent_clock_of_the_text_is_latency_where_it_is_not_bent(ramp: Tensor) -> None:
    warped, bound = (_run_cell("yourturn.ipynb", "class Warped(")["Warped"](**options) for options in ({"p": 1.0}, {}))
    for rule in ("relaxed", "straight_through"):
        values = []
        for code in (warped, encoder("latency")):
            leaf = ramp.clone().requires_grad_(True)
            sequence = code.with_backward(rule)(leaf)
            values.append((sequence.detach(), torch.autograd.grad(sequence.square().cumsum(0).sum(), leaf)[0]))
        for text, package in zip(*values, strict=True):
            torch.testing.assert_close(text, package)
    assert bound(ramp).flatten(1).argmax(0)[1:].diff().max() <= 0  # brighter never speaks later


def test_the_guard_of_the_text_accepts_a_stand_in_that_fits_and_rejects_those_that_hide_the_code() -> None:
    names = _run_cell("yourturn.ipynb", "class Warped(")
    (cell,) = (c for c in _cells(BOOK / "yourturn.ipynb", "code") if "def fits(" in c.source)
    exec(cell.source, names)
    fits, warped = names["fits"], names["Warped"]()
    assert fits(warped.with_backward("relaxed", slope=10.0)) > 0.6  # as attacks use it
    assert fits(warped.with_backward("relaxed", slope=1000.0)) > 0.99
    for hidden in (names["Zero"](backward="relaxed"), warped.with_backward("straight_through")):
        assert fits(hidden) < 0.2
    assert fits(encoder("latency", backward="relaxed")) > 0.6


def test_a_power_below_one_gives_most_steps_to_bright_intensities() -> None:
    warped = _run_cell("yourturn.ipynb", "class Warped(")["Warped"]()
    bright, dark = (
        warped(torch.linspace(*ends, 500).view(1, 1, 1, -1)).flatten(1).any(1).sum() for ends in ((0.75, 1), (0, 0.25))
    )
    assert bright > dark


def test_the_right_answers_of_the_quizzes_are_spread_over_all_places() -> None:
    asked = [question for chapter in CHAPTERS for question in questions(read(chapter))]
    chosen = [question["answers"] for question in asked if question["type"] == "multiple_choice"]
    places = [[answer["correct"] for answer in answers].index(True) for answers in chosen]
    assert len(asked) >= 3 * len(CHAPTERS)
    assert all(sum(answer["correct"] for answer in answers) == 1 for answers in chosen)
    for place in range(3):
        assert 0.2 <= places.count(place) / len(places) <= 0.5


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_quiz_has_three_questions_or_more_and_one_feedback_for_every_answer(chapter: Path) -> None:
    asked = questions(read(chapter))
    assert len(asked) >= 3
    for answers in (one["answers"] for one in asked):
        assert all(answer["feedback"] for answer in answers)
        given = [answer.get("answer", answer.get("value")) for answer in answers]
        assert len(set(given)) == len(given)


def test_the_order_of_the_answers_follows_from_the_question_alone() -> None:
    given = ("1 + 1?", ("2", "Right."), [("3", "Too many."), ("1", "Too few."), ("11", "That joins the digits.")])
    assert question(*given) == question(*given)
    firsts = {question(f"{k} + 0?", *given[1:])["answers"][0]["answer"] for k in range(30)}
    assert firsts == {"1", "2", "3", "11"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_shown_cells_are_short(chapter: Path) -> None:
    for cell in _cells(chapter, "code"):
        hidden = {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))
        assert hidden or len(cell.source.splitlines()) <= 20, cell.source


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_code_on_a_page_has_at_most_eighty_columns(chapter: Path) -> None:
    """A page shows eighty columns without scrolling (tests/browser/test_layout.py); folded code may have long strings."""
    for cell in _cells(chapter, "code"):
        if not {"remove-cell", "remove-input", "hide-input"} & set(cell.metadata.get("tags", [])):
            assert [line for line in cell.source.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_is_posed_and_solved(chapter: Path) -> None:
    """The build runs the chapter; here: each check is called once with dots and once by a solution."""
    code = "\n".join(cell.source for cell in _cells(chapter, "code"))
    names = [name for name in checks() if name.startswith(f"{chapter.stem}.")]
    assert len(names) == 3
    for name in names:
        assert code.count(f'check("{name}"') == 2


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_its_frame(chapter: Path) -> None:
    text = "\n".join(cell.source for cell in _cells(chapter, "markdown"))
    for part in (
        "In this chapter",
        "Predict first",
        "What you should have seen",
        "## What we measured",
        "## How could this be wrong?",
        "## Exercises",
        "## Quiz",
        "## Take-aways",
        "## Further reading",
    ):
        assert part in text


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_list_is_swallowed_by_the_paragraph_before_it(path: Path) -> None:
    """After a code cell a list goes on with another number than 1, which ends no paragraph."""
    for cell in _cells(path, "markdown"):
        texts = [token.content for token in MarkdownIt().parse(cell.source) if token.type == "inline"]
        swallowed = [line for text in texts for line in text.splitlines()[1:] if re.match(r"\s*\d+\. ", line)]
        assert not swallowed
