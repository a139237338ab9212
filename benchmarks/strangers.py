"""A stranger's attacks: what do attacks that the suite does not contain break of what it leaves?

    python benchmarks/strangers.py                      # the networks and ε below
    python benchmarks/strangers.py latency --eps 0.2    # of your choice

Each network is attacked by the suite "standard" on the first 200 test digits, at the last exit. Three attacks that the suite
does not contain then try the survivors:

============ =========================================================================================================
mixture      every pixel holds a softmax over the trains in reach; Adam climbs on the logits of it, the temperature falls, and
             every iterate is judged at its most probable trains
exchange     single changes of one pixel's train, the 24 of largest score and 8 at random, each tried exactly; the best is kept
borrowed     images that break other networks on the same code, as they are and as the start of a short search
============ =========================================================================================================

Wanted: no number falls by more than two points (``MOST``). The suite's own attacks, four times as long, stand beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import AdaptiveSharpness, Budget, has_trains, spike_train_attack, use_surrogate
from snnlab.attacks.goal import Goal
from snnlab.attacks.spike_train import TrainSearch
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights

SAMPLES, MOST = 200, 0.02
NETWORKS = ("latency", "onset", "pgd-latency", "trades-latency", "fgsm-onset", "tsslbp-latency", "fusion-onset-latency")
RADII = (0.1, 0.2)
Attack = Callable[[Classifier, Tensor, Tensor, Budget, int], Tensor]


def _search(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, seed: int) -> TrainSearch:
    return TrainSearch(classifier, images, Goal.of(classifier, labels), budget, 1, torch.Generator().manual_seed(seed))


def mixture(
    classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, seed: int, steps: int = 150, restarts: int = 3
) -> Tensor:
    """Return who is broken, ``[N]``."""
    broken = torch.zeros(len(labels), dtype=torch.bool)
    for restart in range(restarts):
        search = _search(classifier, images, labels, budget, seed + restart)
        search.begin(images)
        trains = search.table.trains.squeeze(-1)  # [B, T]
        bins = torch.arange(len(trains))
        out = (bins < search.first[..., None]) | (bins > search.last[..., None])  # [N, P, B]
        generator = torch.Generator().manual_seed(100 + seed + restart)
        logits = torch.randn(out.shape, generator=generator).requires_grad_(True)
        adam = torch.optim.Adam([logits], lr=0.3)
        used = AdaptiveSharpness(0.45)
        with use_surrogate(classifier.network, used), freeze_weights(classifier.network):
            for step in range(steps):
                used.begin()
                temperature = 0.05 ** (step / (steps - 1))
                mixed = (logits / temperature).masked_fill(out, -torch.inf).softmax(-1) @ trains  # [N, P, T]
                value = _loss(search, mixed.permute(2, 0, 1))
                adam.zero_grad()
                (-value.sum()).backward()
                adam.step()
                if step % 5 == 4:
                    chosen = logits.detach().masked_fill(out, -torch.inf).argmax(-1)
                    broken |= Goal.of(classifier, labels).reached_by(classifier, _images(search, chosen))
    return broken


def exchange(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, seed: int, rounds: int = 60) -> Tensor:
    """Return who is broken, ``[N]``."""
    start = spike_train_attack(classifier, images, labels, budget, steps=60, generator=torch.Generator().manual_seed(seed))
    broken = start.success.clone()
    search = _search(classifier, images, labels, budget, seed)
    search.begin(start.images)
    num, pixels = search.bins.shape
    generator = torch.Generator().manual_seed(200 + seed)
    trains = search.table.trains[:, : search.read_steps].squeeze(-1)
    everywhere, rows = torch.arange(num * pixels), torch.arange(num)
    for _ in range(rounds):
        used = AdaptiveSharpness(0.4 + 0.09 * float(torch.rand((), generator=generator)))
        with use_surrogate(classifier.network, used), freeze_weights(classifier.network):
            _, _, gradient = search.look(used)
        best, _, gain = search.best(gradient, everywhere)
        best = best.view(num, pixels)
        by_score = gain.view(num, pixels).topk(24, dim=1).indices
        at_random = torch.randint(pixels, (num, 8), generator=generator)
        tried = torch.cat([by_score, at_random], dim=1)  # [N, C]
        drawn = search.first + (torch.rand(num, pixels, generator=generator) * (search.last - search.first + 1)).long()
        into = torch.cat([best.gather(1, by_score), drawn.gather(1, at_random)], dim=1)
        sequence = search.leaf.squeeze(1)[:, :, None].repeat(1, 1, tried.shape[1], 1)  # [T, N, C, P]
        changed = trains[into].permute(2, 0, 1)[..., None]  # [T, N, C, 1]
        sequence.scatter_(3, tried.expand(len(sequence), *tried.shape)[..., None], changed)
        with torch.no_grad():
            values = _loss(search, sequence.flatten(1, 2), labels.repeat_interleave(tried.shape[1])).view(num, -1)
        kept = values.argmax(1)
        pixel, train = tried[rows, kept], into[rows, kept]
        search.bins[rows, pixel] = train
        search.leaf[:, 0, rows, pixel] = trains[train].T
        broken |= Goal.of(classifier, labels).reached_by(classifier, _images(search, search.bins))
    return broken


def borrowed(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, seed: int) -> Tensor:
    """Return who is broken, ``[N]``."""
    broken = torch.zeros(len(labels), dtype=torch.bool)
    for number, other in enumerate(_relatives(classifier)):
        made = spike_train_attack(
            other, images, labels, budget, steps=60, restarts=2, generator=torch.Generator().manual_seed(seed + number)
        ).images
        broken |= Goal.of(classifier, labels).reached_by(classifier, made)
        generator = torch.Generator().manual_seed(300 + seed + number)
        broken |= spike_train_attack(classifier, images, labels, budget, steps=60, start=made, generator=generator).success
    return broken


def longer(classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, seed: int) -> Tensor:
    """The suite's own search, four times as long: who is broken, ``[N]``."""
    generator = torch.Generator().manual_seed(400 + seed)
    return spike_train_attack(classifier, images, labels, budget, steps=200, restarts=8, generator=generator).success


ATTACKS: dict[str, Attack] = {"mixture": mixture, "exchange": exchange, "borrowed": borrowed, "longer": longer}


def _relatives(classifier: Classifier) -> list[Classifier]:
    """Four other networks of the zoo on the same code, other seeds too."""
    assert classifier.encoder is not None
    found = []
    for name in zoo.names():
        other = zoo.load(name)
        if other.encoder is not None and other.encoder.title == classifier.encoder.title:
            found += [zoo.load(name, seed) for seed in zoo.seeds()[1:]]
    return found[:4]


def _loss(search: TrainSearch, sequence: Tensor, labels: Tensor | None = None) -> Tensor:
    """The search's loss of a sequence ``[T, N, P]``, as encoded by the trains of one part."""
    shaped = sequence[: search.read_steps].unflatten(-1, search.shape)
    logits, membrane = search.classifier.respond(shaped)
    if labels is None:
        return search._loss(logits, membrane)
    aimed, search.goal = search.goal, Goal.of(search.classifier, labels)
    value = search._loss(logits, membrane)
    search.goal = aimed
    return value


def _images(search: TrainSearch, bins: Tensor) -> Tensor:
    nearest = search._nearest(bins.reshape(-1), torch.arange(bins.numel()))
    return nearest.view(-1, *search.shape)


def main() -> None:
    """Print a row a network and ε: what the suite leaves, and what each of the stranger's attacks leaves of that."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("networks", nargs="*", default=NETWORKS)
    asked.add_argument("--eps", type=float, nargs="*", default=RADII)
    asked.add_argument("--samples", type=int, default=SAMPLES)
    told = asked.parse_args()
    torch.set_num_threads(1)
    digits = data.load("mnist5k").test[slice(told.samples)]
    print(f"| network | ε | standard | {' | '.join(ATTACKS)} | all |\n|{' --- |' * (len(ATTACKS) + 4)}")
    worst = 0.0
    for name in told.networks:
        classifier = zoo.load(name)
        if not has_trains(classifier.encoder):
            raise SystemExit(f"{name} has no spike trains to search among")
        source = zoo.load(zoo.evaluation_settings()["source"])
        found = evaluate_robustness(classifier, digits, [0.0, *told.eps], "standard", source=source, progress=False)
        assert found.unbroken is not None
        for k, eps in enumerate(told.eps, start=1):
            rows = torch.nonzero(found.unbroken[k]).flatten()
            broken = {
                attack: run(classifier, digits.images[rows], digits.labels[rows], Budget(eps), k)
                for attack, run in ATTACKS.items()
                if not (attack in ("mixture", "exchange") and classifier.encoder.channel_factor > 1)
            }
            left = {attack: len(rows) - int(broken[attack].sum()) if attack in broken else None for attack in ATTACKS}
            by_any = torch.stack(list(broken.values())).any(0)
            cells = ["–" if n is None else f"{n / len(digits):.3f}" for n in left.values()]
            fell = float(by_any.sum()) / len(digits)
            worst = max(worst, *(float(b.sum()) / len(digits) for b in broken.values()))
            print(f"| {name} | {eps:g} | {len(rows) / len(digits):.3f} | {' | '.join(cells)} | −{fell:.3f} |", flush=True)
    print(f"\nThe largest fall by one attack: {worst:.3f} ({'within' if worst <= MOST else 'more than'} {MOST:g}).")


if __name__ == "__main__":
    main()
