"""Rules of a local leaderboard: which records may be ranked, and how.

The board compares accuracies at the last exit within one ε after all attacks of the suite ``quick`` (longer suites contain them),
with Wilson's interval over samples. An entry is *clearly better* than another if its whole interval lies above the other's; its
rank is one more than the number of ranked entries that are clearly better. Flags that say a number is still too high cost no
rank: a rule against them would reward weaker attacks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

from snnlab.attacks import INFORMED, has_trains
from snnlab.encoding import encoder
from snnlab.evaluation.flags import FLAGS, kind_of
from snnlab.evaluation.result import WORST, Evaluation, flags_raised
from snnlab.evaluation.suites import QUICK
from snnlab.files import versions
from snnlab.networks.classifier import Classifier
from snnlab.statistics import Estimate, Record, wilson_interval

__all__ = ["DISQUALIFYING", "MIN_IMAGES", "Row", "ranked", "record_of", "refusal", "row", "verify"]

EPS = 0.1
MIN_IMAGES = 100  # with fewer, the interval is wider than the differences between codes
#: attacks that every entry needs, name to description
REQUIRED: dict[str, str] = {a.name: a.description for a in QUICK if a.attacker == INFORMED and a.method != "spike_train"}
#: attacks that entries also need whose code has spike trains to search among
SEARCH: dict[str, str] = {a.name: a.description for a in QUICK if a.method == "spike_train"}
#: flags that say the measurement is broken
DISQUALIFYING = ("zero_gradient", "not_near_chance", "stochastic_without_eot", "state_kept", "training_mode")
NEEDED = ("n", "eps", "num_steps", "exits", "correct", "silent", "attacks", "flags")
HAND_IN = "hand in a result of evaluate_robustness or record_of, or the report.json of 'snnlab evaluate'"
SINGLE_SEED = FLAGS["single_seed"]()


@dataclass(frozen=True)
class Row:
    """An entry of the board: accuracy with its interval, and a rank or the reason why there is none (``refused``).

    ``proved``: the lower end of the accuracy; ``None`` where no bound is known.
    """

    name: str
    accuracy: float
    low: float
    high: float
    clean: float
    n: int
    refused: str = ""
    flags: tuple[str, ...] = ()
    rank: int | None = None
    proved: float | None = None

    @property
    def left(self) -> str:
        """The bracket of the accuracy, and the interval of its upper end, as text."""
        upper = Estimate(self.accuracy, self.low, self.high, self.n, 1, attacked=True, proved=self.proved)
        return "—" if isnan(self.accuracy) else str(upper)


def refusal(record: Record, eps: float = EPS) -> str:
    """Return why a record gets no rank at this ε; empty if it gets one."""
    try:
        trains = has_trains(encoder(record.encoding, num_steps=record.num_steps))
    except ValueError:  # a code that is not registered
        trains = False
    required = REQUIRED | (SEARCH if trains else {})
    if weak := [name for name, description in required.items() if record.attacks.get(name) != description]:
        return f"not attacked with {', '.join(weak)} as the suite quick has it"
    images = record.dataset, record.split
    if record.about:  # ``snnlab evaluate`` writes the data set in words and uses test images
        images = record.about.get("data", "").partition(",")[0], "test"
    if (*images, record.norm) != ("mnist5k", "test", "Linf"):
        return "measured on other images or in another norm than the zoo, or it does not say so"
    if record.n < MIN_IMAGES:
        return f"only {record.n} images, at least {MIN_IMAGES} are needed"
    if eps not in record.eps:
        return f"not measured at ε = {eps:g}"
    raised = [flag for name in (WORST, *REQUIRED) for flag in record.flags.get(name, ())]
    return next((f"flag: {flag}" for flag in raised if kind_of(flag).name in DISQUALIFYING), "")


def row(name: str, record: Record, eps: float = EPS) -> Row:
    """Return a record as a row without a rank."""
    n, accuracy, interval = record.n, nan, (0.0, 1.0)
    if eps in record.eps:
        survivors = record.survivors.get(QUICK[-1].name, record.correct[WORST])[-1][record.eps.index(eps)]
        accuracy, interval = survivors / n, wilson_interval(survivors, n)
    flags = tuple(flag for flag in record.flags.get(WORST, ()) if flag != SINGLE_SEED)
    proved = record.proved(None, eps)
    share = None if proved is None else proved / n
    return Row(name, accuracy, *interval, record.accuracy(WORST), n, refusal(record, eps), flags, proved=share)


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their ranks, best first by the low end of the interval; rows without a rank come last.

    >>> a, b, c = (Row(name, x, x - 0.1, x + 0.1, 1.0, 100) for name, x in (("a", 0.8), ("b", 0.65), ("c", 0.55)))
    >>> [(row.name, row.rank) for row in ranked([c, b, a])]
    [('a', 1), ('b', 1), ('c', 2)]
    """
    eligible = [r for r in rows if not r.refused]
    result = [r if r.refused else replace(r, rank=1 + sum(other.low > r.high for other in eligible)) for r in rows]
    return sorted(result, key=lambda r: (r.rank is None, r.rank, -r.low))


def record_of(evaluation: Evaluation, model: Classifier, *, seed: int) -> Evaluation:
    """Return the evaluation of a network on test digits as a record like those of the zoo, which claims and the board read.

    Args:
        evaluation: result of ``evaluate_robustness``.
        model: the network that was evaluated.
        seed: seed of its training.
    """
    weights = b"".join(value.detach().cpu().numpy().tobytes() for value in model.network.state_dict().values())
    return replace(
        evaluation,
        dataset="mnist5k",
        split="test",
        seed=seed,
        encoding=model.encoder.title if model.encoder else "none",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        versions=versions(),
    )


def verify(given: Any) -> Record:
    """Check that a record, or the content of its file, is complete and consistent, and return it as a record.

    Raises:
        ValueError: what is missing or inconsistent, and what to hand in instead.
    """
    content = given.plain() if isinstance(given, Record) else given
    missing = [key for key in NEEDED if key not in content] if isinstance(content, Mapping) else list(NEEDED)
    if missing:
        raise ValueError(f"this {type(given).__name__} is not a report: it lacks {', '.join(missing)}; {HAND_IN}")
    try:
        record = Record.of(content).checked()
        raised = flags_raised(record)
        lost = [(flag, name) for name, flags in raised.items() for flag in flags if flag not in record.flags.get(name, [])]
    except (TypeError, AttributeError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"this is not a report: {error}; {HAND_IN}") from None
    for flag, name in lost:
        if flag != SINGLE_SEED:  # may be absent
            raise ValueError(f"the counts raise {flag!r} on {name}, which the report lacks; add it: flags are never dropped")
    return record
