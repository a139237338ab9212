"""The explorers: which state each has, what it shows, and its picture for where no script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
import traitlets
from torch import Tensor, nn

from snnlab import zoo
from snnlab.attack import Budget, has_trains
from snnlab.encoding import Encoder, Fusion
from snnlab.exiting import EXIT_RULES, ExitRule, exit_steps
from snnlab.network import Classifier
from snnlab.neuron import Reset, lif
from snnlab.records import over_seeds
from snnlab.widgets import stills
from snnlab.widgets.climbs import CLIMBERS, STEPS, Climb, climb, taken_for
from snnlab.widgets.explorer import AttackedExplorer, Curved, Encoded, EncodedExplorer, Explorer, Timed
from snnlab.widgets.frames import Request, frame
from snnlab.widgets.models import (
    SIDE_BY_SIDE,
    Models,
    OwnModels,
    ZooModels,
    codes_of_all_rules,
    fused_names,
    trained,
    zoo_or_own,
)
from snnlab.widgets.stills import Still
from snnlab.zoo.cifar10 import web as results_web

__all__ = [
    "AttackExplorer",
    "EncoderExplorer",
    "ExitExplorer",
    "FusionExplorer",
    "NeuronExplorer",
    "ResultsExplorer",
    "RobustnessExplorer",
    "TrainingExplorer",
]


class RobustnessExplorer(Timed, Curved, EncodedExplorer):
    """Turn code, budget, attack and exit step of a trained network, and see spikes, votes and accuracy answer.

    Args:
        model: a network of your own: an ``nn.Module`` that maps an encoded sequence ``[T, N, C, H, W]`` to
            ``(spikes, membrane)`` of shape ``[T, N, K]`` (as a loop over snnTorch neurons does) or to a ``Trace``; or a
            ``Classifier``. Without it, the models of the zoo.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        num_steps: ``T`` of the codes fed to your model.
        decoder: how your model's output is read.
        state: initial ``image, encoding, attack, attacker, eps, exit_step``; ``curve``, ``"worst"`` for the worst case of all
            attacks or ``"own"`` for the attack that is chosen.

    Raises:
        ValueError: a model without images and labels, images or labels that are none, a model of wrong output shape.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    shown_traits = ("explorer", "image", "encoding", "attack", "attacker", "curve", "eps", "exit_step")

    def __init__(
        self,
        model: nn.Module | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        num_steps: int = 8,
        decoder: str = "rate",
        **state: Any,
    ) -> None:
        models = zoo_or_own(zoo.names("codes"), model, images, labels, num_steps, decoder)
        super().__init__(models, explorer="robustness", **_start(models, "onset") | {"exit_step": models.num_steps} | state)

    def request(self) -> Request:
        """The present state as a request to ``snnlab.widgets.frames.frame``."""
        return self._asked(self.encoding, self.exit_step)

    def result(self) -> dict[str, Any]:
        """What the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self.request())

    def _still(self) -> Still:
        return stills.robustness_still(self.result(), _records(self._models), self.request(), self.curve)


class EncoderExplorer(Timed, Explorer):
    """One image in all codes, side by side: where in time does a perturbation of size ε make its spikes?

    Args:
        state: initial ``image, change, eps, exit_step``; ``change`` says how every pixel moves by ε, ``"brighten"`` or by a
            random sign, ``"noise"``.
    """

    change = traitlets.Enum(("brighten", "noise"), default_value="brighten", help="of every pixel").tag(sync=True)

    shown_traits = ("explorer", "image", "change", "eps", "exit_step")

    def __init__(self, **state: Any) -> None:
        super().__init__(explorer="encoder", **state)

    def _still(self) -> Still:
        image = self._models.samples.images[max(self.image, 0)]
        return stills.encoder_still(image, self.eps, self._models.num_steps)


class TrainingExplorer(Timed, Curved, AttackedExplorer):
    """One image through networks that learned by different rules, side by side: spikes, votes, answers, accuracy.

    Args:
        models: networks of your own by name, each a ``Classifier``; those that spike need the same number of steps.
            Without them, the rules of the zoo: BPTT, TSSL-BP and conversion.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``models``.
        labels: their classes ``[N]``; needed with ``models``.
        state: initial ``image, code, attack, attacker, eps, exit_step``; ``code`` is one that the zoo has all rules for.

    Raises:
        ValueError: models without images and labels, none or too many of them, networks that do not go together.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    code = traitlets.Unicode("latency", help="what the networks are fed with").tag(sync=True)

    shown_traits = ("explorer", "image", "code", "attack", "attacker", "curve", "eps", "exit_step")

    def __init__(
        self,
        models: Mapping[str, Classifier] | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        **state: Any,
    ) -> None:
        shown: Models = ZooModels(zoo.names("codes", "training"))
        if models is not None:
            shown = OwnModels(dict(models), images, labels)
        super().__init__(shown, explorer="training", **{"exit_step": shown.num_steps} | state)

    @traitlets.validate("code")
    def _known_code(self, proposal: Any) -> str:
        code = str(proposal["value"])
        if not self._models.custom and code not in (known := codes_of_all_rules()):
            raise traitlets.TraitError(f"unknown code {code!r}; choose one of {', '.join(known)}")
        return code

    def columns(self) -> dict[str, str]:
        """The models that are shown, by the name of their rule, or by your own names."""
        if self._models.custom:
            return {name: name for name in self._models.names}
        return {title: trained(self.code, rule) or "" for rule, title in SIDE_BY_SIDE.items()}

    def result(self) -> dict[str, dict[str, Any]]:
        """What the explorer shows now, a frame a column."""
        return {
            title: frame(self._models.classifier(name), self._asked(name, self.exit_step))
            for title, name in self.columns().items()
        }

    def _still(self) -> Still:
        request = self._asked(next(iter(self.columns().values())), self.exit_step)
        compared = {self.code, "ann"}
        records = {name: r for name, r in _records(self._models).items() if zoo.recipes()[name]["code"] in compared}
        return stills.training_still(self.result(), records, request, self.code, self.curve)


class ExitExplorer(Timed, Curved, EncodedExplorer):
    """Leave early: drag the exit, or leave it to a rule. When does ε arrive, and what does leaving before it cost?

    Args:
        model: a network of your own, as for ``RobustnessExplorer``.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        num_steps: ``T`` of the codes fed to your model.
        decoder: how your model's output is read.
        state: initial ``image, encoding, attack, attacker, eps, exit_step``; ``from_step``, before which the perturbation
            is not allowed to act; ``rule`` (``fixed`` or one of ``snnlab.exiting.EXIT_RULES``) with its ``threshold``.

    Raises:
        ValueError: as ``RobustnessExplorer``.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    from_step = traitlets.Int(0, min=0, help="the perturbation acts on steps t ≥ from_step").tag(sync=True)
    rule = traitlets.Enum(("fixed", *EXIT_RULES), default_value="fixed").tag(sync=True)
    threshold = traitlets.Float(2.0, help="of the rules margin and confidence").tag(sync=True)

    shown_traits = (
        *("explorer", "image", "encoding", "attack", "attacker", "curve", "eps"),
        *("exit_step", "from_step", "rule", "threshold"),
    )

    def __init__(
        self,
        model: nn.Module | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        num_steps: int = 8,
        decoder: str = "rate",
        **state: Any,
    ) -> None:
        if isinstance(model, Classifier) and model.encoder is None:
            raise ValueError("an ANN has no steps to leave early; give a Classifier with an encoder")
        spiking = [name for name in zoo.names("codes", "exit") if name != "ann"]
        models = zoo_or_own(spiking, model, images, labels, num_steps, decoder)
        super().__init__(models, explorer="exit", **_start(models, "latency") | {"exit_step": models.num_steps} | state)

    @traitlets.validate("from_step")
    def _known_step(self, proposal: Any) -> int:
        step, num_steps = int(proposal["value"]), self._models.num_steps
        if not 0 <= step < num_steps:
            raise traitlets.TraitError(f"from_step must lie in 0 … {num_steps - 1}, got {step}")
        return step

    def request(self) -> Request:
        """The present state as a request; under a rule the attack aims at the exit at which the clean image leaves."""
        asked = self._asked(self.encoding, self.exit_step, from_step=self.from_step)
        if self.rule == "fixed":
            return asked
        clean = frame(self._models.classifier(self.encoding), replace(asked, attack="none"))
        return replace(asked, exit_step=self.leaves(clean))

    def result(self) -> dict[str, Any]:
        """What the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self.request())

    def leaves(self, shown: Mapping[str, Any]) -> int:
        """The step at which what a frame shows leaves: the attacked image, or the clean one."""
        if self.rule == "fixed":
            return self.exit_step
        side = shown["attacked"] or shown["clean"]
        votes = torch.as_tensor(side["votes"]).view(len(side["predictions"]), 1, -1)
        rule = ExitRule(self.rule, None if self.rule == "first_spike" else self.threshold)
        return int(exit_steps(votes, rule))

    def _still(self) -> Still:
        shown = self.result()
        code = self._models.classifier(self.encoding).encoder
        reach = None if code is None else first_reach(code, self.eps, self.from_step)
        record = None if self._models.custom else zoo.results(self.encoding)
        curve = self.curve if self.rule == "fixed" else "worst"  # rules were measured in the worst case alone
        return stills.exit_still(shown, record, self.request(), self.leaves(shown), reach, curve)


class FusionExplorer(EncodedExplorer):
    """Codes side by side in one network: mix them, turn the gate, silence a part, and see where that puts the network.

    Args:
        model: a ``Classifier`` of your own with a fused code. Without it, the fusions of the zoo and their parts alone.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        state: initial ``image, encoding, attack, attacker, eps``; ``silenced``, the index of a part (-1: none).

    Raises:
        ValueError: as ``RobustnessExplorer``; a model whose code is no fusion.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    silenced = traitlets.Int(-1, min=-1, help="index of the part that is switched off, or -1").tag(sync=True)

    shown_traits = ("explorer", "image", "encoding", "silenced", "attack", "attacker", "eps")

    def __init__(
        self,
        model: Classifier | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        **state: Any,
    ) -> None:
        if model is not None and not isinstance(getattr(model, "encoder", None), Fusion):
            raise ValueError(
                f"a model for the FusionExplorer is a Classifier with a fused code, such as encoder('fusion(direct, "
                f"latency)'), got {type(model).__name__}"
            )
        models = zoo_or_own(fused_names(), model, images, labels)
        super().__init__(models, explorer="fusion", **_start(models, "fusion") | state)

    @traitlets.validate("silenced")
    def _known_part(self, proposal: Any) -> int:
        part, code = int(proposal["value"]), self._models.classifier(self.encoding).encoder
        parts = [own.title for own in code.parts] if isinstance(code, Fusion) else []
        if part >= len(parts):
            choices = "".join(f", {k}: {title}" for k, title in enumerate(parts))
            raise traitlets.TraitError(f"no part {part} of {self.encoding!r} to silence; choose one of -1: none{choices}")
        return part

    def request(self) -> Request:
        """The present state as a request to ``snnlab.widgets.frames.frame``."""
        return self._asked(self.encoding, self._models.num_steps, silenced=self.silenced)

    def result(self) -> dict[str, Any]:
        """What the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self.request())

    def _still(self) -> Still:
        points = {}
        if not self._models.custom:
            records = {name: zoo.repeats(name) for name in self._models.names}
            nearest = min(records["fusion"][-1]["eps"], key=lambda eps: abs(eps - self.eps))
            points = {name: (over_seeds(r, eps=0.0), over_seeds(r, eps=nearest)) for name, r in records.items()}
        return stills.fusion_still(self.result(), points, self.request())


class AttackExplorer(Encoded, Explorer):
    """One image and one network under five attackers side by side, step by step: who sees what, and who gets through?

    The attackers are those of ``snnlab.widgets.climbs``: naive, BPDA, EOT and ASSG, each changing one thing of the one before,
    and the search among the code's spike trains, where it has any.

    Args:
        model: a network of your own, as for ``RobustnessExplorer``.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        num_steps: ``T`` of the codes fed to your model.
        decoder: how your model's output is read.
        state: initial ``image, encoding, eps``, and ``step``, the iteration that is shown.

    Raises:
        ValueError: as ``RobustnessExplorer``.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    step = traitlets.Int(STEPS, min=0, max=STEPS, help="iteration of the attacks that is shown").tag(sync=True)

    shown_traits = ("explorer", "image", "encoding", "eps", "step")

    def __init__(
        self,
        model: nn.Module | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        num_steps: int = 8,
        decoder: str = "rate",
        **state: Any,
    ) -> None:
        models = zoo_or_own(zoo.names("codes"), model, images, labels, num_steps, decoder)
        super().__init__(models, explorer="attack", **_start(models, "offset") | {"eps": 0.1} | state)

    def result(self) -> dict[str, Climb]:
        """What the explorer shows now, a climb an attacker: for your own plots and checks."""
        image, label = self._subject()
        model, budget = self._models.classifier(self.encoding), Budget(self.eps)
        label = taken_for(model, image) if label is None else label
        able = [method for method, who in CLIMBERS.items() if not who.searches or has_trains(model.encoder)]
        return {method: climb(model, image, label, budget, method) for method in able}

    def _still(self) -> Still:
        return stills.attack_still(self.result(), self.encoding, self.eps, self.step)


class NeuronExplorer(Explorer):
    """One LIF neuron: turn its input, leak, threshold and reset, and see what is left, what comes in, what a spike takes.

    Args:
        state: initial ``drive`` (the current ``I`` of a step with input), ``pattern`` (a sign a step, ``"1"`` with input),
            ``beta``, ``theta``, ``reset`` (``"subtract"`` or ``"zero"``), and ``step``, the one under the lens.
    """

    drive = traitlets.Float(0.3, min=0, max=10, help="current I of a step with input").tag(sync=True)
    pattern = traitlets.Unicode("1" * 24, help="a sign a step, 1 with input and 0 without").tag(sync=True)
    beta = traitlets.Float(0.9, min=0, max=1, help="decay a step").tag(sync=True)
    theta = traitlets.Float(1.0, min=1e-3, max=10, help="threshold").tag(sync=True)
    reset = traitlets.Enum(("subtract", "zero"), default_value="subtract").tag(sync=True)
    step = traitlets.Int(6, min=0, help="the step under the lens").tag(sync=True)

    shown_traits = ("explorer", "drive", "pattern", "beta", "theta", "reset", "step")

    def __init__(self, **state: Any) -> None:
        super().__init__(explorer="neuron", **state)

    @traitlets.validate("pattern")
    def _switched(self, proposal: Any) -> str:
        pattern = str(proposal["value"])
        if not 2 <= len(pattern) <= 64 or set(pattern) - set("01"):
            raise traitlets.TraitError(f"pattern must be 2 to 64 signs 0 or 1, got {pattern!r}")
        return pattern

    def result(self) -> dict[str, Tensor]:
        """Current, membrane and spikes of every step, ``[T]`` each."""
        current = torch.tensor([float(sign) * self.drive for sign in self.pattern])
        reset: Reset = "zero" if self.reset == "zero" else "subtract"
        spikes, membrane = lif(current, beta=self.beta, threshold=self.theta, reset=reset)
        return {"current": current, "membrane": membrane, "spikes": spikes}

    def _still(self) -> Still:
        return stills.neuron_still(**self.result(), threshold=self.theta)


class ResultsExplorer(Explorer):
    """A table of attacked networks: choose threat model, attack, ε, decoding and exit, and the bars and curves answer.

    Args:
        records: networks of your own by name, each a record as ``Evaluation.record()`` gives it. Without them, the
            CIFAR-10 zoo, with what the paper reports beside it.
        dataset: how the caption calls what your records were measured on.
        state: initial ``against`` (an attack), ``decoder``, ``eps`` in pixel units (the nearest that was measured is
            shown) and ``exit_step``.

    Raises:
        ValueError: no records, or records that do not go together.
        traitlets.TraitError: a state that does not exist (the message lists what does).
    """

    against = traitlets.Unicode("worst", help="the attack that is shown").tag(sync=True)
    decoder = traitlets.Unicode("current", help="how the read-out is decoded").tag(sync=True)
    exit_step = traitlets.Int(4, min=1, help="steps that are read").tag(sync=True)

    shown_traits = ("explorer", "against", "decoder", "eps", "exit_step")

    def __init__(
        self, records: Mapping[str, Mapping[str, Any]] | None = None, dataset: str = "your data", **state: Any
    ) -> None:
        self._record = results_web.payload() if records is None else results_web.of_records(records, dataset)
        steps = self._record["num_steps"]
        super().__init__(explorer="results", **{"exit_step": steps, "against": self.attacks()[0]} | state)

    def attacks(self) -> list[str]:
        """The attacks that can be shown, the strongest first."""
        return [a for threat in reversed(self._record["threats"].values()) for a in threat]

    @traitlets.validate("against")
    def _known_attack(self, proposal: Any) -> str:
        if (name := str(proposal["value"])) not in self.attacks():
            raise traitlets.TraitError(f"unknown attack {name!r}; choose one of {', '.join(self.attacks())}")
        return name

    @traitlets.validate("decoder")
    def _known_decoder(self, proposal: Any) -> str:
        known = list(dict.fromkeys(d for by_decoder in self._record["results"].values() for d in by_decoder))
        if (name := str(proposal["value"])) not in known:
            raise traitlets.TraitError(f"unknown decoder {name!r}; choose one of {', '.join(known)}")
        return name

    @traitlets.validate("exit_step")
    def _known_exit(self, proposal: Any) -> int:
        step, steps = int(proposal["value"]), self._record["num_steps"]
        if not 1 <= step <= steps:
            raise traitlets.TraitError(f"exit_step must lie in 1 … {steps}, got {step}")
        return step

    def _data(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        if message["key"] != "cifar10":
            return super()._data(message)
        return {"type": "data", "payload": self._record}, []

    def result(self) -> dict[str, tuple[float, ...]]:
        """What the explorer shows now: the accuracy of every network that was measured there, one a seed."""
        return results_web.accuracies(self._record, self.against, self.decoder, self.eps, self.exit_step)

    def _still(self) -> Still:
        level = results_web.nearest_level(self._record, self.eps)
        parts = [by_decoder.get(self.decoder, {}) for by_decoder in self._record["results"].values()]
        flagged = sum(self.against in part.get("flags", {}) for part in parts)
        where = f", exit {self.exit_step}, {self.decoder} decoding" + (
            f"; {flagged} networks carry flags" if flagged else ""
        )
        return stills.results_still(self._record, self.result(), self.against, level, where)


def _start(models: Models, preferred: str) -> dict[str, str]:
    """Where an explorer begins, if nobody says otherwise."""
    return {"encoding": preferred if preferred in models.names else models.names[0]}


def _records(models: Models) -> dict[str, dict[str, Any]]:
    return {} if models.custom else {name: zoo.results(name) for name in models.names}


def first_reach(code: Encoder, eps: float, from_step: int) -> int | None:
    """The first step, from 0, in which a black pixel made brighter by ε says something; a random code may at any."""
    if code.stochastic or eps == 0:
        return from_step if eps > 0 else None
    acting = code(torch.full((1, 1, 1, 1), eps)).flatten(1).any(1)[from_step:].nonzero()
    return from_step + int(acting[0]) if len(acting) else None
