"""Self-checks accept right answers, reject wrong ones, and never give the answer away."""

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from math import inf
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab import INFORMED, Budget, attack
from snnlab.claims import Claim, Comparison, Quantity
from snnlab.encoding import Fusion
from snnlab.evaluation.flags import FLAGS as FLAG_KINDS
from snnlab.evaluation.suites import QUICK
from snnlab.networks.classifier import MLP, Classifier
from snnlab.statistics import Record, wilson_interval
from snnlab.teach import check, checks


def _dark_first(x: Tensor, num_steps: int) -> Tensor:
    t = torch.arange(num_steps).view(-1, 1)
    return (t == torch.floor(x * num_steps)).float()


def _binarise(x: Tensor) -> Tensor:
    soft = torch.sigmoid(10 * (x - 0.5))
    return (x >= 0.5).float() + soft - soft.detach()


def _after_reset(low: float, high: float, beta: float, theta: float) -> tuple[float, float]:
    if high <= theta or low > theta:
        return beta * low - theta * (low > theta), beta * high - theta * (low > theta)
    return min(beta * low, beta * theta - theta), max(beta * theta, beta * high - theta)


def _patience(answers: Tensor, k: int) -> Tensor:
    leaves = torch.full(answers.shape[1:], len(answers))
    for e in range(len(answers), k - 1, -1):
        last = answers[e - k : e]
        leaves[(last == last[0]).all(0) & (last[0] != -1)] = e
    return leaves


def _trusting(answers: Tensor, k: int) -> Tensor:
    """Takes silence for an answer."""
    return _patience(answers.masked_fill(answers == -1, 99), k)


def _joint_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)))


def _through(parts: list[Tensor], gate: tuple[float, ...], k: int) -> Tensor:
    return torch.cat([g * (s if i == k else s.detach()) for i, (s, g) in enumerate(zip(parts, gate, strict=True))], dim=2)


def _reached(train: tuple[int, ...], shift: int) -> set[tuple[int, ...]]:
    times, every = [t for t, s in enumerate(train) if s], range(len(train))
    puts = [at for at in combinations(every, len(times)) if all(abs(a - b) <= shift for a, b in zip(times, at, strict=True))]
    return {tuple(int(t in at) for t in every) for at in puts}


def _ungate(model: Classifier) -> Classifier:
    code = model.encoder
    assert isinstance(code, Fusion)
    network = copy.deepcopy(model.network)
    with torch.no_grad():
        network.layers[0].weight *= torch.tensor(code.gate).repeat_interleave(784)
    return Classifier(network, code.with_gate([1.0, 1.0]), model.decoder)


def _spoilt(model: Classifier) -> Classifier:
    """Works on the network itself."""
    result = _ungate(model)
    model.network.load_state_dict(result.network.state_dict())
    return result


def _shuffled(sequence: Tensor, generator: torch.Generator) -> Tensor:
    return sequence.gather(0, torch.rand(sequence.shape, generator=generator).argsort(0))


def _all_alike(sequence: Tensor, generator: torch.Generator) -> Tensor:
    return sequence[torch.randperm(len(sequence), generator=generator)]


def _rolled(sequence: Tensor, generator: torch.Generator) -> Tensor:
    shifts = torch.randint(1, len(sequence), (1, *sequence.shape[1:]), generator=generator)
    steps = torch.arange(len(sequence)).view(-1, *[1] * (sequence.dim() - 1))
    return sequence.gather(0, (steps + shifts) % len(sequence))


def _events_of(log: Tensor, threshold: float) -> Tensor:
    level, signed = torch.tensor(0.0), []
    for value in (log - log[0]) / threshold:
        new = torch.maximum(torch.minimum(level, value.ceil()), value.floor())
        signed.append(new - level)
        level = new
    return torch.stack(signed[1:])


def _read_twice(
    model: Classifier, images: Tensor, labels: Tensor, generator: torch.Generator, exit_step: int = 8
) -> list[float]:
    sequence = model.encode(images)
    result = []
    with torch.no_grad():
        for shown in (sequence, _shuffled(sequence, generator)):
            answers = model.answers(*model.respond(shown))[exit_step - 1]
            result.append(float((answers == labels).float().mean()))
    return result


def _macs(network: MLP, images: Tensor, skipped: bool = True) -> Tensor:
    activity, macs = images.flatten(1), torch.zeros(len(images))
    for layer, targets in zip(network.layers, network.sizes[1:], strict=True):
        macs += ((activity != 0).sum(1) if skipped else activity.shape[1]) * targets
        activity = torch.relu(layer(activity))
    return macs


def _break_even(ann_macs: float, macs: float, synops: float) -> float:
    ahead, more = 4.6 * (ann_macs - macs) - 0.9 * synops, macs + synops - ann_macs
    return 0.0 if ahead <= 0 else ahead / more if more > 0 else inf


def _worst(correct: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(correct.values())).all(0).float().mean()


def _pgd(model: Classifier, images: Tensor, labels: Tensor, eps: float, reach: float = 1.0) -> Tensor:
    x, rows = images.clone(), torch.arange(len(images))
    with INFORMED.view(model) as seen:
        for _ in range(20):
            x.requires_grad_(True)
            logits = seen(x)
            others = logits.scatter(1, labels[:, None], float("-inf")).amax(1)
            (slope,) = torch.autograd.grad((others - logits[rows, labels]).sum(), x)
            x = (x.detach() + eps / 4 * slope.sign()).clamp(images - reach * eps, images + reach * eps).clamp(0, 1)
    return x


FLAWS = {"A": "stochastic_without_eot", "B": "training_mode", "C": "state_kept", "D": "zero_gradient"}


def _towards(
    model: Classifier, images: Tensor, target: int, eps: float, *, reach: float = 1, sign: float = -1, steps: int = 20
) -> Tensor:
    x, wanted, size = images.clone(), torch.full((len(images),), target), eps / min(steps, 4)
    for _ in range(steps):
        x.requires_grad_(True)
        (slope,) = torch.autograd.grad(F.cross_entropy(model(x), wanted), x)
        x = (x.detach() + sign * size * slope.sign()).clamp(images - reach * eps, images + reach * eps).clamp(0, 1)
    return x


def _first_spike(current: float, beta: float, theta: float) -> int | None:
    u = 0.0
    for t in range(1000):
        u = beta * u + current
        if u > theta:
            return t
    return None


def _read(spikes: Tensor, potential: Tensor) -> int:
    counts = spikes.sum(0)
    if not counts.any():
        return -1
    return int(potential.masked_fill(counts < counts.max(), -inf).argmax())


def _folded(weight: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    scale = gain / torch.sqrt(variance + 1e-5)
    return weight * scale.view(-1, 1, 1, 1), offset - scale * mean


def _stand_in(x: Tensor, num_steps: int, quiet: float, slope: float) -> Tensor:
    edges = (1 - torch.arange(num_steps + 1) / num_steps).clamp(min=quiet)
    soft = torch.sigmoid(slope * (x - edges.view(-1, *[1] * x.dim())))
    return (slope * soft * (1 - soft)).diff(dim=0)


def _hyperbolic(x: Tensor, num_steps: int, quiet: float, slope: float) -> Tensor:
    """Another smooth step: the hyperbolic tangent's."""
    edges = (1 - torch.arange(num_steps + 1) / num_steps).clamp(min=quiet)
    return (slope / 2 * (1 - torch.tanh(slope * (x - edges.view(-1, *[1] * x.dim()))).square())).diff(dim=0)


def _run(right: int, seed: int, clean: int = 90, n: int = 1000, **changed: object) -> Record:
    """A report by the suite quick, as ``record_of`` gives it; ``right`` and ``clean`` in percent."""
    attacks = {a.name: a.description for a in QUICK if not a.on_survivors}
    counts = {name: [[n * clean // 100, n * right // 100]] for name in (*attacks, "worst")}
    origin = {
        "dataset": "mnist5k",
        "split": "test",
        "seed": seed,
        "weights_sha256": f"{right}-{seed}",
        "versions": {"torch": "2"},
    }
    attacks |= {QUICK[-1].name: QUICK[-1].description, "worst": "any"}
    result = {"n": n, "eps": [0.0, 0.1], "num_steps": 8, "exits": [8], "correct": counts, "attacks": attacks}
    silent = {name: [[0, 0]] for name in counts}
    flags = {name: ["single seed"] for name in counts}
    return Record.of({**origin, **result, "silent": silent, "flags": flags, **changed})


def _claim(*comparisons: tuple[str, float, float]) -> Claim:
    made = tuple(Comparison(Quantity("new", eps=e), Quantity("old", eps=e), expect, m) for expect, e, m in comparisons)
    return Claim("mine", "New is better.", "a reader", "here", "A toy.", made)


BETTER = _claim(("higher", 0.1, 0.0), ("not lower", 0.0, 0.05))
RUNS = {"new": [_run(70 + s, s) for s in range(3)], "old": [_run(50 + s, s) for s in range(3)]}
HONEST = {"claim": BETTER, "runs": RUNS, "verdict": "holds"}
RANKS = {"A": 1, "B": 1, "C": 2, "D": "images", "E": "attacks", "F": "flag"}

RIGHT: dict[str, Any] = {
    "encoding.1": {"onset": 9, "offset": 0, "latency": 8},
    "encoding.2": _dark_first,
    "encoding.3": _binarise,
    "training.1": {-0.2: 0, 0.3: 2, 0.7: 5, 1.7: 8},
    "training.2": _shuffled,
    "training.3": _read_twice,
    "energy.1": {"ann": 165.6, "latency": 27.9, "direct": 123.9},
    "energy.2": _macs,
    "energy.3": _break_even,
    "early_exit.1": {"latency": 9, "onset": 10, "offset": 0, "direct": 0},
    "early_exit.2": _patience,
    "early_exit.3": _joint_loss,
    "fusion.1": [0.3, -0.7, 0.3, 0.3],
    "fusion.2": _through,
    "fusion.3": _ungate,
    "honest.1": _worst,
    "honest.2": FLAWS,
    "honest.3": _pgd,
    "events.1": _events_of,
    "events.2": 4,
    "events.3": torch.tensor(0.61),
    "hardware.1": lambda spikes, p, generator: spikes * (torch.rand(spikes.shape, generator=generator) >= p),
    "hardware.2": lambda train, shift: _reached(train, shift),
    "hardware.3": torch.tensor(0.4),
    "proof.1": f"table(rows={'0' * 8} {'0' * 8} 01111111 01111111)",
    "proof.2": 5,
    "proof.3": _after_reset,
    "adversarial.1": lambda changed, image, eps: torch.clamp(changed, image - eps, image + eps).clamp(0, 1),
    "adversarial.2": lambda score, weights: score / weights.abs().sum(),
    "adversarial.3": _towards,
    "neuron.1": [1, 5],
    "neuron.2": _first_spike,
    "neuron.3": _read,
    "cifar10.1": lambda spikes, membrane: membrane + spikes.cumsum(0) - spikes,
    "cifar10.2": lambda snn, ann, n: snn / ann if wilson_interval(snn, n)[0] > 0.1 else None,
    "cifar10.3": _folded,
    "yourturn.1": RANKS,
    "yourturn.2": _stand_in,
    "yourturn.3": HONEST,
}
WRONG = [
    ("encoding.1", {"onset": 8, "offset": 0, "latency": 8}),
    ("encoding.1", {"onset": 9, "offset": 0, "latency": 9}),
    ("encoding.1", {"onset": 9, "offset": 0}),
    ("encoding.1", 3),
    ("encoding.2", 5),
    ("encoding.2", lambda x, num_steps: x),
    ("encoding.2", lambda x, num_steps: _dark_first(1 - x, num_steps)),
    ("encoding.2", lambda x, num_steps: _dark_first(x.clamp(max=0.99), num_steps)),
    ("encoding.2", lambda x, num_steps: x / 0),
    ("encoding.3", lambda x: (x >= 0.5).float()),
    ("encoding.3", lambda x: x),
    ("encoding.3", lambda x: 1),
    ("encoding.3", lambda x: x >= 0.5),
    ("encoding.3", lambda x: (x > 0.5).float() + x - x.detach()),
    ("encoding.3", lambda x: (x >= 0.5) * x / x.detach().clamp(min=1e-3)),
    ("encoding.1", {"onset": 9.5, "offset": 0, "latency": 8}),
    ("encoding.1", {"onset": "9", "offset": 0, "latency": 8}),
    ("encoding.3", lambda x: (x >= 0.5).numpy().astype("float32")),
    ("training.1", {-0.2: 0, 0.3: 2.4, 0.7: 5.6, 1.7: 8}),
    ("early_exit.1", {"latency": 9, "onset": None, "offset": 0, "direct": 0}),
    ("training.1", {-0.2: 0, 0.3: 3, 0.7: 5, 1.7: 8}),
    ("training.1", {-0.2: 0, 0.3: 2, 0.7: 6, 1.7: 8}),
    ("training.1", {-0.2: 0, 0.3: 2, 0.7: 5, 1.7: 13}),
    ("training.1", {0.3: 2}),
    ("training.1", 2),
    ("training.2", 3),
    ("training.2", lambda sequence, generator: sequence),
    ("training.2", lambda sequence, generator: sequence.flatten(2)),
    ("training.2", lambda sequence, generator: torch.rand(sequence.shape, generator=generator)),
    ("training.2", lambda sequence, generator: sequence.flip(0)),
    ("training.2", lambda sequence, generator: _shuffled(sequence, torch.Generator().manual_seed(0))),
    ("training.2", _all_alike),
    ("training.2", _rolled),
    ("training.2", lambda sequence, generator: _shuffled(sequence[:, :1], generator).repeat(1, 2, 1, 1, 1)),
    ("training.3", 0.5),
    ("training.3", lambda *given: 0.5),
    ("training.3", lambda *given: (50, 20)),
    ("training.3", lambda *given: (0.123, 0.1)),
    ("training.3", lambda *given: _read_twice(*given)[::-1]),
    ("training.3", lambda *given: _read_twice(*given)[:1] * 2),
    ("training.3", lambda *given: [_read_twice(*given)[0], 1.0]),
    ("training.3", lambda *given: _read_twice(*given, exit_step=2)),
    ("energy.1", {"ann": 165.6, "latency": 27.9, "direct": 896.7}),
    ("energy.1", {"ann": 165.6, "latency": 35.1, "direct": 123.9}),
    ("energy.1", {"ann": 128.8, "latency": 27.9, "direct": 123.9}),
    ("energy.1", {"ann": 165.6}),
    ("energy.1", 165.6),
    ("energy.2", 12),
    ("energy.2", lambda network, images: 12),
    ("energy.2", lambda network, images: _macs(network, images).mean()),
    ("energy.2", lambda network, images: _macs(network, images, skipped=False)),
    ("energy.2", lambda network, images: (images.flatten(1) != 0).sum(1) * network.sizes[1]),
    ("energy.2", lambda network, images: (images.flatten(1) != 0).sum(1) * sum(network.sizes[1:])),
    ("energy.3", 2.0),
    ("energy.3", lambda ann_macs, macs, synops: (4.6 * (ann_macs - macs) - 0.9 * synops) / (macs + synops - ann_macs)),
    ("energy.3", lambda ann_macs, macs, synops: max(0.0, _break_even(ann_macs, 0, synops))),
    ("energy.3", lambda *ops: min(_break_even(*ops), 1e6)),
    ("energy.3", lambda *ops: _break_even(*ops) or inf),
    ("early_exit.1", {"latency": 9, "onset": 9, "offset": 0, "direct": 0}),
    ("early_exit.1", {"latency": 10, "onset": 10, "offset": 0, "direct": 0}),
    ("early_exit.1", {"latency": 9, "onset": 10, "offset": 1, "direct": 0}),
    ("early_exit.1", {"latency": 9}),
    ("early_exit.1", 9),
    ("early_exit.2", 2),
    ("early_exit.2", lambda answers, k: answers),
    ("early_exit.2", _trusting),
    ("early_exit.2", lambda answers, k: _patience(answers, k) - 1),
    ("early_exit.2", lambda answers, k: _patience(answers, 2)),
    ("early_exit.3", 0.5),
    ("early_exit.3", lambda logits, labels: F.cross_entropy(logits[-1], labels)),
    ("early_exit.3", lambda logits, labels: F.cross_entropy(logits.mean(0), labels)),
    ("early_exit.3", lambda logits, labels: _joint_loss(logits, labels).detach()),
    ("early_exit.3", lambda logits, labels: torch.stack([F.cross_entropy(z, labels) for z in logits])),
    ("events.1", 1),
    ("events.1", lambda log, threshold: (log.diff() / threshold).round()),
    ("events.1", lambda log, threshold: ((log - log[0]) / threshold).floor().diff()),
    ("events.1", lambda log, threshold: _events_of(log, threshold).abs()),
    ("events.1", lambda log, threshold: _events_of(log, threshold).clamp(-1, 1)),
    ("events.2", 5),
    ("events.2", 2),
    ("events.2", 4.8),
    ("events.3", 0.95),
    ("events.3", 0.1),
    ("events.3", 60),
    ("hardware.1", 0.5),
    ("hardware.1", lambda spikes, p, generator: spikes * (torch.rand(spikes.shape, generator=generator) < p)),
    ("hardware.1", lambda spikes, p, generator: spikes * (torch.rand(spikes.shape) >= p)),
    ("hardware.1", lambda spikes, p, generator: spikes * (1 - p)),
    ("hardware.1", lambda spikes, p, generator: spikes * (torch.rand(spikes.shape[2:], generator=generator) >= p)),
    ("hardware.1", lambda spikes, p, generator: (torch.rand(spikes.shape, generator=generator) >= p).float()),
    ("hardware.2", [(1, 0)]),
    ("hardware.2", lambda train, shift: [train]),
    ("hardware.2", lambda train, shift: _reached(train, shift + 1)),
    ("hardware.2", lambda train, shift: _reached(train, shift) - {train}),
    ("hardware.2", lambda train, shift: _reached(train, shift) | {(1,) * len(train)}),
    ("hardware.2", lambda train, shift: {put[:-1] for put in _reached(train, shift)}),
    ("hardware.2", lambda train, shift: 3),
    ("hardware.3", 0.05),
    ("hardware.3", 0.45),
    ("hardware.3", 40),
    ("proof.1", 0.5),
    ("proof.1", "onset"),
    ("proof.1", "table(rows=00 01)"),
    ("proof.1", "table(rows=00000000 01111111)"),
    ("proof.1", f"table(rows={'0' * 8} {'0' * 8} {'0' * 8} 01111111)"),
    ("proof.2", 1),  # proved
    ("proof.2", 3),  # misread
    ("proof.2", 0),  # broken by an attack
    ("proof.2", 100),
    ("proof.2", [5, 9]),
    ("proof.3", 0.5),
    ("proof.3", lambda low, high, beta, theta: (beta * low, beta * high)),
    ("proof.3", lambda low, high, beta, theta: (beta * low - theta, beta * high)),
    ("proof.3", lambda low, high, beta, theta: _after_reset(low, high, beta, theta)[::-1]),
    ("proof.3", lambda low, high, beta, theta: beta * low),
    ("fusion.1", [0.6, -0.4, 0.6, 0.6]),
    ("fusion.1", [0.3, 0.3, -0.7, 0.3]),
    ("fusion.1", 0.3),
    ("fusion.1", [0.3, -0.7, 0.3]),
    ("fusion.1", [[0.3, -0.7, 0.3, 0.3]]),
    ("fusion.1", ["0.3", "-0.7", "0.3", "0.3"]),
    ("fusion.2", torch.zeros(1)),
    ("fusion.2", lambda parts, gate, k: gate[k] * parts[k]),
    ("fusion.2", lambda parts, gate, k: torch.cat([g * s for g, s in zip(gate, parts, strict=True)], dim=2)),
    ("fusion.2", lambda parts, gate, k: _through(parts, gate, k).detach()),
    ("fusion.2", lambda parts, gate, k: _through(parts, (1.0, 1.0, 1.0), k)),
    ("fusion.3", 1),
    ("fusion.3", lambda model: model),
    ("fusion.3", lambda model: model.at(encoder=model.encoder.with_gate([1.0, 1.0]))),
    ("fusion.3", _spoilt),
    ("honest.1", 0.5),
    ("honest.1", lambda correct: min(c.float().mean() for c in correct.values())),
    ("honest.1", lambda correct: torch.stack(list(correct.values())).float().mean()),
    ("honest.1", lambda correct: torch.stack(list(correct.values())).any(0).float().mean()),
    ("honest.1", lambda correct: 50 * _worst(correct)),
    ("honest.2", "A"),
    ("honest.2", FLAWS | {"A": "state_kept"}),
    ("honest.2", FLAWS | {"B": "drop"}),
    ("honest.2", {"A": "state_kept"}),
    ("adversarial.1", 0.1),
    ("adversarial.1", lambda changed, image, eps: changed),
    ("adversarial.1", lambda changed, image, eps: changed.clamp(0, 1)),
    ("adversarial.1", lambda changed, image, eps: torch.clamp(changed, image - eps, image + eps)),
    ("adversarial.1", lambda changed, image, eps: image),
    ("adversarial.2", 0.1),
    ("adversarial.2", lambda score, weights: score / weights.norm()),
    ("adversarial.2", lambda score, weights: score / weights.sum()),
    ("adversarial.3", 3),
    ("adversarial.3", lambda model, images, target, eps: images),
    ("adversarial.3", lambda model, images, target, eps: _towards(model, images, target, eps, reach=2)),
    ("adversarial.3", lambda model, images, target, eps: _towards(model, images, target, eps, sign=1)),
    ("adversarial.3", lambda model, images, target, eps: _towards(model, images, target, eps, steps=1)),
    ("adversarial.3", lambda model, images, target, eps: _towards(model, images, target, eps, steps=2)),
    ("neuron.1", 4),
    ("neuron.1", [1]),
    ("neuron.1", [1, 2, 5]),
    ("neuron.1", [1.2, 5]),
    ("neuron.1", [2, 6]),
    ("neuron.1", [0, 1, 0, 0, 0, 1]),
    ("neuron.1", ["1", "5"]),
    ("neuron.1", [[1, 5]]),
    ("neuron.2", 3),
    ("neuron.2", lambda current, beta, theta: 0),
    ("neuron.2", lambda current, beta, theta: None),
    ("neuron.2", lambda *given: None if _first_spike(*given) is None else _first_spike(*given) + 1),
    ("neuron.2", lambda *given: None if _first_spike(*given) is None else _first_spike(*given) + 0.5),
    ("neuron.3", -1),
    ("neuron.3", lambda spikes, potential: int(spikes.sum(0).argmax())),
    ("neuron.3", lambda spikes, potential: -1),
    ("neuron.3", lambda spikes, potential: int(spikes.sum(0).argmax()) if spikes.any() else -1),
    ("neuron.3", lambda spikes, potential: int(potential.argmax()) if spikes.any() else -1),
    ("neuron.3", lambda spikes, potential: int((spikes.sum(0) + potential).argmax()) if spikes.any() else -1),
    ("cifar10.1", 0.5),
    ("cifar10.1", lambda spikes, membrane: membrane),
    ("cifar10.1", lambda spikes, membrane: membrane + spikes.cumsum(0)),
    ("cifar10.1", lambda spikes, membrane: (membrane + spikes.cumsum(0) - spikes)[-1]),
    ("cifar10.2", 2.0),
    ("cifar10.2", lambda snn, ann, n: snn / ann if ann else None),
    ("cifar10.2", lambda snn, ann, n: snn / ann if snn > n / 10 else None),
    ("cifar10.2", lambda snn, ann, n: None),
    ("cifar10.3", lambda weight, gain, offset, mean, variance: (weight, offset)),
    (
        "cifar10.3",
        lambda weight, gain, offset, mean, variance: (_folded(weight, gain, offset, mean, variance)[0], offset - mean),
    ),
    ("cifar10.3", lambda weight, gain, offset, mean, variance: _folded(weight, gain, offset, mean, variance.square())),
    ("cifar10.3", lambda weight, gain, offset, mean, variance: (weight[0], offset)),
    ("cifar10.3", lambda weight, gain, offset, mean, variance: weight),
    ("cifar10.3", lambda weight, gain, offset, mean, variance: _folded(weight, gain, offset, mean, variance)[::-1]),
    ("honest.3", 0.1),
    ("honest.3", lambda model, images, labels, eps: images),
    ("honest.3", lambda model, images, labels, eps: images[:1]),
    ("honest.3", lambda *given: _pgd(*given, reach=2.0)),
    ("honest.3", lambda model, images, labels, eps: attack(model, images, labels, Budget(eps), "pgd", INFORMED).images),
    ("yourturn.1", 1),
    ("yourturn.1", {"A": 1}),
    ("yourturn.1", RANKS | {"C": 1}),
    ("yourturn.1", RANKS | {"C": 3}),
    ("yourturn.1", RANKS | {"C": "flag"}),
    ("yourturn.1", RANKS | {"D": 1}),
    ("yourturn.1", RANKS | {"E": "flag"}),
    ("yourturn.1", RANKS | {"E": "blind"}),
    ("yourturn.2", 0.5),
    ("yourturn.2", lambda x, num_steps, quiet, slope: _stand_in(x, num_steps, quiet, slope).sum(0)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: _stand_in(x, num_steps, 0.0, slope)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: _stand_in(x, num_steps, quiet, 10.0)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: _stand_in(x, num_steps, quiet, 200.0)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: _stand_in(x, num_steps, quiet, slope).flip(0)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: -_stand_in(x, num_steps, quiet, slope)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: (x > quiet) * _stand_in(x, num_steps, quiet, slope)),
    ("yourturn.2", lambda x, num_steps, quiet, slope: torch.zeros(num_steps, *x.shape)),
    ("yourturn.3", True),
    ("yourturn.3", HONEST | {"claim": "New is better."}),
    ("yourturn.3", HONEST | {"verdict": "holds in part"}),
    ("yourturn.3", HONEST | {"runs": {"new": RUNS["new"]}}),
    ("yourturn.3", HONEST | {"claim": _claim(("higher", 0.1, 0.0))}),
    ("yourturn.3", HONEST | {"claim": _claim(("not lower", 0.1, 0.05), ("not lower", 0.0, 0.05))}),
    ("yourturn.3", HONEST | {"runs": RUNS | {"new": RUNS["new"][:2]}}),
    ("yourturn.3", HONEST | {"runs": RUNS | {"new": [replace(RUNS["new"][0], seed=s) for s in range(3)]}}),
    ("yourturn.3", HONEST | {"runs": RUNS | {"new": [replace(r, attacks={"fgsm.naive": "FGSM"}) for r in RUNS["new"]]}}),
    ("yourturn.3", HONEST | {"runs": RUNS | {"new": [_run(50, s, n=99) for s in range(3)]}}),
    ("yourturn.3", HONEST | {"runs": RUNS | {"old": [_run(50 + s, s, clean=60) for s in range(3)]}}),
    (
        "yourturn.3",
        HONEST | {"runs": RUNS | {"new": [_run(70 + s, s, zero_gradient={"fgsm.naive": [0.9]}) for s in range(3)]}},
    ),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name: str) -> None:
    """The solutions of the chapters are tested as assignments; these are other ones."""
    assert check(name, RIGHT[name]).passed


@pytest.mark.parametrize("name", checks())
def test_an_answer_of_the_wrong_kind_gets_a_hint(name: str) -> None:
    verdict = check(name, object())
    assert verdict.passed is False
    assert verdict.hint
    assert "your answer raised" not in verdict.hint


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_wrong_answers_get_a_hint(name: str, answer: object) -> None:
    verdict = check(name, answer)
    assert verdict.passed is False
    assert verdict.hint
    assert repr(verdict).startswith("✗")


def test_the_factor_may_be_computed_before_guessing_is_excluded() -> None:
    def times(snn: int, ann: int, n: int) -> float | None:
        factor = snn / ann
        return None if wilson_interval(snn, n)[0] <= 0.1 else factor

    assert check("cifar10.2", times).passed


def _each(kind: Callable[[Any], Any], values: dict[Any, int]) -> dict[Any, Any]:
    return {key: kind(value) for key, value in values.items()}


#: types in which a reader may give what is right, as functions of a tensor
TYPES: dict[str, Callable[[Tensor], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(x.tolist()),
    "array": lambda x: x.detach().numpy(),
    "list of numpy numbers": lambda x: list(x.detach().numpy()),
    "list of tensors": lambda x: list(x.detach()),
    "double": lambda x: x.double(),
}
NUMBERS: dict[str, Callable[[int], Any]] = {
    "float": float,
    "numpy integer": np.int64,
    "numpy float": np.float32,
    "tensor": torch.tensor,
    "tensor of one": lambda x: torch.tensor([x]),
    "array of one": lambda x: np.array([x]),
}
#: answers by exercise, as functions of a type for sequences
SEQUENCES: dict[str, Callable[[Callable[[Tensor], Any]], Any]] = {
    "adversarial.1": lambda kind: lambda *given: kind(RIGHT["adversarial.1"](*given)),
    "neuron.1": lambda kind: kind(torch.tensor([1, 5])),
    "encoding.2": lambda kind: lambda *given: kind(_dark_first(*given)),
    "training.2": lambda kind: lambda *given: kind(_shuffled(*given).detach()),
    "training.3": lambda kind: lambda *given: kind(torch.tensor(_read_twice(*given))),
    "early_exit.2": lambda kind: lambda *given: kind(_patience(*given)),
    "fusion.1": lambda kind: kind(torch.tensor(RIGHT["fusion.1"])),
    "energy.2": lambda kind: lambda *given: kind(_macs(*given)),
    "cifar10.1": lambda kind: lambda *given: kind(RIGHT["cifar10.1"](*given)),
    "cifar10.3": lambda kind: lambda *given: tuple(kind(part) for part in _folded(*given)),
    "yourturn.2": lambda kind: lambda *given: kind(_stand_in(*given)),
}
#: likewise, of a type for numbers
SINGLE: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "adversarial.2": lambda kind: lambda *given: kind(float(RIGHT["adversarial.2"](*given))),
    "neuron.1": lambda kind: [kind(1), kind(5)],
    "neuron.2": lambda kind: lambda *given: None if (step := _first_spike(*given)) is None else kind(step),
    "neuron.3": lambda kind: lambda *given: kind(_read(*given)),
    "encoding.1": lambda kind: _each(kind, RIGHT["encoding.1"]),
    "training.1": lambda kind: _each(kind, RIGHT["training.1"]),
    "early_exit.1": lambda kind: _each(kind, RIGHT["early_exit.1"]),
    "energy.1": lambda kind: _each(kind, RIGHT["energy.1"]),
    "energy.3": lambda kind: lambda *given: kind(_break_even(*given)),
    "fusion.1": lambda kind: [kind(value) for value in RIGHT["fusion.1"]],
    "honest.1": lambda kind: lambda correct: kind(float(_worst(correct))),
    "cifar10.2": lambda kind: lambda *given: None if (factor := RIGHT["cifar10.2"](*given)) is None else kind(factor),
    "yourturn.1": lambda kind: {name: rank if isinstance(rank, str) else kind(rank) for name, rank in RANKS.items()},
}
#: exercises whose answers are lists of numbers, and those whose answers are fractions
LISTED, FRACTIONS = {"neuron.1", "fusion.1"}, {"adversarial.2", "energy.1", "energy.3", "fusion.1", "honest.1", "cifar10.2"}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", SEQUENCES)
def test_what_is_right_passes_in_any_type_of_sequence(name: str, kind: str) -> None:
    nested = kind.startswith("list of") and name in {
        "adversarial.1",
        "encoding.2",
        "training.2",
        "cifar10.1",
        "cifar10.3",
        "yourturn.2",
    }  # torch reads no lists of arrays
    if not nested:
        assert check(name, SEQUENCES[name](TYPES[kind])).passed


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("name", SINGLE)
def test_what_is_right_passes_in_any_type_of_number(name: str, kind: str) -> None:
    if not (name in LISTED and kind.endswith("of one")) and not (name in FRACTIONS and kind == "numpy integer"):
        assert check(name, SINGLE[name](NUMBERS[kind])).passed


def test_steps_may_be_a_set_and_in_any_order() -> None:
    assert check("neuron.1", {5, 1}).passed
    assert check("neuron.1", [5, 1]).passed


def test_common_mistakes_are_named() -> None:
    assert "counted from 1" in check("neuron.1", [2.0, 6.0]).hint
    assert "spike train" in check("neuron.1", torch.tensor([0, 1, 0, 0, 0, 1])).hint
    assert "whole number, got 2.4" in check("training.1", {-0.2: 0, 0.3: 2.4, 0.7: 5.6, 1.7: 8}).hint
    assert "the gate scales" in check("fusion.1", [1.2, 0.2, 1.2, 1.2]).hint
    assert "at another step" in check("fusion.1", [-0.7, 0.3, 0.3, 0.3]).hint
    assert "in nJ" in check("energy.1", {"ann": 0.1656, "latency": 0.0279, "direct": 0.1239}).hint
    assert "other way round" in check("cifar10.2", lambda snn, ann, n: ann / snn).hint
    assert "a fraction" in check("honest.1", lambda correct: 100 * _worst(correct)).hint
    assert "choose from holds" in check("yourturn.3", HONEST | {"verdict": "true"}).hint
    assert "x ≥ 0.5" in check("encoding.3", lambda x: (x > 0.5).float() + x - x.detach()).hint


def test_any_useful_gradient_may_stand_behind_the_threshold() -> None:
    """Also the straight-through rule, which passes the gradient on as it is."""
    assert check("encoding.3", lambda x: (x >= 0.5).float() + x - x.detach()).passed


def test_a_flag_may_be_given_itself_and_parameters_may_have_any_name() -> None:
    assert check("honest.2", {name: FLAG_KINDS[flag] for name, flag in FLAWS.items()}).passed
    assert check("cifar10.3", lambda w, gamma, b, mu, sigma2: _folded(w, gamma, b, mu, sigma2)).passed


def test_the_exit_of_latency_is_named_where_it_is_given_for_onset() -> None:
    assert "greater than" in check("early_exit.1", {"latency": 9, "onset": 9, "offset": 0, "direct": 0}).hint


def test_spikes_may_be_booleans() -> None:
    assert check("encoding.2", lambda x, num_steps: torch.arange(num_steps)[:, None] == torch.floor(x * num_steps)).passed


def test_another_smooth_step_stands_in_as_well() -> None:
    assert check("yourturn.2", _hyperbolic).passed


def test_a_claim_that_was_refuted_passes_as_well_as_one_that_holds() -> None:
    runs = {"new": RUNS["old"], "old": RUNS["new"]}
    assert not check("yourturn.3", HONEST | {"runs": runs}).passed
    assert check("yourturn.3", HONEST | {"runs": runs, "verdict": "mixed"}).passed
    alone = _claim(("higher", 0.1, 0.0), ("higher", 0.0, 0.0))
    assert check("yourturn.3", {"claim": alone, "runs": runs, "verdict": "does not hold here"}).passed


def test_dots_are_no_answer_and_unknown_exercises_are_named() -> None:
    assert all(check(name, ...).passed is None for name in checks())
    with pytest.raises(ValueError, match=r"choose one of adversarial\.1"):
        check("encoding.99", 0)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("training.1", {"-0.2": 0, "0.3": 2, "0.7": 5, "1.7": 8}),
        ("neuron.1", torch.tensor([[1], [5]])),
        ("yourturn.1", {entry: str(rank) for entry, rank in RANKS.items()}),
    ],
)
def test_what_is_right_is_accepted_as_text_and_as_nonzero_returns_it(name: str, answer: Any) -> None:
    assert check(name, answer).passed


def test_an_energy_that_was_rounded_is_called_rounded() -> None:
    assert check("energy.1", {"ann": 166, "latency": 27.9, "direct": 123.9}).hint == (
        "ann: nearly right, but rounded; give it to 0.1 pJ"
    )
