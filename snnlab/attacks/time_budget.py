r"""Budgets on time: how far the spikes of a sample may move; none may be added or removed.

Let :math:`s_t` be the number of spikes of a neuron (a pixel, a channel of a sensor) at step ``t``, :math:`s'_t` the number
after the attack, with equal sums over time, and :math:`C_t = \sum_{u \le t} s_u`. The spikes of a neuron cannot be told apart, so
each amount is the smallest over all ways to match those before with those after:

======= ====== =============================================== =====================================================
amount  sign   holds                                           in words
======= ====== =============================================== =====================================================
shift   B∞     :math:`C_{t-b} \le C'_t \le C_{t+b}` for all t  no spike of any neuron moves by more than ``b`` steps
total   B1     :math:`\sum_t |C_t - C'_t| \le b`               the shifts of all spikes of a sample sum to ``b`` steps
moved   B0     :math:`\sum_t \max(s_t - s'_t, 0) \le b`        at most ``b`` spikes of a sample move
======= ====== =============================================== =====================================================

A step of a neuron holds at most as many spikes as any had before: binary trains stay binary. Source of the three budgets:
*Spike-Retiming Attacks* (ICLR 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import torch
from torch import Tensor

__all__ = ["TimeBudget", "best_trains", "cost", "every_train"]

#: sign of each amount, and the words by which a text may name it
AMOUNTS: dict[str, tuple[str, ...]] = {
    "shift": ("B∞", "Binf", "shift"),
    "total": ("B1", "total"),
    "moved": ("B0", "moved"),
}
HALVINGS = 12  # of the interval of prices


@dataclass(frozen=True, init=False)
class TimeBudget:
    """Limit how far spikes move in time (table in the module docstring); amounts that are ``None`` are not limited.

    Args:
        shift: ``B∞``, steps; or all limits as a text such as ``"B∞ 2"``, ``"shift 1, moved 20"``.
        total: ``B1``, steps.
        moved: ``B0``, spikes.

    Raises:
        ValueError: no limit at all, a negative one, a text that is not a budget.
        TypeError: a limit that is not an integer.

    >>> print(TimeBudget("shift 1, moved 20"))
    B∞ 1 step, B0 20 spikes
    >>> TimeBudget("B1 40") == TimeBudget(total=40)
    True
    """

    shift: int | None = None
    total: int | None = None
    moved: int | None = None

    def __init__(self, shift: int | str | None = None, total: int | None = None, moved: int | None = None) -> None:
        limits: dict[str, int | None] = {"shift": None, "total": total, "moved": moved}
        if isinstance(shift, str):
            limits |= _parsed(shift)
        else:
            limits["shift"] = shift
        for name, limit in limits.items():
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
                raise TypeError(f"{name} must be a whole number, or None for no limit, got {limit!r}")
            if limit is not None and limit < 0:
                raise ValueError(f"{name} must be at least 0, got {limit}")
            object.__setattr__(self, name, limit)
        if not self.limits:
            raise ValueError("a budget on time limits shift, total or moved; got none of them")

    @property
    def limits(self) -> dict[str, int]:
        """The limited amounts by name."""
        return {name: limit for name in AMOUNTS if (limit := getattr(self, name)) is not None}

    def __str__(self) -> str:
        units = {"shift": "step", "total": "step", "moved": "spike"}
        return ", ".join(f"{AMOUNTS[k][0]} {b} {units[k]}{'s' * (b != 1)}" for k, b in self.limits.items())

    @staticmethod
    def amounts(spikes: Tensor, reference: Tensor) -> dict[str, Tensor]:
        """Return shift, total and moved of every sample, ``[N]`` each, from numbers of spikes ``[T, N, …]``.

        Raises:
            ValueError: shapes that differ, a neuron with another number of spikes than before.

        >>> before, after = torch.tensor([1.0, 1, 0, 0]).view(4, 1, 1), torch.tensor([0.0, 1, 1, 0]).view(4, 1, 1)
        >>> {name: int(amount) for name, amount in TimeBudget.amounts(after, before).items()}
        {'shift': 1, 'total': 2, 'moved': 1}
        """
        if spikes.shape != reference.shape or spikes.dim() < 3:
            raise ValueError(
                f"expected spikes [T, N, …] like those before, {list(reference.shape)}, got {list(spikes.shape)}"
            )
        after, before = spikes.flatten(2).cumsum(0), reference.flatten(2).cumsum(0)
        if not torch.equal(after[-1], before[-1]):
            raise ValueError("retiming left its budget: a neuron has more or fewer spikes than before")
        shift = torch.zeros(before.shape[1], dtype=torch.long, device=before.device)
        for b in range(len(before) - 1):
            shift += ((after < _delayed(before, b)) | (after > _delayed(before, -b))).any(2).any(0)
        return {
            "shift": shift,
            "total": (after - before).abs().sum((0, 2)).round().long(),
            "moved": (reference - spikes).flatten(2).clamp(min=0).sum((0, 2)).round().long(),
        }

    def verify(self, spikes: Tensor, reference: Tensor) -> None:
        """Raise ``ValueError`` unless ``spikes`` ``[T, N, …]`` are ``reference`` retimed within the budget."""
        amounts = self.amounts(spikes, reference)
        if not torch.equal(spikes, spikes.round()) or float(spikes.min()) < 0:
            raise ValueError("retiming left its budget: a spike is not whole")
        if float(spikes.max()) > float(reference.max()):
            raise ValueError(f"retiming left its budget: {spikes.max():g} spikes of a neuron share a step")
        for name, limit in self.limits.items():
            if (most := int(amounts[name].max())) > limit:
                raise ValueError(f"retiming left its budget of {self}: {name} {most}")


def _parsed(text: str) -> dict[str, int | None]:
    limits: dict[str, int | None] = {}
    for part in text.split(","):
        name, _, number = part.strip().rpartition(" ")
        known = next((key for key, words in AMOUNTS.items() if name.strip() in words), None)
        if known is None or not number.isdecimal():
            raise ValueError(f"expected a budget on time such as 'shift 2', 'B1 40' or 'shift 1, moved 20', got {text!r}")
        limits[known] = int(number)
    return limits


def _delayed(cumulative: Tensor, steps: int) -> Tensor:
    """Return ``C_{t-steps}``: 0 before the first step, all spikes after the last."""
    if steps == 0:
        return cumulative
    if steps > 0:
        first = cumulative.new_zeros(min(steps, len(cumulative)), *cumulative.shape[1:])
        return torch.cat([first, cumulative[: max(len(cumulative) - steps, 0)]])
    last = cumulative[-1:].expand(min(-steps, len(cumulative)), *cumulative.shape[1:])
    return torch.cat([cumulative[-steps:], last])


def every_train(train: tuple[int, ...], budget: TimeBudget, most: int = 1) -> list[tuple[int, ...]]:
    """Return every retiming of one neuron's train within a budget: all ways to put its spikes, at most ``most`` a step.

    >>> every_train((1, 0, 0), TimeBudget("shift 1"))
    [(1, 0, 0), (0, 1, 0)]
    """
    places = combinations_with_replacement(range(len(train)), sum(train))
    puts = [tuple(times.count(t) for t in range(len(train))) for times in places]
    puts = [put for put in puts if max(put) <= max(most, *train)]
    after = torch.tensor(puts, dtype=torch.float, device="cpu").T[..., None]
    before = torch.tensor(train, dtype=torch.float, device="cpu")[:, None, None].expand_as(after)
    amounts = budget.amounts(after, before)
    inside = torch.stack([amounts[name] <= limit for name, limit in budget.limits.items()]).all(0)
    return [put for put, fits in zip(puts, inside.tolist(), strict=True) if fits]


def best_trains(
    scores: Tensor,
    trains: Tensor,
    budget: TimeBudget,
    sample: Tensor,
    left: dict[str, Tensor],
    most: int = 1,
) -> Tensor:
    r"""Return retimed trains of highest score :math:`\sum_t g_t s'_t` within a budget.

    For one neuron and a limited shift a dynamic programme over steps and spikes so far is exact. Amounts that all neurons of
    a sample share (total, moved) get a price, found by bisection; what is then left over is spent on the moves that gain most
    for their price.

    Args:
        scores: ``g``, ``[T, M]``, of M neurons of any samples.
        trains: their spikes before, ``[T, M]``.
        budget: of which ``shift`` holds for every neuron.
        sample: to which sample each neuron belongs, ``[M]``.
        left: what these neurons may spend of ``total`` and ``moved``, ``[N]`` each, for the limited ones.
        most: spikes of a neuron in one step.

    >>> scores, trains = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [0.0], [0.0]])
    >>> best_trains(scores, trains, TimeBudget("shift 1"), torch.tensor([0]), {}).flatten()
    tensor([0., 1., 0.])
    """
    span = scores.abs().amax().clamp(min=1e-30) * 2
    still = 1e-6 * span  # a spike stays where moving it gains nothing

    def priced(price: Tensor) -> Tensor:
        prices = dict.fromkeys(left or ("moved",), still + price[sample])
        return _programme(scores, trains, budget.shift, prices, most)

    def spent(put: Tensor) -> dict[str, Tensor]:
        return {name: cost(name, put, trains) for name in left}

    free = torch.zeros(int(sample.max()) + 1 if len(sample) else 0, device=scores.device)
    cheap = priced(free)
    if not left:
        return cheap
    limits = {name: limit.to(scores.dtype) for name, limit in left.items()}

    def over(put: Tensor) -> Tensor:
        sums = {name: torch.zeros_like(limits[name]).index_add_(0, sample, of_each) for name, of_each in spent(put).items()}
        return torch.stack([sums[name] > limits[name] for name in left]).any(0)

    low = free.new_full(limits[next(iter(left))].shape, float(span) * 1e-5)
    high = torch.full_like(low, float(span))
    too_much = over(cheap)
    if not too_much.any():
        return cheap
    dear = trains.clone()
    for _ in range(HALVINGS):
        middle = torch.where(too_much, (low * high).sqrt(), torch.zeros_like(low))
        put = priced(middle)
        broke = over(put)
        low, high = torch.where(broke, middle, low), torch.where(broke, high, middle)
        cheap, dear = torch.where(broke[sample], put, cheap), torch.where(broke[sample], dear, put)
    return _filled(scores, trains, cheap, dear, sample, limits)


def cost(name: str, put: Tensor, trains: Tensor) -> Tensor:
    """Return the ``total`` shift, or the spikes ``moved``, of each neuron, ``[M]``, from trains now and before ``[T, M]``."""
    return (put.cumsum(0) - trains.cumsum(0)).abs().sum(0) if name == "total" else (trains - put).clamp(min=0).sum(0)


def _filled(
    scores: Tensor, trains: Tensor, cheap: Tensor, dear: Tensor, sample: Tensor, limits: dict[str, Tensor]
) -> Tensor:
    """Return ``dear``, with the trains of ``cheap`` that gain most for what they spend, while the budget lasts."""
    costs = {name: (cost(name, cheap, trains) - cost(name, dear, trains)).clamp(min=0) for name in limits}
    spent = {name: torch.zeros_like(limit).index_add_(0, sample, cost(name, dear, trains)) for name, limit in limits.items()}
    gain = (scores * (cheap - dear)).sum(0) / torch.stack(list(costs.values())).sum(0).clamp(min=1)
    order = gain.argsort(descending=True)
    order = order[sample[order].argsort(stable=True)]
    of_sample = sample[order]
    first = torch.searchsorted(of_sample, of_sample)
    fits = (gain > 0)[order]
    for name, limit in limits.items():
        sums = torch.cat([limit.new_zeros(1), torch.where(gain > 0, costs[name], 0)[order].double().cumsum(0)])
        fits &= (sums[1:] - sums[first]) <= (limit - spent[name])[of_sample]
    chosen = torch.zeros_like(fits).index_put_((order,), fits)
    return torch.where(chosen, cheap, dear)


def _programme(scores: Tensor, trains: Tensor, shift: int | None, prices: dict[str, Tensor], most: int) -> Tensor:
    """Return the trains of highest score less prices, by dynamic programming over steps and spikes so far."""
    steps, neurons = scores.shape
    before = trains.cumsum(0)
    number = before[-1] if len(before) else trains.new_zeros(neurons)
    count = torch.arange(int(number.max()) + 1 if neurons else 1, dtype=scores.dtype, device=scores.device)[:, None]
    value = torch.where(count == 0, 0.0, -torch.inf).expand(len(count), neurons)
    picks = torch.zeros(steps, len(count), neurons, dtype=torch.uint8, device=scores.device)
    for t in range(steps):
        best = torch.full((len(count), neurons), -torch.inf, dtype=scores.dtype, device=scores.device)
        for j in range(min(most, len(count) - 1) + 1):
            option = value[: len(count) - j] + j * scores[t]
            if "moved" in prices:
                option = option - prices["moved"] * (trains[t] - j).clamp(min=0)
            better = option > best[j:]
            picks[t, j:].masked_fill_(better, j)
            best[j:] = torch.where(better, option, best[j:])
        if "total" in prices:
            best -= prices["total"] * (count - before[t]).abs()
        if shift is not None:
            least = before[t - shift] if t >= shift else torch.zeros_like(number)
            largest = before[t + shift] if t + shift < steps else number
            best.masked_fill_((count < least) | (count > largest), -torch.inf)
        value = best
    put, at = torch.zeros_like(trains), number.long()
    for t in reversed(range(steps)):
        pick = picks[t].gather(0, at[None])[0]
        put[t] = pick.to(put.dtype)
        at = at - pick.long()
    return put
