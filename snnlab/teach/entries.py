"""Entries of a local leaderboard: what ``evaluate_robustness`` found out about a network, as a JSON file in a reader's folder.

``record_of`` puts beside the counts what they were measured on, ``submit`` writes an entry, ``entries`` reads them all. A file
that is cut short, altered, or has lost a flag is refused. This finds accidents, not forgers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from snnlab import zoo
from snnlab.evaluation import WORST, Evaluation
from snnlab.flags import FLAGS
from snnlab.network import Classifier
from snnlab.zoo.tasks import versions

__all__ = ["entries", "record_of", "submit", "verify"]

Record = Mapping[str, Any]

NEEDED = ("n", "eps", "num_steps", "exits", "correct", "silent", "attacks", "flags")
HAND_IN = "hand in what evaluate_robustness or record_of gives, or the report.json of 'snnlab evaluate'"


def record_of(
    found: Evaluation, model: Classifier, *, seed: int, dataset: str = "mnist5k", split: str = "test"
) -> dict[str, Any]:
    """What an evaluation found, with what it was measured on: as the zoo keeps it, and as claims and the board read it.

    Args:
        found: what ``evaluate_robustness`` gave.
        model: the network that it was given.
        seed: of its training.
        dataset, split: where the images are from.
    """
    weights = b"".join(value.detach().cpu().numpy().tobytes() for value in model.network.state_dict().values())
    about = {
        "dataset": dataset,
        "split": split,
        "seed": seed,
        "encoding": model.encoder.title if model.encoder else "none",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "versions": versions(),
    }
    return about | found.record()


def submit(name: str, found: Evaluation | Record, folder: str | Path) -> Path:
    """Enter a network: write its record into a folder, and return the file.

    Args:
        name: what it is called on the board: up to 40 letters, digits, blanks and ``.+-``.
        found: what ``record_of`` or ``evaluate_robustness`` gave, or the content of a ``report.json``.
        folder: of the reader's entries; made if it is not there.

    Raises:
        ValueError: a name that is taken or cannot be one, something that is no report, a folder that cannot be written to.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .+-]{0,39}", name):
        raise ValueError(
            f"a name has 1 to 40 letters, digits, blanks, '.', '+' or '-', a letter or digit first, got {name!r}"
        )
    record = found.record() if isinstance(found, Evaluation) else found
    verify(record)
    folder = Path(folder)
    path = (folder / re.sub(r"\W+", "-", name.casefold())).with_suffix(".json")
    if name.casefold() in map(str.casefold, (*zoo.names(), *entries(folder))) or path.exists():
        raise ValueError(f"the name {name!r} is taken; choose another, or remove the file of the entry that has it")
    content = {"name": name, "record": json.loads(json.dumps(record))}
    text = json.dumps(content | {"sha256": _digest(content)}, indent=1, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    except OSError as error:
        raise ValueError(f"cannot write {path.name} into {str(folder)!r}: {error.strerror}; name another folder") from None
    return path


def entries(folder: str | Path) -> dict[str, dict[str, Any]]:
    """The records of a folder by name; of a folder that is not there, none.

    Raises:
        ValueError: a file that is cut short, altered or no entry; two entries of one name.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(Path(folder).glob("*.json")):
        name, record = _read(path)
        if name.casefold() in map(str.casefold, found):
            raise ValueError(f"{path.name} holds a second entry called {name!r}; remove one of the two files")
        found[name] = record
    return found


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    again = "remove it and submit the network again"
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:  # bad JSON, or bytes that are no text
        raise ValueError(f"{path.name} is cut short, or no JSON ({error}); {again}") from None
    if not isinstance(content, dict) or set(content) != {"name", "record", "sha256"}:
        raise ValueError(f"{path.name} is no entry: it needs name, record and sha256; {again}")
    if _digest({key: content[key] for key in ("name", "record")}) != content["sha256"]:
        raise ValueError(f"{path.name} was altered after it was submitted; {again}")
    try:
        verify(content["record"])
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return str(content["name"]), content["record"]


def _digest(content: Record) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def verify(record: Any) -> None:
    """Raise unless this is a report of ``evaluate_robustness`` whose counts and flags go together.

    Raises:
        ValueError: what is missing or does not fit, and what to hand in instead.
    """
    missing = [key for key in NEEDED if key not in record] if isinstance(record, Mapping) else list(NEEDED)
    if missing:
        raise ValueError(f"this {type(record).__name__} is no report: it lacks {', '.join(missing)}; {HAND_IN}")
    try:
        _check_counts(record)
        lost = _lost_flags(record)
    except (TypeError, AttributeError, KeyError, IndexError) as error:
        raise ValueError(f"this is no report: its parts are not what they should be ({error}); {HAND_IN}") from None
    if lost:
        raise ValueError(f"its counts raise a flag that the report does not: {lost[0]}; flags are never dropped")


def _check_counts(record: Record) -> None:
    """Whole numbers ``[exit][ε]`` from 0 to n, and no attack that leaves fewer than the worst case."""
    n, eps, exits, correct = (record[key] for key in ("n", "eps", "exits", "correct"))
    if n < 1 or not eps or eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
        raise ValueError(f"a report has at least one image and ε rising from 0, got n = {n} and ε = {eps}; {HAND_IN}")
    if WORST not in correct:
        raise ValueError(f"this report has no worst case, only {', '.join(correct) or 'nothing'}; {HAND_IN}")
    counted = {**record.get("left", {}), **correct}
    for name, counts in counted.items():
        if [len(row) for row in counts] != [len(eps)] * len(exits) or not all(0 <= c <= n for row in counts for c in row):
            raise ValueError(
                f"the counts of {name!r} are not {len(exits)} exits × {len(eps)} ε, at most {n} each; {HAND_IN}"
            )
    for name, counts in counted.items():
        pairs = [pair for rows in zip(correct[WORST], counts, strict=True) for pair in zip(*rows, strict=True)]
        if any(worst > count for worst, count in pairs):
            raise ValueError(f"the worst case lies above {name!r}, which is one of its attacks; {HAND_IN}")


def _lost_flags(record: Record) -> list[str]:
    """The flags that the counts raise and the report does not have (of several seeds, it need not say "single seed")."""
    known = {f.name for f in fields(Evaluation)} - {"standing"}
    raised = Evaluation(**{key: record[key] for key in known if key in record}).flags()
    single = FLAGS["single_seed"]()
    return [
        f"{sentence!r} on {name}"
        for name, sentences in raised.items()
        for sentence in sentences
        if sentence != single and sentence not in record["flags"].get(name, [])
    ]
