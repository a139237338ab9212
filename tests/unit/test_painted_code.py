"""A code that is written as its table, and the explorer in which it is painted."""

from __future__ import annotations

import re

import pytest
import torch
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from snnlab import Budget, Classifier, SpikingMLP, attack, encoder
from snnlab.data import Split
from snnlab.encoding import code_names
from snnlab.networks import load, save
from snnlab.widgets import PaintExplorer, PlaygroundExplorer

LATENCY = "table(rows=0000 0001 0010 0100 1000)"
GREYS = (torch.arange(256) / 255).view(1, 1, 1, 256)


@given(
    st.integers(1, 5).flatmap(lambda steps: st.lists(st.text("01", min_size=steps, max_size=steps), min_size=2, max_size=9))
)
def test_every_row_is_the_train_of_its_level(rows: list[str]) -> None:
    code, levels = encoder(f"table(rows={' '.join(rows)})", num_steps=len(rows[0])), len(rows) - 1
    middles = torch.tensor([0.0, *((level + 0.5) / levels for level in range(levels))]).view(1, 1, 1, -1)
    trains = code(middles).flatten(1).T
    assert ["".join(str(int(s)) for s in train) for train in trains] == rows
    assert code.title == f"table(rows={' '.join(rows)})"
    assert encoder(code.title, num_steps=code.num_steps) == code


def test_latency_is_a_table_at_all_grey_levels_and_beyond_black() -> None:
    table, latency = encoder(LATENCY, num_steps=4), encoder("latency", num_steps=4)
    assert torch.equal(table(GREYS), latency(GREYS))
    # The window of the first step ends at 1, where no pixel is beyond it: an edge of latency alone.
    torch.testing.assert_close(table._derivative(GREYS)[1:], latency._derivative(GREYS)[1:])
    assert table(torch.full((1, 1, 1, 1), 1e-6)).flatten().tolist() == [0, 0, 0, 1]


def test_a_level_ends_at_its_upper_end() -> None:
    code = encoder("table(rows=0 0 1)", num_steps=1)
    pixels = torch.tensor([0.5, 0.5000001, 1.0]).view(1, 1, 1, 3)
    assert code(pixels).flatten().tolist() == [0, 1, 1]


def test_a_table_is_a_code_within_others_and_in_a_file(tmp_path: object) -> None:
    assert "table(…)" in code_names()
    assert encoder(f"fusion(0.5*direct, {LATENCY})", num_steps=4).title == f"fusion(0.5*direct, {LATENCY})"
    assert torch.equal(
        encoder(f"negative({LATENCY})", num_steps=4)(1 - GREYS), encoder(LATENCY, num_steps=4)(1 - (1 - GREYS))
    )
    path = save(Classifier(SpikingMLP((784, 4, 10)), encoder(LATENCY, num_steps=4)), f"{tmp_path}/painted.safetensors")
    assert load(path, SpikingMLP((784, 4, 10))).encoder.title == LATENCY


def test_an_attack_keeps_its_budget_on_a_painted_code(few: Split) -> None:
    classifier = Classifier(SpikingMLP((784, 8, 10)), encoder("table(rows=10 01 11 00 10)", num_steps=2)).eval()
    for name in ("fgsm", "pgd", "spike_train"):
        result = attack(classifier, few[:4].images, few[:4].labels, Budget(0.1), name)
        assert (result.images - few[:4].images).abs().max() <= 0.1 + 1e-6


@pytest.mark.parametrize("rows", ["", "00", "00 0", "00 02", "0000 1111", "00\n01 1"])
def test_a_table_that_is_none_says_what_is_expected(rows: str) -> None:
    with pytest.raises(ValueError, match=re.escape("two or more rows of num_steps = 2 signs each")):
        encoder(f"table(rows={rows})", num_steps=2)


def test_explorer_takes_the_size_of_its_table_and_returns_the_code() -> None:
    explorer = PaintExplorer(code=LATENCY)
    assert (explorer.steps, explorer.levels) == (4, 4)
    assert explorer.result() == encoder(LATENCY, num_steps=4)
    assert "a painted code over 4 steps" in explorer.to_html()
    assert PaintExplorer(code="onset", steps=5).result() == encoder("onset", num_steps=5)
    assert PlaygroundExplorer(code=LATENCY, steps=4).result().encoder.title == LATENCY


@pytest.mark.parametrize("code", ["direct", "phase", "morse", "table(rows=00 0)", "table(rows=)", "table"])
def test_explorer_lists_what_can_be_painted(code: str) -> None:
    with pytest.raises(traitlets.TraitError, match=re.escape("onset, offset, latency, binary, table(rows=…)")):
        PaintExplorer(code=code)
