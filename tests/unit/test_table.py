"""Code tables: every intensity is in one bin, whose train is the code's own."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from snnlab.encoding import CodeTable, Edge, Edges, Encoder, encoder
from snnlab.encoding.table import probed_table

CODES = (
    "latency",
    "onset",
    "offset",
    "phase",
    "binary",
    "onset(rounding=up)",
    "offset(rounding=down)",
    "fusion(onset, latency)",
    "fusion(0.5*phase, latency)",
    "negative(latency)",
    "negative(phase)",
    "shuffled(latency, order=1 3 7 5 2 6 0 4)",
    "fusion(0.5*offset, fusion(latency, 0.25*phase))",
)


def _table(code: str) -> CodeTable:
    table = encoder(code).table
    assert table is not None
    return table


@pytest.mark.parametrize("code", CODES)
def test_the_bin_of_an_intensity_has_the_train_that_the_code_gives_it(code: str) -> None:
    table = _table(code)
    drawn = torch.rand(5000, generator=torch.Generator().manual_seed(0))
    values = torch.cat([drawn, table.lower, table.upper, torch.arange(256) / 255])
    trains = encoder(code)(values.view(-1, 1, 1, 1)).flatten(2).transpose(0, 1)
    assert torch.equal(table.trains[table.bins(values)], trains)


@pytest.mark.parametrize("code", CODES)
def test_bins_cover_all_intensities_without_a_gap_and_neighbours_differ(code: str) -> None:
    table = _table(code)
    assert table.lower[0] == 0
    assert table.upper[-1] == 1
    assert torch.equal(torch.nextafter(table.upper[:-1], torch.ones(len(table) - 1)), table.lower[1:])
    assert (table.trains[1:] != table.trains[:-1]).flatten(1).any(1).all()


@pytest.mark.parametrize("code", CODES)
def test_reachable_bins_are_those_of_the_intensities_in_reach(code: str) -> None:
    table, generator = _table(code), torch.Generator().manual_seed(1)
    low = torch.rand(50, generator=generator) * 0.8
    high = low + 0.2 * torch.rand(50, generator=generator)
    first, last = table.reachable(low, high)
    for k in range(len(low)):
        meets = (table.lower <= high[k]) & (table.upper >= low[k])
        assert torch.nonzero(meets).flatten().tolist() == list(range(int(first[k]), int(last[k]) + 1))


@dataclass(frozen=True)
class _Mean(Encoder):
    """A code that looks at the whole image: no table of single pixels."""

    name: ClassVar[str] = "mean"

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        above = images > images.mean((1, 2, 3), keepdim=True)
        return above.to(images.dtype).expand(self.num_steps, *images.shape)

    def _derivative(self, images: Tensor) -> Tensor:
        return torch.zeros_like(images).expand(self.num_steps, *images.shape)


def test_codes_that_are_analog_random_or_mix_pixels_have_no_table() -> None:
    assert [encoder(name).table for name in ("direct", "poisson", "fusion(direct, latency)")] == [None] * 3
    assert _Mean(4).table is None


@pytest.mark.parametrize("code", [code for code in CODES if "fusion" not in code])
def test_a_table_that_is_probed_is_the_one_that_the_edges_give(code: str) -> None:
    """A reader's class without edges is asked at a grid of intensities; the codes of the package know."""
    known, probed = _table(code), probed_table(encoder(code))
    assert probed is not None
    for part in ("lower", "upper", "trains"):
        assert torch.equal(getattr(probed, part), getattr(known, part))


def test_a_fusion_has_a_bin_for_intensities_that_one_float_separates() -> None:
    """In offset any light fires; 1 - x of a pixel below 2^-25 rounds to 1, so that latency stays silent."""
    table = _table("fusion(offset, latency)")
    assert table.trains[1].tolist() == [[1.0, 0.0]] + [[0.0, 0.0]] * 7
    assert table.upper[1] == 2**-25


def test_edges_and_the_table_of_their_trains_are_the_same_code() -> None:
    table = torch.tensor([[0.3, 0.0, 0.0], [0.3, 0.1, 0.0], [0.0, 0.1, 0.7], [0.3, 0.0, 0.0]])
    edges = Edges.of_table(table)
    assert torch.equal(edges.table.trains.squeeze(-1), table)
    assert edges.table.lower.tolist() == [0, 0.25, 0.5, 0.75]
    assert Edge(0.25, 1, table[1, 1].item()) in [edge._replace(first=None) for edge in edges.edges]


@pytest.mark.parametrize(
    ("edge", "says"),
    [
        ((1.2, 0), "intensity of an edge must lie in"),
        ((0.5, 2), "integer from 0 to 1"),
        ((0.5, 0, float("nan")), "finite"),
    ],
)
def test_an_edge_that_is_none_says_what_is_valid(edge: tuple[float, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Edges(2, (Edge(*edge),))  # type: ignore[arg-type]


def test_a_table_that_is_none_says_what_is_valid() -> None:
    with pytest.raises(ValueError, match=r"\[levels, T\], got \[3\]"):
        Edges.of_table(torch.zeros(3))
    with pytest.raises(ValueError, match="dark is the train of black, 2 values, got 1"):
        Edges(2, (), (1.0,))
