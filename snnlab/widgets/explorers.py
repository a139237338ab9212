"""The explorers: what each shows, and its picture for where no script runs. Their settings are in ``settings.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import torch
import traitlets
from torch import Tensor, nn

from snnlab import zoo
from snnlab.attacks import Budget, has_trains
from snnlab.attacks.event_changes import EventBudget, event_attack, event_noise
from snnlab.attacks.retiming import Method, retiming_attack
from snnlab.attacks.time_budget import TimeBudget
from snnlab.attacks.trajectory import STEPS, VARIANTS, AttackTrajectory, attack_trajectory, predicted_class
from snnlab.data.cifar10 import CLASSES
from snnlab.data.event_camera import NUM_STEPS, EventCamera, saccades, spike_frames
from snnlab.encoding import Encoder, Fusion, encoder
from snnlab.evaluation.retiming import STEPS as STEPS_IN_TIME
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.early_exit import ExitRule, exit_steps
from snnlab.networks.energy import energy
from snnlab.networks.faults import faulty
from snnlab.networks.sequence import Reset, lif
from snnlab.networks.surrogate import Surrogate
from snnlab.plotting.figures import neuron
from snnlab.plotting.theme import NotebookFigure
from snnlab.statistics import Record
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets import fallback, page
from snnlab.widgets.compute import Request, frame
from snnlab.widgets.sources import Models, OwnModels, PictureModels, fused_names, trained, zoo_or_own
from snnlab.widgets.traits import Explorer, setting
from snnlab.zoo import export, results_table
from snnlab.zoo.everyday import EVERYDAY
from snnlab.zoo.retiming import RETIMING

__all__ = [
    "AttackExplorer",
    "EncoderExplorer",
    "EnergyExplorer",
    "EventExplorer",
    "ExitExplorer",
    "FaultExplorer",
    "FusionExplorer",
    "NeuronExplorer",
    "PaintExplorer",
    "PictureExplorer",
    "PlaygroundExplorer",
    "ResultsExplorer",
    "RetimingExplorer",
    "RobustnessExplorer",
    "TrainingExplorer",
]

#: codes that the playground learns
LEARNED = (*(name for name in VOCABULARY.side_by_side["codes"] if name != "poisson" and "(" not in name), "binary")
#: codes whose table can be painted: spikes of one worth, few levels
PAINTED = tuple(name for name in LEARNED if name not in ("direct", "phase"))


#: the setting ``moved`` that limits nothing
ANY_NUMBER = 100


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class _Codes(tuple[str, ...]):
    """Names of codes, and every table that is written out."""

    __slots__ = ()

    def __contains__(self, code: object) -> bool:
        if not (isinstance(code, str) and code.startswith("table(")):
            return super().__contains__(code)
        with suppress(ValueError):
            return bool(encoder(code, num_steps=_steps_of(code, 0)).num_steps)
        return False


def _steps_of(code: str, num_steps: int) -> int:
    """Return the steps of a table that is written out, and ``num_steps`` for any other code."""
    return len(code.partition("rows=")[2].partition(" ")[0].strip(") ")) if code.startswith("table(") else num_steps


class _ModelExplorer(Explorer):
    #: state unless it is given
    start: ClassVar[dict[str, Any]]
    #: whether it shows networks of several steps only
    needs_steps: ClassVar[bool] = False

    def __init__(
        self,
        model: nn.Module | None = None,
        images: Any = None,
        labels: Any = None,
        *,
        num_steps: int | None = None,
        decoder: str = "rate",
        population: int = 1,
        **state: Any,
    ) -> None:
        self._models = zoo_or_own(self._offered(model), model, images, labels, num_steps, decoder, population)
        if self.needs_steps and all(self._models.classifier(name).encoder is None for name in self._models.names[:1]):
            raise ValueError("an ANN has no steps to leave early; give a network that runs over several steps")
        if self._models.about and not isinstance(model, Classifier):
            print(f"{type(model).__name__} {self._models.about}")
        start = dict(self.start)
        if start["encoding"] not in self._models.names:
            start["encoding"] = self._models.names[0]
        if "exit_step" in self._settings():
            start["exit_step"] = self._models.num_steps
        super().__init__(**start | state)

    @staticmethod
    def _offered(model: Any) -> list[str]:
        """Return the models of the zoo to choose from; refuse a model that the explorer cannot show."""
        return zoo.names("codes")

    def request(self) -> Request:
        """Return the present state as a request to ``snnlab.widgets.compute.frame``."""
        return self._asked(self.encoding)

    def result(self) -> Any:
        """Return what the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self.request())

    def _still(self) -> NotebookFigure:
        return fallback.network_still(self.result(), self.request())


class RobustnessExplorer(_ModelExplorer):
    """Turn code, budget, attack and exit step of a trained network, and see spikes, votes and accuracy answer.

    Args:
        model: a ``Classifier``, or any ``nn.Module`` of a form that ``Classifier.of`` recognises; what it was taken for is
            printed. Default: the models of the zoo.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        num_steps: ``T`` of the codes fed to your model; default 8, or the number of steps that it runs inside.
        decoder: how your model's output is read.
        population: neighbouring outputs of your model that stand for one class.
        state: initial ``image, encoding, attack, attacker, eps, exit_step``; ``target``, the class that the attack moves towards
            (-1: any wrong one); ``curve``, ``"worst"`` or ``"own"`` (attack).

    Raises:
        ValueError: a model without images and labels, images or labels that are none, a model of wrong output shape.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    kind = "robustness"
    digits = ("digits/test",)
    start: ClassVar = {"encoding": "onset"}


class ExitExplorer(_ModelExplorer):
    """Leave early: drag the exit, or leave it to a rule. When does ε arrive, and what does leaving before it cost?

    Arguments and errors are those of ``RobustnessExplorer``, for networks that spike. Its state has ``from_step``, the first
    perturbed step, and ``rule`` (``fixed`` or one of ``snnlab.networks.early_exit.EXIT_RULES``) with its ``threshold``.
    """

    kind = "exit"
    digits = ("digits/test",)
    needs_steps: ClassVar[bool] = True
    start: ClassVar = {"encoding": "latency"}

    @staticmethod
    def _offered(model: Any) -> list[str]:
        return [name for name in zoo.names("codes", "exit") if name != "ann"]

    def request(self) -> Request:
        """Return the present state as a request; under a rule the attack aims at the exit at which the clean image leaves."""
        asked = super().request()
        if self.rule == "fixed":
            return asked
        clean = frame(self._models.classifier(self.encoding), replace(asked, attack="none"))
        return replace(asked, exit_step=self.leaves(clean))

    def leaves(self, shown: Mapping[str, Any]) -> int:
        """Return the step at which what a frame shows leaves: the attacked image, or the clean one."""
        if self.rule == "fixed":
            return int(self.exit_step)
        side = shown["attacked"] or shown["clean"]
        votes = torch.as_tensor(side["votes"]).view(len(side["predictions"]), 1, -1)
        return int(exit_steps(votes, ExitRule(self.rule, None if self.rule == "first_spike" else self.threshold)))

    def _still(self) -> NotebookFigure:
        shown = self.result()
        code = self._models.classifier(self.encoding).encoder
        reach = None if code is None else first_reach(code, self.eps, self.from_step)
        acts = "never" if reach is None else f"only after {reach} steps" if reach else "from the first step on"
        also = f"; ε = {self.eps:g} acts on black pixels {acts}"
        return fallback.network_still(shown, self.request(), self.leaves(shown), also)


class FusionExplorer(_ModelExplorer):
    """Codes side by side in one network: mix them, turn the gate, silence a part, and see where that puts the network.

    Arguments and errors are those of ``RobustnessExplorer``; a model of your own is a ``Classifier`` with a fused code. Its
    state has ``silenced``, the index of a part (-1: none), and no exit.
    """

    kind = "fusion"
    start: ClassVar = {"encoding": "fusion"}

    @staticmethod
    def _offered(model: Any) -> list[str]:
        if model is not None and not isinstance(getattr(model, "encoder", None), Fusion):
            raise ValueError(
                "a model for the FusionExplorer is a Classifier with a fused code, such as "
                f"encoder('fusion(direct, latency)'), got {type(model).__name__}"
            )
        return fused_names()

    def _known(self) -> dict[str, Sequence[Any]]:
        code = self._models.classifier(self.encoding).encoder if self.encoding in self._models.names else None
        return super()._known() | {"silenced": range(-1, len(code.parts) if isinstance(code, Fusion) else 0)}


class AttackExplorer(_ModelExplorer):
    """One image and one network under the attackers of ``snnlab.attacks.trajectory`` side by side, step by step.

    Arguments and errors are those of ``RobustnessExplorer``; its state is ``image, encoding, eps``, ``step``, the iteration that
    is shown, and ``compare``: ``"all"`` attackers, or the ``"pair"`` of naive and informed PGD.
    """

    kind = "attack"
    start: ClassVar = {"encoding": "offset", "eps": 0.1}
    step = setting("step", max=STEPS)

    def result(self) -> dict[str, AttackTrajectory]:
        """Return what the explorer shows now, a trajectory an attacker: for your own plots and checks."""
        image, label = self._subject()
        model, budget = self._models.classifier(self.encoding), Budget(self.eps)
        label = predicted_class(model, image) if label is None else label
        compared = VARIANTS if self.compare == "all" else ("naive", "bpda")
        able = [method for method in compared if method != "spike_train" or has_trains(model.encoder)]
        return {method: attack_trajectory(model, image, label, budget, method) for method in able}

    def _still(self) -> NotebookFigure:
        return fallback.attack_still(self.result(), self.encoding, self.eps, self.step)


class TrainingExplorer(Explorer):
    """One image through networks that learned by different rules, side by side: spikes, votes, answers, accuracy.

    Args:
        models: networks by name, as the other explorers take them, with the same number of steps if they spike. Default: the
            rules of the zoo.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``models``.
        labels: their classes ``[N]``; needed with ``models``.
        state: initial ``image, code, attack, attacker, target, eps, exit_step``; ``code`` is one that the zoo has all rules for.

    Raises:
        ValueError: models without images and labels, none or too many of them, networks that do not go together.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    kind = "training"

    def __init__(
        self,
        models: Mapping[str, nn.Module] | None = None,
        images: Any = None,
        labels: Any = None,
        **state: Any,
    ) -> None:
        self._models = Models(zoo.names("codes", "training")) if models is None else OwnModels(models, images, labels)
        super().__init__(**{"exit_step": self._models.num_steps} | state)

    def _known(self) -> dict[str, Sequence[Any]]:
        return super()._known() | ({} if self._models.custom else {"code": list(trained())})

    def columns(self) -> dict[str, str]:
        """Return the models that are shown, by the name of their rule, or by your own names."""
        return {name: name for name in self._models.names} if self._models.custom else trained()[self.code]

    def result(self) -> dict[str, dict[str, Any]]:
        """Return what the explorer shows now, a frame a column."""
        shown = self.columns().items()
        return {title: frame(self._models.classifier(name), self._asked(name)) for title, name in shown}

    def _still(self) -> NotebookFigure:
        return fallback.training_still(self.result(), self._asked(next(iter(self.columns().values()))), self.code)


class EncoderExplorer(Explorer):
    """One image in all codes, side by side: where in time does a perturbation of size ε make its spikes?

    Args:
        state: initial ``image, change, eps, exit_step``; ``change`` says how every pixel moves by ε, ``"brighten"`` or by a
            random sign, ``"noise"``.
    """

    kind = "encoder"
    _models = cached_property(lambda self: Models([]))

    def _still(self) -> NotebookFigure:
        clean, steps = self._subject()[0].unsqueeze(0), self._models.num_steps
        order = torch.argsort(clean.flatten(), descending=True, stable=True)
        trains = {}
        for name in VOCABULARY.side_by_side["codes"]:
            code = encoder(name, num_steps=steps)
            rows = torch.cat([order + part * len(order) for part in range(code.channel_factor)])  # parts of a fusion
            before, after = (
                code(x, generator=torch.Generator().manual_seed(0)).flatten(1)[:, rows]
                for x in (clean, (clean + self.eps).clamp(max=1))
            )
            trains[name] = before, after if self.eps > 0 else None
        return fallback.encoder_still(trains, self.eps, steps)


class EnergyExplorer(Explorer):
    """What one image costs in every code and in an ANN: choose the price of a weight, and let all of them skip zeros.

    Args:
        state: initial ``image``, ``price`` (pJ to read a weight, of each MAC and each SynOp), ``zeros`` (``"multiplied"``, or
            ``"skipped"`` by the ANN and analog codes too) and ``exit_step``.
    """

    kind = "energy"
    _models = cached_property(lambda self: Models(zoo.names("codes")))

    def result(self) -> dict[str, float]:
        """Return the energy that the explorer shows now, in pJ, by model."""
        images = self._subject()[0].unsqueeze(0)
        return {name: self._spent(self._models.classifier(name), images) for name in self._models.names}

    def _spent(self, model: Classifier, images: Tensor) -> float:
        model.generator = torch.Generator().manual_seed(0)
        spent = energy(model, images, skip_zeros=self.zeros == "skipped").with_reads(self.price)
        return float(spent[min(self.exit_step, len(spent)) - 1])

    def _still(self) -> NotebookFigure:
        return fallback.energy_still(self.result(), self.price, self.zeros)


class NeuronExplorer(Explorer):
    """One LIF neuron: turn its input, leak, threshold and reset, and see what is left, what comes in, what a spike takes.

    Args:
        state: initial ``drive`` (the current ``I`` of a step with input), ``pattern`` (a sign a step, ``"1"`` with input),
            ``beta``, ``theta``, ``reset`` (``"subtract"`` or ``"zero"``), and ``step``, the one under the lens, from 1.
    """

    kind = "neuron"
    _models = cached_property(lambda self: Models([]))
    step = setting("step", default=7, min=1, max=64)

    @traitlets.validate("pattern")
    def _switched(self, proposal: Mapping[str, Any]) -> Any:
        pattern = proposal["value"]
        if not 2 <= len(pattern) <= 64 or set(pattern) - set("01"):
            raise traitlets.TraitError(f"pattern must be 2 to 64 signs 0 or 1, got {pattern!r}")
        return pattern

    def result(self) -> dict[str, Tensor]:
        """Return current, membrane and spikes of every step, ``[T]`` each."""
        current = torch.tensor([float(sign) * self.drive for sign in self.pattern])
        reset: Reset = "zero" if self.reset == "zero" else "subtract"
        spikes, membrane = lif(current, beta=self.beta, threshold=self.theta, reset=reset)
        return {"current": current, "membrane": membrane, "spikes": spikes}

    def _still(self) -> NotebookFigure:
        shown = self.result()
        return neuron(shown["membrane"], shown["spikes"], self.theta)


class FaultExplorer(Explorer):
    """A faulty chip: one slider a fault; the rasters, the answer and the accuracy on the sample digits follow, and the curves.

    The browser computes, in JupyterLab too. Faults of Python and of the page have the same laws and other random numbers.

    Args:
        state: initial ``image``, ``encoding`` (a spiking model of the zoo), the severities ``lost``, ``late``, ``dead``,
            ``stuck``, ``mismatch`` (of thresholds), ``drift`` (of weights), ``flipped`` (bits), each in [0, 1], ``bits`` of a
            weight (8 to 1), and ``draw``, the seed of the faults.
    """

    kind = "fault"
    digits = ("everyday",)
    _models = cached_property(lambda self: Models([name for name in EVERYDAY.models("mnist5k") if zoo.recipe(name).coded]))

    def severities(self) -> dict[str, float]:
        """Return the severity of every fault of ``snnlab.networks.faults``."""
        set_to = {"lost": self.lost, "late": self.late, "dead": self.dead, "stuck": self.stuck, "threshold": self.mismatch}
        return {**set_to, "weight": self.drift, "flipped_bits": self.flipped, "fewer_bits": (8 - self.bits) / 7}

    def result(self) -> dict[str, Tensor]:
        """Return the hidden spikes of the sound and of the faulty network, ``[T, H]``, and their answers at every exit."""
        model, images = self._models.classifier(self.encoding), self._subject()[0].unsqueeze(0)
        model.generator = torch.Generator().manual_seed(0)
        with torch.no_grad(), ExitStack() as faults:
            (_, sound), before = model.trace(images)[0], model.predict(images)[:, 0]
            for name, severity in self.severities().items():
                faults.enter_context(faulty(model, name, severity, torch.Generator().manual_seed(self.draw)))
            (_, broken), after = model.trace(images)[0], model.predict(images)[:, 0]
        return {"sound": sound[:, 0], "faulty": broken[:, 0], "answers": before, "faulty_answers": after}

    def _still(self) -> NotebookFigure:
        present = {name: severity for name, severity in self.severities().items() if severity > 0}
        return fallback.fault_still(self.result(), self.encoding, present)


class RetimingExplorer(Explorer):
    """A budget on time beside ε: an attacker, or chance, moves the input spikes; raster, votes and answer follow, and the curves.

    The browser searches, in JupyterLab too, as ``snnlab.attacks.retiming_attack`` does.

    Args:
        state: initial ``image``, ``encoding`` (a model of the zoo with spikes to move), ``mover`` (``"attacker"`` or
            ``"chance"``), ``shift``, the largest shift in steps, ``moved``, how many spikes move at most (100: any number),
            ``eps`` of an informed PGD on the intensities before, and ``exit_step``.
    """

    kind = "retiming"
    digits = ("retimed",)
    _models = cached_property(lambda self: Models(RETIMING.models("mnist5k")))

    def budget(self) -> TimeBudget:
        """Return the budget on time."""
        return TimeBudget(self.shift, moved=None if self.moved == ANY_NUMBER else self.moved)

    def result(self) -> dict[str, Any]:
        """Return what the explorer shows now, computed by PyTorch.

        Returns:
            ``clean`` and ``spikes``, the sequence before and after the spikes moved, ``[T, P]``, brightest pixels first, the
            ``answer`` and the ``moved_answer`` at the exit, and what was spent: ``shift``, ``moved``.
        """
        (image, label), model = self._subject(), self._models.classifier(self.encoding).at(exit_step=self.exit_step)
        request = Request(image, label, self.encoding, "pgd" if self.eps else "none", eps=self.eps, exit_step=self.exit_step)
        shown = frame(model, request)
        order = torch.as_tensor(shown["order"]["input"].astype("int64"))
        sequence = torch.as_tensor((shown["attacked"] or shown["clean"])["input"]).view(
            model.num_steps, 1, -1, *image.shape[1:]
        )
        target, budget = torch.tensor([shown["target"]]), self.budget()
        method: Method = "gradient" if self.mover == "attacker" else "noise"
        found = retiming_attack(model, sequence, target, budget, method, steps=STEPS_IN_TIME, generator=_generator())
        return {
            "clean": sequence.flatten(1)[:, order],
            "spikes": found.spikes.flatten(1)[:, order],
            "answer": int(shown["clean"]["predictions"][self.exit_step - 1]),
            "moved_answer": int(found.predictions[self.exit_step - 1]),
            "shift": int(found.shift),
            "moved": int(found.moved),
        }

    def _still(self) -> NotebookFigure:
        who = {"attacker": "an attacker", "chance": "chance"}[self.mover]
        return fallback.retiming_still(self.result(), self.encoding, who, self.exit_step)


class PlaygroundExplorer(Explorer):
    """A network that learns in front of you: choose code, neurons and training, press *train*, and compare with the run before.

    The browser trains, in JupyterLab too. *Save file* writes a network that ``snnlab.load`` reads.

    Args:
        state: initial ``image``, ``code``, ``steps``, ``beta``, ``neurons`` (hidden ones), ``second`` (those of a second hidden
            layer, 0: none), ``surrogate`` and its ``slope``, ``loss`` (``"count"``, ``"membrane"`` or ``"anytime"``),
            ``learn`` (``"clean"``, or ``"fgsm"`` at the budget ``eps``).
    """

    kind = "playground"
    digits = ("digits/test", "digits/train")
    eps = setting("eps", default=0.1, max=0.3)
    _models = cached_property(lambda self: Models(["onset"]))

    def _known(self) -> dict[str, Sequence[Any]]:
        return super()._known() | {"code": _Codes((*LEARNED, "table(rows=…)"))}

    def result(self) -> Classifier:
        """Return the network that the state describes, with new weights: ``snnlab.train`` teaches it in Python."""
        sizes = (784, self.neurons, *([self.second] if self.second else []), 10)
        network = SpikingMLP(sizes, beta=self.beta, surrogate=Surrogate(self.surrogate, self.slope))
        decoder = "membrane" if self.loss == "membrane" else "rate"
        return Classifier(network, encoder(self.code, num_steps=self.steps), decoder)

    def _still(self) -> NotebookFigure:
        image = self._subject()[0].unsqueeze(0)
        order = torch.argsort(image.flatten(), descending=True, stable=True)
        spikes = encoder(self.code, num_steps=self.steps)(image).flatten(1)[:, order]
        return fallback.playground_still(spikes, self.code, (self.neurons, *([self.second] if self.second else [])))


class PictureExplorer(Explorer):
    """A colour picture through a convolutional network: its spikes, block after block, its votes, and what an attack changes.

    The networks are the small ones of the zoo for CIFAR-10. On a page the reader opens a picture, drops, pastes or takes one; the
    page's engine answers there, PyTorch in a notebook with a kernel.

    Args:
        images: your pictures ``[N, 3, 32, 32]`` in [0, 1], as ``snnlab.data.load("cifar10").test.images``. Default: ten drawings
            of our own, one a class of CIFAR-10, which are not from the data set.
        labels: their classes ``[N]``; needed with ``images``.
        state: initial ``image, encoding`` (the network), ``attack, attacker, target, eps, exit_step``; the attacker is
            ``"naive"`` or ``"informed"``.

    Raises:
        ValueError: images without labels, or of another shape.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    kind = "picture"

    def __init__(self, images: Any = None, labels: Any = None, **state: Any) -> None:
        self._models: Models = PictureModels(images, labels)
        self._own = images is not None
        super().__init__(**{"encoding": "latency", "exit_step": self._models.num_steps} | state)

    def _known(self) -> dict[str, Sequence[Any]]:
        return super()._known() | {"attacker": ("naive", "informed")}

    def result(self) -> dict[str, Any]:
        """Return what the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self._asked(self.encoding))

    def to_html(self) -> str:
        """Return the element as other explorers do; pictures of your own travel along, with all networks."""
        return self._element(page.block(self.contents()) if self._own else "")

    def _still(self) -> NotebookFigure:
        return fallback.picture_still(self.result(), self._asked(self.encoding), CLASSES)


class EventExplorer(Explorer):
    """A digit in front of a simulated event camera: its events in space and time, an attack on them, and the answer over time.

    The page records, attacks and reads, in JupyterLab too: the camera of ``snnlab.data.event_camera`` and the zoo's
    ``events5k/mlp``.

    Args:
        state: initial ``image``; ``tamper``, what happens to the spikes (``"none"``, ``"noise"``, ``"add"``, ``"remove"``,
            ``"change"``, ``"polarity"``); ``number``, at most so many; ``exit_step``.
    """

    kind = "event"
    exit_step = setting("exit_step", default=NUM_STEPS)
    _models = cached_property(lambda self: Models([]))

    def _known(self) -> dict[str, Sequence[Any]]:
        return super()._known() | {"exit_step": range(1, NUM_STEPS + 1)}

    def _payload(self, key: str) -> dict[str, Any]:
        return export.payload(key) if key == export.EVENTS5K else super()._payload(key)

    def contents(self) -> dict[str, Any]:
        """Return the digits, and the camera with its classifier and records."""
        return super().contents() | {export.EVENTS5K: export.payload(export.EVENTS5K)}

    def result(self) -> dict[str, Any]:
        """Return what the explorer shows now, computed by PyTorch.

        Returns:
            ``events`` (an array with the fields ``x, y, t, p``), ``clean`` and ``spikes`` ``[T, 2, H, W]``, without and with the
            changes, and ``predictions`` at every exit. The page draws other random changes.
        """
        image, label = self._subject()
        model, spikes = zoo.load(f"{export.EVENTS5K}/mlp"), spike_frames(image[None])
        model = model.at(exit_step=self.exit_step)
        changed, read = spikes, model.answers(*model.respond(spikes))
        target = torch.tensor([max(0, int(read[self.exit_step - 1])) if label is None else label])
        if self.tamper == "noise":
            changed = event_noise(spikes, EventBudget(self.number), torch.Generator().manual_seed(1 + self.number))
        elif self.tamper != "none":
            changed = event_attack(model, spikes, target, EventBudget(self.number, self.tamper)).spikes
        answers = model.answers(*model.respond(changed))[:, 0]
        events = EventCamera().events(saccades(image[None]))
        return {"events": events, "clean": spikes[:, 0], "spikes": changed[:, 0], "predictions": answers}

    def _still(self) -> NotebookFigure:
        shown, (_, label) = self.result(), self._subject()
        return fallback.event_still(shown, self.tamper, self.number, self.exit_step, label)


class PaintExplorer(Explorer):
    """A code that the reader paints: which intensity fires at which step; then train a network on it, and attack it.

    The browser encodes, trains and attacks, in JupyterLab too. The name of a painted code is its table, which ``encoder`` reads:
    ``encoder(explorer.code, num_steps=explorer.steps)``.

    Args:
        state: initial ``image``, ``code`` (``"latency"``, ``"onset"``, ``"offset"``, ``"binary"``, or ``"table(rows=00 01 10)"``,
            dark to bright), ``steps`` and ``levels`` of the grid, ``attack`` and ``attacker`` of the measurement, ``eps``.

    >>> PaintExplorer(code="table(rows=00 01 10)").result().num_steps
    2
    """

    kind = "paint"
    digits = ("digits/test", "digits/train")
    attack = setting("attack", default="fgsm")
    eps = setting("eps", default=0.1)
    _models = cached_property(lambda self: Models(["onset"]))

    def __init__(self, **state: Any) -> None:
        code = state.get("code", "")
        if code in _Codes() and isinstance(code, str):  # the table says how large the grid is
            state |= {"steps": _steps_of(code, 0), "levels": len(code.split()) - 1}
        super().__init__(**state)

    def _known(self) -> dict[str, Sequence[Any]]:
        return super()._known() | {"code": _Codes((*PAINTED, "table(rows=…)"))}

    def result(self) -> Encoder:
        """Return the code."""
        return encoder(self.code, num_steps=_steps_of(self.code, self.steps))

    def _still(self) -> NotebookFigure:
        image = self._subject()[0].unsqueeze(0)
        order = torch.argsort(image.flatten(), descending=True, stable=True)
        brighter = (image + self.eps).clamp(max=1)
        plain, raised = (self.result()(pixels).flatten(1)[:, order] for pixels in (image, brighter))
        return fallback.paint_still(plain, raised, self.code, self.eps)


class ResultsExplorer(Explorer):
    """A table of attacked networks: choose threat model, attack, ε, decoding and exit, and the bars and curves answer.

    Args:
        records: records of ``evaluate_robustness`` by name. Default: the CIFAR-10 zoo, with the paper's values beside it.
        dataset: how the caption calls what your records were measured on.
        state: initial ``against`` (an attack), ``decoder``, ``eps`` in pixel units (the nearest that was measured is
            shown) and ``exit_step``.

    Raises:
        ValueError: no records, or records that do not go together.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    kind = "results"

    def __init__(self, records: Mapping[str, Record] | None = None, dataset: str = "your data", **state: Any) -> None:
        self._table = results_table.payload() if records is None else results_table.of_records(records, dataset)
        super().__init__(**{"exit_step": self._table["num_steps"], "against": self.attacks()[0]} | state)

    def attacks(self) -> list[str]:
        """Return the attacks that can be shown, the strongest first."""
        return [a for threat in reversed(self._table["threats"].values()) for a in threat]

    def _known(self) -> dict[str, Sequence[Any]]:
        return {
            "against": self.attacks(),
            "decoder": list(dict.fromkeys(d for by_decoder in self._table["results"].values() for d in by_decoder)),
            "exit_step": range(1, self._table["num_steps"] + 1),
        }

    def _payload(self, key: str) -> dict[str, Any]:
        return self._table if key == "cifar10" else super()._payload(key)

    def contents(self) -> dict[str, Any]:
        """Return the table."""
        return {"cifar10": self._table}

    def result(self) -> dict[str, tuple[float, ...]]:
        """Return what the explorer shows now: the accuracy of every network that was measured there, one a seed."""
        return results_table.accuracies(self._table, self.against, self.decoder, self.eps, self.exit_step)

    def _still(self) -> NotebookFigure:
        level = results_table.nearest_level(self._table, self.eps)
        parts = [by_decoder.get(self.decoder, {}) for by_decoder in self._table["results"].values()]
        flagged = sum(self.against in part.get("flags", {}) for part in parts)
        where = f", exit {self.exit_step}, {self.decoder} decoding" + (
            f"; {flagged} networks carry flags" if flagged else ""
        )
        return fallback.results_still(self._table, self.result(), self.against, level, where)


def first_reach(code: Encoder, eps: float, from_step: int) -> int | None:
    """Return the first step, from 0, at which ε on a black pixel changes its spikes; in a random code, any step may."""
    if code.stochastic or eps == 0:
        return from_step if eps > 0 else None
    acting = code(torch.full((1, 1, 1, 1), eps)).flatten(1).any(1)[from_step:].nonzero()
    return from_step + int(acting[0]) if len(acting) else None
