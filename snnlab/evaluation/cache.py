"""The cache of an evaluation: results of jobs in a folder, from which a stopped evaluation resumes.

A file is named by a hash of modules, constants, weights and buffers of the network, of data, attack, budgets, seed and versions.
Clear the folder after a change of what ``forward`` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from snnlab.evaluation.runner import Job, JobResult, Run
from snnlab.files import replacing
from snnlab.networks.classifier import Classifier, bytes_of, constants

__all__ = ["JobCache"]


class JobCache:
    """Store results of the jobs of ``run`` in a folder, which evaluations may share."""

    def __init__(self, folder: Path, run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.run = folder, run
        networks = [_described(run.classifier), _described(run.source) if run.source else ""]
        versions = [version("snnlab"), torch.__version__]
        settings = [run.budgets, run.rules, run.exits, run.seed, run.batch_size, *([run.draws] if run.draws > 1 else [])]
        shared = repr(networks + settings + versions).encode()
        self._shared = _hash(shared, *map(bytes_of, (run.split.images, run.split.labels)))

    def __call__(self, job: Job, broken: Tensor | None) -> JobResult:
        """Return the result of a job: read it, or make and store it."""
        settings = {field.name: getattr(job.attack, field.name) for field in fields(job.attack)}
        identity = repr((job.exit_step, job.rule, settings | {"method": job.attack.attack.identity}))
        mask = b"" if broken is None else bytes_of(broken)
        path = self.folder / f"{_hash(self._shared.encode(), identity.encode(), mask)}.pt"
        if path.exists():
            stored: JobResult = torch.load(path, weights_only=True)
            return stored
        result = self.run(job, broken)
        with replacing(path) as unfinished:
            torch.save(result, unfinished)
        return result


def _described(classifier: Classifier) -> str:
    weights = _hash(*(name.encode() + bytes_of(value) for name, value in classifier.network.state_dict().items()))
    return repr((constants(classifier.network), classifier.encoder, classifier.decoder, classifier.levels, weights))


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
