"""The two tasks of the CIFAR-10 zoo: train one model, measure one model, by three attackers, at every exit, by two decodings.

=========== =============================================================================================================
threat      attacks
=========== =============================================================================================================
transfer    made on the ANN twin of the same seed: FGSM, PGD-20, DI-FGSM-20, MI-FGSM-20 (the paper's setting), on what a
            network still reads at a smaller ε
naive       FGSM and PGD-10 on the model itself, straight-through code, its own surrogate
adaptive    beside these, on what still stands: SA-PGD-50 with adaptive sharpness on margin, cross-entropy and DLR, with
            restarts; PGD through an ensemble of surrogates and of slopes of the relaxed code; 300 queries without gradients;
            SA-PGD-100, to see whether more steps help
=========== =============================================================================================================

At exits before the last the adaptive attacker has SA-PGD-50 on two losses and one wide surrogate, beside all images that were
made for other exits. The adaptive number is the per-sample worst case over everything that was run on a network and decoding.
A code that draws at random is read at the last exit, attacked through several draws a gradient, and not queried. Seeds after
the first are measured at the last exit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch

from snnlab import data
from snnlab.attack import ENSEMBLE, INFORMED, NAIVE, Attacker
from snnlab.convolution import fold
from snnlab.evaluation import evaluate_robustness
from snnlab.network import Classifier
from snnlab.suites import SuiteAttack
from snnlab.training import History, accuracy, train
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10.web import DECODERS
from snnlab.zoo.storage import packed, quantise
from snnlab.zoo.tasks import versions

__all__ = ["SUITE", "measure_model", "origin", "train_model"]

CHECKPOINT_EVERY = 100  # batches
#: the hash of the batches that the shipped models were trained on, and what these are
COPIES = "e98c89568c5f0854f6a4ed50d9cd1098054001f3b48e43051e6aca2b6ed63e74"
COPIED = "from JPEG copies of all 60,000 pictures: pixels differ slightly from the official files"

#: steps of a code on a grid of quarters are far apart: besides a slope that spans them, one that sees the nearest alone
SHARP = (replace(INFORMED, name="code-40", slope=40.0), replace(INFORMED, name="code-100", slope=100.0))


EOT = 3  # draws of a stochastic code a gradient; momentum averages over steps as well
BLIND, SEEING = replace(NAIVE, eot=EOT), replace(INFORMED, eot=EOT)


def _standing(name: str, description: str, method: str, steps: int, **options: Any) -> SuiteAttack:
    return SuiteAttack(name, description, method, options.pop("attacker", SEEING), steps, standing=True, **options)


def _through(seen: Attacker, aim: Literal["exit", "last"]) -> SuiteAttack:
    """A short attack through a surrogate or slope of its own."""
    told = f"PGD-10 with momentum on the margin through {seen.name}"
    own = replace(seen, eot=EOT)
    return _standing(f"ensemble.{seen.name}", told, "fixed_surrogate", 10, attacker=own, aim=aim)


SUITE: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", BLIND),
    SuiteAttack("transfer.fgsm", "FGSM made on the ANN twin", "fgsm", BLIND, transfer=True),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", BLIND, steps=20, transfer=True),
    SuiteAttack("transfer.mifgsm", "MI-FGSM-20 made on the ANN twin", "mifgsm", BLIND, steps=20, transfer=True),
    SuiteAttack("transfer.difgsm", "DI-FGSM-20 made on the ANN twin", "difgsm", BLIND, steps=20, transfer=True),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", BLIND),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", BLIND),
    _standing("sa_pgd", "SA-PGD-50 on the margin, relaxed code, surrogate of adaptive sharpness", "sa_pgd", 50),
    _standing("sa_pgd.cross_entropy", "SA-PGD-50 on the cross-entropy", "sa_pgd", 50, loss="cross_entropy"),
    _through(ENSEMBLE[0], "exit"),
    *(_through(seen, "last") for seen in (*ENSEMBLE[1:], *SHARP)),
    _standing("sa_pgd.restarts", "SA-PGD-50 on the margin, 2 other starts", "sa_pgd", 50, restarts=2, aim="last"),
    _standing("sa_pgd.dlr", "SA-PGD-50 on the DLR loss", "sa_pgd", 50, loss="dlr", aim="last"),
    _standing("square", "Square, 300 queries", "square", 300, probe="gradient_free", aim="last"),
    _standing("sa_pgd.longer", "SA-PGD-100 on the margin", "sa_pgd", 100, probe="more_steps", aim="last"),
)


def suite_for(stochastic: bool) -> tuple[SuiteAttack, ...]:
    """The attacks; a query to a stochastic code is answered by its draw as much as by the image."""
    return tuple(a for a in SUITE if not (stochastic and a.method == "square"))


def settings_sha256(name: str, seed: int) -> str:
    """Hash of everything that decides a measurement beside the weights."""
    stochastic = "poisson" in cifar10.settings(name)["encoding"]
    attacks = [repr(a) for a in suite_for(stochastic)]
    return hashlib.sha256(repr([cifar10.evaluation_settings(), attacks, seed, DECODERS]).encode()).hexdigest()


def train_model(
    name: str, seed: int, root: Path | None, scratch: Path, progress: bool = False
) -> tuple[bytes, dict[str, Any]]:
    """Train a small model, fold its batch norm and round it to what can be stored: weights and card.

    Args:
        name: of the recipe.
        seed: see ``seeds``.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
        scratch: folder for checkpoints; a training that was stopped goes on from there.
        progress: whether to show a progress bar.
    """
    pictures = data.load("cifar10", root)
    classifier, objective = cifar10.classifier_for(name), cifar10.objective_for(name)
    checkpoint = scratch / f"{name}-{cifar10.recipe_sha256(name, seed)[:8]}.checkpoint"
    history: History = train(
        classifier,
        pictures.train,
        cifar10.recipe_for(name, seed),
        objective=objective,
        validation=pictures.validation,
        checkpoint=checkpoint,
        checkpoint_every=CHECKPOINT_EVERY,
        progress=progress,
    )
    trained = _accuracies(classifier, pictures, seed)
    fold(cifar10.body(classifier))
    quantise(classifier.network)
    weights = packed(classifier.network)
    checkpoint.unlink(missing_ok=True)
    told = {
        "name": name,
        "seed": seed,
        "recipe": cifar10.settings(name),
        "recipe_sha256": cifar10.recipe_sha256(name, seed),
        "parameters": sum(p.numel() for p in classifier.network.parameters()),
        "data": {
            "name": pictures.name,
            "sha256": pictures.sha256,
            "train": len(pictures.train),
            "validation": len(pictures.validation),
            "note": COPIED if pictures.sha256 == COPIES else "the official files",
        },
        "accuracy": {"trained": trained, "stored": _accuracies(classifier, pictures, seed)},
        "history": {"loss": history.loss, "validation": history.validation},
        "training_seconds": round(history.seconds, 1),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "versions": versions(),
        "limits": "0.4 million weights, four steps, minutes of training on one core: far from the accuracy of networks of the "
        "paper's size, and an estimate of robustness on test images of CIFAR-10 alone.",
    }
    return weights, told


def _accuracies(classifier: Classifier, pictures: data.Dataset, seed: int) -> dict[str, float]:
    found = {}
    for split in ("validation", "test"):
        classifier.generator = torch.Generator().manual_seed(seed)
        found[split] = round(accuracy(classifier, getattr(pictures, split)), 4)
    return found


def measure_model(
    name: str, seed: int, own: bytes, source: bytes | None, root: Path | None, cache: Path, progress: bool = False
) -> dict[str, Any]:
    """Attack a small model and return its record: one part for each decoding.

    Args:
        name: of its recipe.
        seed: of the attacks' randomness, and of the model.
        own: the model's weights.
        source: those of the ANN of the same seed; ``None`` for that ANN itself.
        root: folder with the data set's official files; ``None``: the cache, fetched first if need be.
        cache: folder for what is unfinished.
        progress: whether to show a progress bar.
    """
    told = cifar10.evaluation_settings()
    pictures = data.load("cifar10", root)
    samples = pictures.test[slice(told["samples"])]
    victim = cifar10.restored(name, own)
    twin = cifar10.restored(told["source"], source) if source else None
    key = "eps_adversarial" if cifar10.settings(name)["rule"] == "pgd" else "eps"
    budgets = [eps / cifar10.LEVELS for eps in told[key]]

    def measured(decoder: str, exits: Sequence[int] | None) -> dict[str, Any]:
        read = victim if victim.encoder is None else Classifier(victim.network, victim.encoder, decoder).eval()
        found = evaluate_robustness(
            read,
            samples,
            budgets,
            suite_for(victim.stochastic),
            source=twin,
            exits=exits,
            seed=seed,
            cache=cache,
            progress=progress,
        )
        return found.record()  # of one seed, and so flagged; who reads several seeds knows better

    every = range(1, victim.num_steps + 1) if seed == cifar10.seeds()[0] and not victim.stochastic else None
    parts = {DECODERS[0]: measured(DECODERS[0], every)}
    if victim.encoder is not None:
        parts[DECODERS[1]] = measured(DECODERS[1], None)
    return {
        **origin(name, seed, own, pictures, len(samples)),
        **parts,
        "recipe_sha256": cifar10.recipe_sha256(name, seed),
        "settings_sha256": settings_sha256(name, seed),
    }


def origin(name: str, seed: int, own: bytes, pictures: data.Dataset, n: int) -> dict[str, Any]:
    """Of what model, which weights and which ``n`` test pictures a record tells, and with what versions it was made."""
    return {
        "model": name,
        "seed": seed,
        "dataset": "cifar10",
        "split": "test",
        "n": n,
        "weights_sha256": hashlib.sha256(own).hexdigest(),
        "data_sha256": pictures.sha256,
        "versions": versions(),
    }
