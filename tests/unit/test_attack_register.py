"""Attacks as objects: one of a reader's own works wherever the package's do; the iteration; budgets as text."""

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from snnlab import zoo
from snnlab.attacks import ATTACKS, NAIVE, Budget, attack, register_attack
from snnlab.attacks.iterate import iterate
from snnlab.attacks.methods import FGSM, PGD
from snnlab.data import Split
from snnlab.evaluation.flags import FLAGS
from snnlab.evaluation.late import late_accuracy
from snnlab.evaluation.robustness import evaluate, evaluate_robustness
from snnlab.evaluation.suites import QUICK, SuiteAttack
from snnlab.networks.classifier import Classifier

EPS = [0.0, 0.2]
NOISE = QUICK[0]


def darken(
    classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: torch.Generator | None
) -> Tensor:
    return budget.project(images - budget.eps, images)


@dataclass(frozen=True)
class Backwards(FGSM):
    """FGSM downhill: one overridden method."""

    name: ClassVar[str] = "backwards"
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    def perturb(
        self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: torch.Generator | None
    ) -> Tensor:
        up = super().perturb(classifier, images, labels, budget, generator)
        return budget.project(2 * images - up, images)


@pytest.mark.parametrize("method", ["darken", darken])
def test_a_function_is_an_attack_of_a_suite(method: str, few: Split) -> None:
    register_attack(darken)
    model, ten = zoo.load("onset"), few[:10]
    found = evaluate_robustness(model, ten, EPS, [SuiteAttack("mine", "darker by ε", method)], progress=False)
    clean, dark = (model.predict(x)[-1] == ten.labels for x in (ten.images, (ten.images - 0.2).clamp(min=0)))
    assert found.correct["mine"] == [[int(clean.sum()), int((clean & dark).sum())]]
    assert found.correct["worst"] == found.correct["mine"]
    assert found.attacks["mine"] == "darker by ε"


def test_a_registered_function_is_known_to_attack_and_to_late_perturbations(few: Split) -> None:
    register_attack(darken, "dusk")
    model, ten = zoo.load("onset"), few[:10]
    result = attack(model, ten, Budget(0.2), "dusk")
    assert torch.equal(result.images, (ten.images - 0.2).clamp(min=0))
    assert late_accuracy(model, ten, 0.2, [0], "dusk", exits=[8]).accuracy(0, 8) <= result.accuracy


def test_a_subclass_overrides_one_method_and_runs_only_in_its_norms(few: Split) -> None:
    register_attack(Backwards)
    model, ten = zoo.load("direct"), few[:10]
    up, down = (attack(model, ten, Budget(0.02), method, NAIVE).images - ten.images for method in ("fgsm", "backwards"))
    inside = (ten.images > 0.02) & (ten.images < 0.98)
    torch.testing.assert_close(up[inside], -down[inside])
    suite = [NOISE, SuiteAttack("mine", "downhill", "backwards", NAIVE)]
    for norm, ran in (("Linf", {"noise", "mine", "worst"}), ("L2", {"noise", "worst"})):
        assert set(evaluate(model, ten, [Budget(0.0, norm), Budget(0.5, norm)], suite=suite, progress=False).correct) == ran


def test_an_attack_that_noise_beats_is_flagged_whatever_its_name(few: Split) -> None:
    def idle(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: object) -> Tensor:
        return images

    suite = [NOISE, SuiteAttack("mine", "nothing", idle), SuiteAttack("twin", "nothing", idle, transfer=True)]
    model = zoo.load("latency")
    flags = evaluate(model, few, [0.0, 0.5], suite=suite, exits=[8], source=model, progress=False).flags
    assert FLAGS["noise_beats"]() in flags["mine"]
    assert FLAGS["noise_beats"]() not in flags["twin"]


def test_a_cache_knows_a_function_by_its_source(few: Split, tmp_path: Path) -> None:
    def first(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: object) -> Tensor:
        return budget.project(images - budget.eps, images)

    def second(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: object) -> Tensor:
        return budget.project(images + budget.eps, images)

    for number, function in enumerate((first, first, second)):
        register_attack(function, "mine")
        suite = [SuiteAttack("mine", "my attack", "mine")]
        evaluate(zoo.load("onset"), few[:5], EPS, suite=suite, exits=[8], cache=tmp_path, progress=False)
        assert len(list(tmp_path.glob("*.pt"))) == (1, 1, 2)[number]


def test_a_cache_knows_a_class_by_its_settings_and_the_source_of_its_methods() -> None:
    class Other(Backwards):
        def perturb(self, *given: object) -> Tensor:  # type: ignore[override]
            raise NotImplementedError

    Other.__qualname__ = Backwards.__qualname__
    assert repr(Other()) == repr(Backwards())
    assert Other().identity != Backwards().identity
    assert PGD(steps=3).identity == "PGD(steps=3, random_start=True)" != PGD(steps=4).identity


def test_what_an_attack_returns_is_verified(few: Split) -> None:
    def too_far(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: object) -> Tensor:
        return (images + 2 * budget.eps).clamp(max=1)

    with pytest.raises(ValueError, match="left its budget"):
        attack(zoo.load("onset"), few[:5], Budget(0.1), register_attack(too_far).__name__)


def test_bad_registrations_and_settings_say_what_is_valid(few: Split) -> None:
    model = zoo.load("onset")
    with pytest.raises(ValueError, match="'pgd' is taken by an attack of this package"):
        register_attack(darken, "pgd")
    with pytest.raises(TypeError, match="expected an Attack or a function"):
        register_attack(3)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="unknown attack 'magic'; choose one of none, noise, fgsm, pgd"):
        SuiteAttack("mine", "", "magic")
    with pytest.raises(ValueError, match="aims at one exit"):
        SuiteAttack("mine", "", "pgd", aim="joint")
    with pytest.raises(TypeError, match="no attack has the settings step; 'pgd' has steps, random_start"):
        attack(model, few, Budget(0.1), step=3)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        PGD(steps=0)


def test_every_registered_attack_stays_inside_its_budget_where_it_suits(few: Split) -> None:
    model, four = zoo.load("latency"), few[:4]
    for name, found in ATTACKS.items():
        assert found.suits(model)
        result = attack(model, four, Budget(0.1), name, steps=3, generator=torch.Generator().manual_seed(0))
        result.budget.verify(result.images, four.images)
        assert result.accuracy == pytest.approx(1 - float(result.success.float().mean()))


def test_attack_takes_a_split_or_images_and_labels(few: Split) -> None:
    model, ten = zoo.load("onset"), few[:10]
    together = attack(model, ten, Budget(0.1), "fgsm", NAIVE)
    apart = attack(model, ten.images, ten.labels, Budget(0.1), "fgsm", NAIVE)
    assert torch.equal(together.images, apart.images)
    assert torch.equal(together.success, apart.success)


@pytest.mark.parametrize(
    ("text", "eps", "norm"),
    [
        ("8/255", 8 / 255, "Linf"),
        ("0.1", 0.1, "Linf"),
        ("Linf 8/255", 8 / 255, "Linf"),
        ("L∞ 0.1", 0.1, "Linf"),
        ("L2 1.5", 1.5, "L2"),
    ],
)
def test_a_budget_can_be_written_as_text(text: str, eps: float, norm: str) -> None:
    assert Budget(text) == Budget(eps, norm)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "such as '8/255'"),
        ("8/0", "such as '8/255'"),
        ("eight", "such as '8/255'"),
        ("L2 on 1", "such as '8/255'"),
        ("L7 1", "unknown norm 'L7'"),
        ("2", "eps must lie in"),
        ("nan", "eps must lie in"),
    ],
)
def test_a_text_that_is_not_a_budget_says_what_one_is(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Budget(text)


def test_the_iteration_projects_every_step_and_ends_with_its_gradient() -> None:
    seen: list[float] = []

    def record(x: Tensor, gradient: Tensor) -> Tensor:
        seen.append(float(x))
        return x

    def gradient(x: Tensor) -> Tensor | None:
        return None if float(x) >= 0.5 else torch.ones(1)

    def run(project: float) -> float:
        seen.clear()
        return float(iterate(torch.zeros(1), gradient, lambda x, g: x + 0.2 * g, lambda x: x.clamp(max=project), 10, record))

    assert run(1.0) == pytest.approx(0.6)
    assert seen == pytest.approx([0.2, 0.4, 0.6])
    assert run(0.3) == pytest.approx(0.3)
    assert len(seen) == 10


@pytest.mark.parametrize("package", ["snnlab.attacks", "snnlab.evaluation"])
def test_no_name_hides_a_module(package: str) -> None:
    found = import_module(package)
    for module in pkgutil.iter_modules(found.__path__):
        import_module(f"{package}.{module.name}")
        assert isinstance(getattr(found, module.name), ModuleType), module.name
