"""The lines that belong beside every number: n, seeds, interval, attacks and flags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from snnlab.statistics.intervals import NO_BOUND
from snnlab.statistics.parts import LateAccuracy
from snnlab.statistics.record import Record
from snnlab.statistics.records import Repeats, over_seeds

__all__ = [
    "attack_table",
    "attacks_line",
    "broken_on_samples",
    "flags_line",
    "flags_of",
    "intervals_line",
    "lower_ends_line",
    "models_by_flag",
    "small_print",
]

#: names that a sentence lists; more are counted
FEW = 4


def intervals_line(repeats: Iterable[Sequence[Record | LateAccuracy]], drawn: str = "") -> str:
    """Return n, number of seeds and kind of interval of the records in a figure.

    Args:
        repeats: the records of all seeds of each model.
        drawn: what is drawn in place of ``over_seeds``' intervals.

    >>> intervals_line([[Record(n=500)] * 3])
    'n = 500, mean of 3 seeds, 95 % intervals over seeds (Student, at least Wilson)'
    """
    groups = list(repeats)
    n = " or ".join(f"{size:,}" for size in sorted({r.n for records in groups for r in records}))
    several = _or({len(records) for records in groups} - {1})
    over = {False: "seeds (Student, at least Wilson)", True: "samples (Wilson)"}
    intervals = drawn or "; ".join(f"95 % intervals over {over[one]}" for one in sorted({len(r) == 1 for r in groups}))
    return f"n = {n}, {f'mean of {several} seeds, ' if several else ''}{intervals}"


def lower_ends_line(repeats: Repeats, at: Iterable[tuple[int | None, float]], most: int = 3) -> str:
    """Return the lower ends of robust accuracies in a figure, in words: what is proved of each model, or ``NO_BOUND``.

    Args:
        repeats: the records of all seeds by model name.
        at: exit steps (``None``: the last) and ε > 0 that are shown.
        most: of ε and exit, how many are listed; the first.

    >>> proofs = Record(n=9, eps=[0.0, 0.1], exits=[1], correct={"proved": [[8, 3]]})
    >>> record = Record(n=9, eps=[0.0, 0.1], exits=[1], correct={"worst": [[8, 6]]}, proofs=proofs)
    >>> lower_ends_line({"a": [record], "b": [Record(n=9, eps=[0.0, 0.1], exits=[1], correct=record.correct)]}, [(None, 0.1)])
    'Lower ends (proved) at ε = 0.1: 0.33 (a). No bound known: b'
    """
    if not repeats:
        return ""
    unknown: dict[str, None] = {}
    parts = []
    for exit_step, eps in [place for place in dict.fromkeys(at) if place[1] > 0][:most]:
        groups: dict[str, list[str]] = {}
        for name, records in repeats.items():
            end = over_seeds(records, "worst", exit_step, eps) if _has(records, exit_step, eps) else None
            if end is None or end.proved is None:
                unknown[name] = None
            else:
                groups.setdefault(f"{end.proved:.2f}", []).append(name)
        where = f"ε = {eps:g}" + (f", exit {exit_step}" if exit_step else "")
        if groups:
            told = "; ".join(f"{value} ({', '.join(names)})" for value, names in sorted(groups.items(), reverse=True))
            parts.append(f"at {where}: {told}")
    proved = [f"Lower ends (proved) {', '.join(parts)}"] if parts else []
    return ". ".join([*proved, *([f"{NO_BOUND[0].upper()}{NO_BOUND[1:]}: {', '.join(unknown)}"] if unknown else [])])


def _has(records: Sequence[Record], exit_step: int | None, eps: float) -> bool:
    """Return whether every seed was attacked there."""
    return all(
        "worst" in r.correct and eps in r.eps and (exit_step is None or r.num_steps == 1 or exit_step in r.exits)
        for r in records
    )


def small_print(repeats: Repeats, attack: str = "worst") -> str:
    """Return what belongs beside every number, as Markdown: n, seeds, interval, attacks and flags.

    Args:
        repeats: the records of all seeds by model name.
        attack: whose flags are listed.
    """
    first = next(iter(repeats.values()))
    seeds = f"{len(first)} training seeds; means with 95 % intervals over seeds (Student's, or Wilson's where that is wider)"
    if len(first) == 1:
        seeds = f"training seed {first[0].seed}; 95 % intervals over digits (Wilson's)"
    flags = flags_line(models_by_flag(repeats, attack))
    attacks = attacks_line(list(repeats.values()))
    return f"n = {first[0].n:,} test digits, {seeds}. {bracket_line(repeats)} {attacks}\n\n{flags}"


def bracket_line(repeats: Repeats) -> str:
    """Return how to read a worst case that is written as a bracket, and of which models nothing is proved."""
    unknown = [name for name, records in repeats.items() if any(record.proofs is None for record in records)]
    seeds = {len(records) for name, records in repeats.items() if name not in unknown}
    method = next((r.proofs.attacks["proved"] for records in repeats.values() for r in records if r.proofs), "")
    upper = "The interval is that of the upper end."
    if not method:
        return f"A robust accuracy is an upper end: what attacks leave. {upper} {_unknown(unknown, len(repeats))}"
    lower = f"the lower end is proved, over the same digits and {_or(seeds)} seed{'s' * (seeds != {1})}"
    told = f" {_unknown(unknown, len(repeats))}" if unknown else ""
    how = f"The proof: {method.partition(';')[0]}."
    return f"A robust accuracy is a bracket: {lower}; attacks leave the upper end. {upper} {how}{told}"


def _or(numbers: Iterable[int]) -> str:
    return " or ".join(str(number) for number in sorted(numbers))


def _unknown(names: Sequence[str], of: int) -> str:
    """Return of which networks no bound is known: by name, if they are few."""
    said = f"{len(names)} of {of} networks" if len(names) > FEW else ", ".join(f"`{name}`" for name in names)
    return f"{NO_BOUND[0].upper()}{NO_BOUND[1:]}: {said}."


def attacks_line(repeats: Sequence[Sequence[Record]]) -> str:
    """Return how many attacks the worst case is over, of which suite, and a folded table of them, as Markdown.

    Args:
        repeats: the records of all seeds of each model. An attack that ran on fewer samples of one model is listed once.
    """
    first = [records[0] for records in repeats]
    texts: dict[str, list[str]] = {}
    for record in first:
        for name, text in record.attacks.items():
            if name != "worst" and text not in texts.setdefault(name, []):
                texts[name].append(text)
    # The longer text of an attack adds on how many samples it ran where another attack is the main one.
    listed = {
        name: f"{min(t, key=len)} ({max(t, key=len).rpartition(', ')[2]} where the code has spike trains)"
        if len(t) > 1
        else t[0]
        for name, t in texts.items()
    }
    suites = ", ".join(dict.fromkeys(f"`{record.suite}`" for record in first if record.suite))
    of_suite = f" of the suite {suites}" if suites else ""
    number, allowed, of_each = _number(first)
    sentences = [
        f"The worst case counts a digit as lost if {number}{of_suite} broke it.{allowed}",
        "What an attack breaks at one ε counts as broken by it at every larger one.",
        *_on_samples([record for records in repeats for record in records]),
    ]
    return f"{' '.join(sentences)}\n\n{attack_table(listed, of_each)}"


def _number(records: Sequence[Record]) -> tuple[str, str, dict[str, str]]:
    """Return how many attacks each network met, in words, and the networks by that number where they differ."""
    by_number: dict[int, list[str]] = {}
    for record in records:
        by_number.setdefault(len(record.attacks.keys() - {"worst"}), []).append(f"<code>{record.model}</code>")
    if len(by_number) == 1:
        (number,) = by_number
        return f"any of {number} attacks" if number > 1 else "the attack", "", {}
    of_each = {f"{number} attacks": ", ".join(dict.fromkeys(by_number[number])) for number in sorted(by_number)}
    return "any attack", f" Codes allow {min(by_number)} to {max(by_number)} of these attacks.", of_each


def _on_samples(records: Sequence[Record]) -> list[str]:
    """Return a sentence on attacks that ran on some of the samples only, if there were any."""
    sampled = [record for record in records if record.samples]
    if not sampled:
        return []
    most = max(sampled, key=broken_on_samples)
    numbers = _or({n for record in sampled for n in record.samples.values()})
    broke = broken_on_samples(most)
    names = ", ".join(dict.fromkeys(f"`{r.model}`" for r in sampled if broken_on_samples(r) == broke))
    many = f"at most {broke} ({names})" if broke else "none"
    return [f"Some attacks ran on the first {numbers} digits only; of those that survived the rest, they broke {many}."]


def broken_on_samples(record: Record) -> int:
    """Return how many samples only attacks on some of them broke: at the last exit, at the ε where they are most.

    A worst case over all samples would be lower by more than this: the others did not meet these attacks.

    >>> survivors = {"pgd": [[9, 7]], "square": [[9, 5]], "long": [[9, 4]]}
    >>> broken_on_samples(Record(n=9, survivors=survivors, samples={"square": 3}))
    2
    """
    rows = [(name, counts[-1]) for name, counts in record.survivors.items()]
    broken = [
        [before - after for before, after in zip(row, next_row, strict=True)]
        for (_, row), (name, next_row) in pairwise(rows)
        if name in record.samples
    ]
    return max((sum(column) for column in zip(*broken, strict=True)), default=0)


def attack_table(attacks: Mapping[str, str], of_each: Mapping[str, str] | None = None) -> str:
    """Return attacks, name to description, as a folded table in HTML.

    Args:
        attacks: description by name.
        of_each: networks by the number of attacks that they met, as HTML.

    >>> attack_table({"pgd": "PGD-10"}).count("<tr>")
    1
    """
    rows = {f"<code>{name}</code>": text for name, text in attacks.items()} | dict(of_each or {})
    return _folded("Attacks of this suite", rows)


def _folded(title: str, rows: Mapping[str, str]) -> str:
    """Return a folded table of two columns in HTML."""
    lines = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in rows.items())
    return f"<details><summary>{title}</summary><table>{lines}</table></details>"


def flags_of(records: Sequence[Record], attack: str = "worst") -> list[str]:
    """Return the flags of an attack over all seeds of a model: of each kind the one with the largest figure.

    ``"single seed"`` is left out where there are several.
    """
    kinds: dict[str, str] = {}
    for note in (note for record in records for note in record.flags.get(attack, [])):
        kind = re.split(r"\d", note)[0]
        kinds[kind] = max(kinds.get(kind, note), note, key=_figure)
    return [note for note in kinds.values() if len(records) == 1 or note != "single seed"]


def models_by_flag(repeats: Repeats, attack: str = "worst") -> dict[str, list[str]]:
    """Return every flag of an attack, as ``flags_of`` gives it, with the models that have it.

    Args:
        repeats: the records of all seeds by model name.
        attack: whose flags are listed.

    >>> models_by_flag({"direct": [Record(n=9, flags={"worst": ["silent outputs up to 2.0%"]})]})
    {'silent outputs up to 2.0%': ['direct']}
    """
    flagged: dict[str, list[str]] = {}
    for name, records in repeats.items():
        for note in flags_of(records, attack):
            flagged.setdefault(note, []).append(name)
    return flagged


def flags_line(flagged: Mapping[str, Sequence[str]]) -> str:
    r"""Return every kind of flag with its largest figure and whose it is, as Markdown; a folded table has the rest.

    Args:
        flagged: networks by flag (``models_by_flag``).

    >>> flags_line({"silent outputs up to 2.0%": ["direct"]})
    '*Flags.* Silent outputs up to 2.0% (`direct`).'
    >>> flags_line({"silent outputs up to 2.0%": ["direct"], "silent outputs up to 3.0%": ["onset"]}).split("\n")[0]
    '*Flags.* Silent outputs up to 3.0% (largest of `direct`, `onset`).'
    """
    kinds: dict[str, dict[str, Sequence[str]]] = {}
    for note, names in flagged.items():
        kinds.setdefault(re.split(r"(?<=: )|(?=\d)", note, maxsplit=1)[0], {})[note] = names  # up to a figure or colon
    sentences = []
    for notes in kinds.values():
        names = list(dict.fromkeys(name for each in notes.values() for name in each))
        whose = f"{len(names)} networks" if len(names) > FEW else ", ".join(f"`{name}`" for name in names)
        note = max(notes, key=_figure)
        sentences.append(f"{note[0].upper()}{note[1:]} ({'largest of ' if len(notes) > 1 else ''}{whose}).")
    line = f"*Flags.* {' '.join(sentences) or 'None.'}"
    if all(len(notes) == 1 and len(next(iter(notes.values()))) <= FEW for notes in kinds.values()):
        return line
    rows = {note: ", ".join(f"<code>{name}</code>" for name in names) for note, names in flagged.items()}
    return f"{line}\n\n{_folded('Flags of each network', rows)}"


def _figure(note: str) -> float:
    """Return the first number of a flag."""
    return float((re.findall(r"\d+\.?\d*", note) or [0])[0])
