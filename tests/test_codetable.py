"""Code tables: every intensity is in one bin, whose train is the code's own."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from snnlab.codetable import CodeTable, code_table
from snnlab.encoding import Encoder, encoder

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
)


def _table(code: str) -> CodeTable:
    table = code_table(encoder(code))
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
    assert [code_table(encoder(name)) for name in ("direct", "poisson", "fusion(direct, latency)")] == [None] * 3
    assert code_table(_Mean(4)) is None
