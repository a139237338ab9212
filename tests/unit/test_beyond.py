"""What a full report measures beside attacks on the image: retiming, faults, everyday noise, each with its interval."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from snnlab import encoder, zoo
from snnlab.data import EventSplit, Split
from snnlab.data.corruptions import CORRUPTIONS
from snnlab.evaluation.beyond import SAMPLES, beyond_images
from snnlab.evaluation.report import content, page
from snnlab.evaluation.retiming import LEVELS, SEARCHES, under_retiming
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.faults import FAULTS, OF_WEIGHTS

FEW = dict.fromkeys(SAMPLES, 6)


def network(code: str, inputs: int = 16) -> Classifier:
    torch.manual_seed(0)
    return Classifier(SpikingMLP((inputs, 8, 3)), encoder(code, num_steps=4)).eval()


@pytest.fixture
def images() -> Split:
    generator = torch.Generator().manual_seed(0)
    return Split(torch.rand(8, 1, 4, 4, generator=generator), torch.arange(8) % 3, 3)


def test_a_spiking_network_has_all_three_parts_with_intervals_in_text_json_and_page(images: Split) -> None:
    found = beyond_images(network("latency"), images, samples=FEW)
    assert [set(part.correct) for part in found.parts.values()] == [set(LEVELS), set(FAULTS), set(CORRUPTIONS)]
    record = replace(zoo.results("latency"), suite="full", about={"model": "mine"})
    numbers = json.loads(json.dumps(content(record, found)["beyond"]))
    assert {part["n"] for name, part in numbers.items() if name in SAMPLES} == {6}
    shown = page(record, [], beyond=found)
    for title in ("moves spikes in time", "A faulty chip", "Everyday noise"):
        assert title in shown
        assert title in str(found)
    for name in SAMPLES:
        for kind, rows in numbers[name]["interval_95"].items():
            assert len(rows) == len(numbers[name]["severities"][kind])
            assert all(low <= high for low, high in rows)
    assert "moves spikes in time" not in page(record, [])


def test_what_a_network_does_not_have_is_omitted_with_the_reason(images: Split) -> None:
    ann = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(16, 3))).eval()
    found = beyond_images(ann, images, samples=FEW)
    assert set(found.parts["faults"].correct) == set(OF_WEIGHTS)
    assert "no spikes to move" in found.omitted["retiming"]
    assert "only spikes can move" in beyond_images(network("direct"), images, samples=FEW).omitted["retiming"]
    assert "Not measured: retiming" in page(replace(zoo.results("latency"), about={"model": "m"}), [], beyond=found)


def test_frames_of_events_are_retimed_and_no_picture() -> None:
    generator = torch.Generator().manual_seed(1)
    events = EventSplit(torch.randint(0, 3, (4, 6, 2, 2, 2), generator=generator).float(), torch.arange(6) % 3, 3)
    found = beyond_images(network(events.code, 8), events.as_images(), samples=FEW)
    assert set(found.parts) == {"retiming", "faults"}
    assert "no picture" in found.omitted["noise"]


def test_a_larger_budget_on_time_never_helps_the_network_and_the_worst_case_is_the_lowest(images: Split) -> None:
    found = under_retiming(network("onset"), images, {"shift": [0, 1, 3], "moved": [0, 2, 8]}, steps=5, queries=5)
    assert list(found) == list(SEARCHES)
    for kind in ("shift", "moved"):
        worst = [row[0] for row in found["worst"].correct[kind]]
        assert worst == sorted(worst, reverse=True)
        assert worst[0] == found["worst"].clean
        assert all(w <= g[0] for w, g in zip(worst, found["gradient"].correct[kind], strict=True))


@pytest.mark.parametrize(("levels", "words"), [({"shift": [2, 1]}, "must rise"), ({"turned": [1]}, "such as 'shift 2'")])
def test_bad_budgets_are_explained_before_any_work(images: Split, levels: dict[str, list[int]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        under_retiming(network("onset"), images, levels)
