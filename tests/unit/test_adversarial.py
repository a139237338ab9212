"""Adversarial training: inside the budget, leaving no trace, nothing at ε = 0, and robust where plain training is not."""

import re
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import zoo
from snnlab.attacks import Budget, attack
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.training.adversarial import METHODS, AdversarialTraining
from snnlab.training.bptt import Recipe, accuracy, train
from snnlab.training.losses import count


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _model(code: str, hidden: int = 64) -> Classifier:
    if code == "ann":
        return Classifier(MLP((784, hidden, 10)))
    code_ = encoder(code)
    return Classifier(SpikingMLP((784 * code_.channel_factor, hidden, 10)), code_)


@pytest.mark.parametrize("name", ["ann", "direct", "poisson", "onset", "offset", "latency", "phase", "fusion"])
@pytest.mark.parametrize("method", METHODS)
def test_images_stay_in_the_budget_and_move_under_every_encoder(method: str, name: str, few: Split) -> None:
    model = zoo.load(name)
    model.generator = _generator()
    shown = AdversarialTraining(method, Budget(0.1), steps=2).images(model, few.images, few.labels)
    assert (shown - few.images).abs().max() <= 0.1 + 1e-6
    assert 0 <= shown.min() <= shown.max() <= 1
    assert (shown != few.images).float().mean() > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("code", ["ann", "onset", "poisson"])
def test_without_a_budget_training_is_plain(method: str, code: str, mnist: Dataset) -> None:
    found = []
    for objective in (None, AdversarialTraining(method, Budget(0.0))):
        model = _model(code, 16)
        train(model, mnist.train[:200], Recipe(epochs=2), objective=objective, progress=False)
        found.append(list(model.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.fixture(scope="module")
def twins(mnist: Dataset) -> dict[str, tuple[Classifier, Classifier]]:
    """Three plain epochs, and the same network three plain epochs later."""
    found = {}
    for code in ("ann", "direct"):
        start = _model(code)
        train(start, mnist.train[:1500], Recipe(epochs=3), progress=False)
        plain = Classifier(deepcopy(start.network), start.encoder)
        train(plain, mnist.train[:1500], Recipe(epochs=3), warm_start=True, progress=False)
        found[code] = start, plain
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("method", "code"), [("fgsm", "direct"), ("trades", "direct"), ("fgsm", "ann"), ("pgd", "ann")])
def test_adversarial_training_raises_accuracy_under_attack(
    method: str, code: str, twins: dict[str, tuple[Classifier, Classifier]], mnist: Dataset
) -> None:
    """Three plain epochs for both; then three more, plain for one and adversarial for its twin."""
    start, plain = twins[code]
    hardened, judged = Classifier(deepcopy(start.network), start.encoder), mnist.validation
    objective = AdversarialTraining(method, Budget(0.1), steps=3, weight=1.0)
    train(hardened, mnist.train[:1500], Recipe(epochs=3), warm_start=True, objective=objective, progress=False)
    broken = [attack(m, judged.images, judged.labels, Budget(0.1), "fgsm").success.float().mean() for m in (plain, hardened)]
    assert broken[1] < broken[0] - 0.15
    assert accuracy(hardened, judged) > 0.8


def test_fgsm_images_are_the_closed_form_on_a_linear_model() -> None:
    """Logits (0, w·x): each pixel moves by ε against the sign of w, and the loss rises as far as it can."""
    weights = torch.linspace(-1, 1, 16)
    linear = nn.Linear(16, 2, bias=False)
    linear.weight.data = torch.stack([torch.zeros(16), weights])
    model = Classifier(nn.Sequential(nn.Flatten(), linear))
    images, labels = torch.full((2, 1, 4, 4), 0.5), torch.tensor([1, 0])
    best = 0.5 + 0.2 * torch.tensor([-1.0, 1.0]).view(-1, 1, 1, 1) * weights.sign().view(1, 1, 4, 4)
    for method, steps in (("fgsm", 1), ("pgd", 8)):
        shown = AdversarialTraining(method, Budget(0.2), steps=steps).images(model, images, labels)
        assert torch.allclose(shown, best, atol=1e-6)


def test_trades_is_the_loss_plus_the_weighted_divergence(few: Split) -> None:
    found = []
    for weight in (0.0, 1.0, 3.0):
        model = zoo.load("direct")
        model.generator = _generator()
        objective = AdversarialTraining("trades", Budget(0.1), steps=2, weight=weight)
        found.append(objective(model, few.images, few.labels, count))
    plain, one, three = found
    assert torch.equal(plain, count(model, few.images, few.labels))
    assert one > plain
    assert torch.allclose(three - plain, 3 * (one - plain), rtol=1e-4)
    model.generator = _generator()
    shown = objective.images(model, few.images, few.labels)
    clean, moved = model(few.images).softmax(-1), model(shown).softmax(-1)
    assert torch.allclose(one - plain, (clean * (clean / moved).log()).sum(-1).mean(), rtol=1e-4)


def test_trades_images_diverge_more_than_where_they_start(few: Split) -> None:
    model = zoo.load("direct")
    clean = model(few.images).log_softmax(-1)
    diverged = []
    for steps in (1, 10):
        model.generator = _generator()
        shown = AdversarialTraining("trades", Budget(0.1), steps=steps).images(model, few.images, few.labels)
        diverged.append(F.kl_div(model(shown).log_softmax(-1), clean, reduction="batchmean", log_target=True).item())
    assert 0 < diverged[0] < diverged[1]


class Normed(nn.Module):
    """An ANN with batch norm and dropout, which tell training from evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 10))

    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.layers(images)
        return answer


@pytest.mark.parametrize("method", METHODS)
def test_making_images_leaves_no_trace_in_the_network(method: str, few: Split) -> None:
    model = Classifier(Normed(), generator=_generator())
    model.network.train()
    model.network.layers[3].eval()  # a module that someone has frozen stays frozen
    before = deepcopy(model.network.state_dict())
    AdversarialTraining(method, Budget(0.1), steps=3).images(model, few.images, few.labels)
    after = model.network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert model.network.training
    assert not model.network.layers[3].training
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("method", ["pgd", "trades"])
def test_the_run_repeats_and_leaves_the_global_generator_alone(method: str, mnist: Dataset) -> None:
    models = [_model("poisson", 16) for _ in range(3)]
    state, found = torch.random.get_rng_state(), []
    for model, seed in zip(models, (1, 1, 2), strict=True):
        objective = AdversarialTraining(method, Budget(0.1), steps=2)
        train(model, mnist.train[:100], Recipe(epochs=1, seed=seed), objective=objective, progress=False)
        found.append(model.network.layers[0].weight)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_checkpoint_is_taken_up_by_its_own_objective_only(mnist: Dataset, tmp_path) -> None:  # type: ignore[no-untyped-def]
    def run(eps: float | None) -> None:
        objective = None if eps is None else AdversarialTraining("fgsm", Budget(eps))
        checkpoint = tmp_path / "run.checkpoint"
        train(_model("onset", 8), mnist.train[:100], Recipe(1), objective=objective, checkpoint=checkpoint, progress=False)

    run(0.1)
    run(0.1)
    for other in (0.2, None):
        with pytest.raises(ValueError, match="remove it to start anew"):
            run(other)


def test_bad_input_says_what_is_valid() -> None:
    cases = [
        (lambda: AdversarialTraining("free", Budget(0.1)), "choose one of fgsm, pgd, trades"),
        (lambda: AdversarialTraining("pgd", Budget(0.1), steps=0), "steps must be at least 1"),
        (lambda: AdversarialTraining("trades", Budget(0.1), weight=-1.0), "weight must be 0 or more"),
        (lambda: AdversarialTraining("trades", Budget(0.1), weight=float("nan")), "weight must be 0 or more"),
        (lambda: AdversarialTraining("fgsm", Budget(2.0)), "eps must lie in"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()
