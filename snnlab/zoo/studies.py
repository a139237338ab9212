"""Studies: what is measured of some models at the first seed, in files beside their results.

=========== ==========================================================================================================
``saved``   survivors of an image attack *unsaved*, *saved* as files of 256 grey levels, and of an attack that *knows* of the
            rounding (straight through in the backward pass)
``draws``   stochastic codes, attacked with few and many draws a gradient, answered by ``READ`` fresh draws; ``ann-poisson`` is a
            network without spikes that reads the same draws
``trains``  step codes: survivors of attacks on the *images*, of a search among the spike *trains*, and of *both*
=========== ==========================================================================================================

Each ε is attacked for itself, at the last exit, with the randomness of one seed for every ``BATCH`` pictures. Beside them
``VOTED``: random codes under a suite, judged by *one* draw and by the *majority* of ``VOTERS`` draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data
from snnlab.attacks import INFORMED, Budget, sa_pgd_attack, spike_train_attack
from snnlab.data import Split
from snnlab.evaluation.robustness import WORST, evaluate_robustness
from snnlab.evaluation.suites import SUITES
from snnlab.networks.classifier import Classifier
from snnlab.zoo.adaptive import EOT
from snnlab.zoo.measure import provenance
from snnlab.zoo.registry import DATASET, ModelRecipe, recipe, recipes
from snnlab.zoo.storage import MODELS, Trained, read_json

__all__ = ["DRAWS", "STUDIES", "VOTED", "Study"]

LOSSES, STEPS, BATCH = ("margin", "cross_entropy"), 50, 100
LEVELS = 256  # of saved pictures
RESTARTS = 2  # of the search among spike trains
DRAWS = {"few": EOT, "many": 10}  # draws a gradient of the two attackers
READ = 40  # draws that answer a picture
VOTERS, VOTE_SUITE = 20, "quick"


@dataclass(frozen=True)
class Study:
    """What is measured, and where its records are.

    Args:
        name: of its table in a recipe file, and of the file with a model's record.
        counts: keys of a record that are counted.
        constants: what decides a record beside weights and settings.
        measured: returns counts and their description, from a classifier, samples, radii in pixel units and a seed.
        every_seed: whether networks of all seeds are measured, not the first alone.
    """

    name: str
    counts: tuple[str, ...]
    constants: tuple[Any, ...]
    measured: Callable[[Classifier, Split, list[float], int], dict[str, Any]]
    every_seed: bool = False

    @property
    def file(self) -> str:
        """The file of a model's record."""
        return f"{self.name}.json"

    def models(self, dataset: str) -> list[str]:
        """Return the models that it measures, in the order of the recipe file."""
        return list(next(iter(recipes(dataset=dataset).values())).studies[self.name]["models"])

    def wanted(self, of: ModelRecipe) -> bool:
        """Return whether it is measured of a model at a seed."""
        measured = self.name in of["studies"] and (of.first or self.every_seed)
        return measured and of.name in of.studies[self.name]["models"]

    def settings_sha256(self, of: ModelRecipe) -> str:
        """Return a hash of what decides a record beside the weights."""
        settings = dict(of.studies[self.name])
        if self.name == "draws" or self.every_seed:  # which other models have a record decides nothing
            del settings["models"]
        return hashlib.sha256(repr([settings, *self.constants]).encode()).hexdigest()

    def record(self, name: str, folder: Path = MODELS, *, dataset: str = DATASET, seed: int | None = None) -> dict[str, Any]:
        """Return the record of a model at a seed, by default the first.

        Raises:
            ValueError: unknown name or seed; a file that is missing, altered, or belongs to other settings.
        """
        of = recipe(name, dataset)
        if seed is not None and seed not in of.evaluation["seeds"]:
            raise ValueError(f"unknown seed {seed!r}; choose one of {', '.join(map(str, of.evaluation['seeds']))}")
        of = of if seed is None else of.at_seed(seed)
        content = read_json(of, self.file, folder, {"eps", "n", "weights_sha256", "settings_sha256"})
        if content["settings_sha256"] != self.settings_sha256(of):
            raise ValueError(f"{self.file} of {name!r} belongs to other settings; run 'snnlab zoo build {of.path}'")
        return content

    def measure(self, of: ModelRecipe, trained: Trained, root: Path | None = None) -> dict[str, Any]:
        """Measure a trained model and return its record."""
        settings, dataset = of.studies[self.name], data.load(of["dataset"], root)
        samples = dataset.test[slice(settings["samples"])]
        radii = [eps / of.dataset.eps_unit for eps in settings["eps"]]
        return {
            **provenance(of, trained, dataset),
            **({} if of.stored else {"recipe_sha256": of.sha256}),
            "n": len(samples),
            "eps": radii,
            **self.measured(trained.classifier(of), samples, radii, of["seed"]),
            "settings_sha256": self.settings_sha256(of),
        }


def _saved(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    from_files = Classifier(victim.network, victim.encoder, victim.decoder, levels=LEVELS).eval()

    def left(batch: Split, eps: float) -> dict[str, Tensor]:
        def attacked(classifier: Classifier) -> list[Tensor]:
            at, generator = (classifier, batch.images, batch.labels, Budget(eps)), torch.Generator().manual_seed(seed)
            options: dict[str, Any] = {"steps": STEPS, "generator": generator}
            return [sa_pgd_attack(*at, INFORMED, loss=loss, **options).images for loss in LOSSES]

        def right(classifier: Classifier, images: Sequence[Tensor]) -> Tensor:
            return torch.stack([_right(classifier, x, batch.labels) for x in images]).all(0)

        pictures = attacked(victim)
        saved = right(from_files, pictures)
        return {"unsaved": right(victim, pictures), "saved": saved, "known": saved & right(from_files, attacked(from_files))}

    attack = f"SA-PGD-{STEPS} on the margin and on the cross-entropy, relaxed code, surrogate of adaptive sharpness"
    return {"attack": attack, "levels": LEVELS, "correct": _counted(samples, radii, left)}


def _trains(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    def left(batch: Split, eps: float) -> dict[str, Tensor]:
        generator, images, trains = torch.Generator().manual_seed(seed), [], []
        options: dict[str, Any] = {"steps": STEPS, "generator": generator}
        for loss in LOSSES:
            at = (victim, batch.images, batch.labels, Budget(eps))
            images.append(~sa_pgd_attack(*at, INFORMED, loss=loss, **options).success)
            trains.append(~spike_train_attack(*at, loss=loss, restarts=RESTARTS, **options).success)
        after = {"images": images, "trains": trains, "both": images + trains}
        return {count: torch.stack(masks).all(0) for count, masks in after.items()}

    attack = (
        f"SA-PGD-{STEPS} on the image and {STEPS} steps of the search among spike trains ({RESTARTS} restarts), "
        "each on the margin and on the cross-entropy, surrogate of adaptive sharpness"
    )
    return {"attack": attack, "correct": _counted(samples, radii, left)}


def _draws(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    """Count right answers over draws; a network without a stochastic code has one answer, and is attacked once."""
    draws = DRAWS if victim.stochastic else {"few": 1}

    def attacked(eps: float, eot: int) -> Tensor:
        images = []
        for start in range(0, len(samples), BATCH):
            batch = samples[start : start + BATCH]
            victim.generator = torch.Generator().manual_seed(seed + start)
            attacker = replace(INFORMED, eot=eot)
            options: dict[str, Any] = {"steps": STEPS, "generator": victim.generator}
            images.append(sa_pgd_attack(victim, batch.images, batch.labels, Budget(eps), attacker, **options).images)
        return torch.cat(images)

    def mean_right(images: Tensor) -> float:
        victim.generator = torch.Generator().manual_seed(seed + 10_000)  # draws that no attack has seen
        return sum(int(_right(victim, images, samples.labels).sum()) for _ in range(READ)) / READ

    return {
        "attack": f"SA-PGD-{STEPS} on the margin, relaxed code, surrogate of adaptive sharpness",
        "draws": draws,
        "read": READ,
        "clean": mean_right(samples.images),
        "right": {count: [mean_right(attacked(eps, eot)) for eps in radii] for count, eot in draws.items()},
    }


def _voted(victim: Classifier, samples: Split, radii: list[float], seed: int) -> dict[str, Any]:
    judged = {
        count: evaluate_robustness(victim, samples, radii, VOTE_SUITE, seed=seed, draws=draws, progress=False)
        for count, draws in (("one", 1), ("majority", VOTERS))
    }
    attacks = {name: words for name, words in judged["one"].attacks.items() if name != WORST}
    return {
        "suite": VOTE_SUITE,
        "attacks": attacks,
        "draws": VOTERS,
        "correct": {count: found.correct[WORST][-1] for count, found in judged.items()},
    }


def _right(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return whether each image is read correctly at the last exit, ``[N]``."""
    return classifier.predict(images)[-1] == labels


def _counted(
    samples: Split, radii: Sequence[float], left: Callable[[Split, float], dict[str, Tensor]]
) -> dict[str, list[int]]:
    """Return how many samples are right at each ε, by count; ``left`` returns which of a batch are."""
    correct: dict[str, list[int]] = {}
    for column, eps in enumerate(radii):
        for start in range(0, len(samples), BATCH):
            for count, mask in left(samples[start : start + BATCH], eps).items():
                counts = correct.setdefault(count, [0] * len(radii))
                counts[column] += int(mask.sum())
    return correct


#: saved pictures, draws of stochastic codes, searches among spike trains
STUDIES: tuple[Study, ...] = (
    Study("saved", ("unsaved", "saved", "known"), (LOSSES, STEPS, LEVELS, BATCH, INFORMED), _saved),
    Study("draws", ("clean", "right"), (DRAWS, READ, STEPS, BATCH, INFORMED), _draws),
    Study("trains", ("images", "trains", "both"), (LOSSES, STEPS, RESTARTS, BATCH, INFORMED), _trains),
)

#: of random codes, one draw or the majority of several judges the images of a suite
VOTED = Study("voted", ("one", "majority"), (VOTERS, SUITES[VOTE_SUITE]), _voted)
