r"""Attacks on a classifier, inside a budget that every result is checked against.

An attack looks for images :math:`x'` with :math:`\lVert x' - x\rVert_\infty \le ε` on [0, 1] that raise the
cross-entropy :math:`L` of the logits at the exit step in use:

.. math::

    \text{FGSM:}\quad & x' = \mathrm{clip}(x + ε\,\mathrm{sign} ∇_x L) \\
    \text{PGD:}\quad & x'_{i+1} = \mathrm{clip}(Π_ε(x'_i + α\,\mathrm{sign} ∇ L(x'_i))), \quad x'_0 = x + U(-ε, ε)

(Goodfellow et al. 2015; Madry et al. 2018). FGSM and PGD are those of ``torchattacks`` (Kim 2020), which sees a
``Classifier`` as an ordinary ``images -> logits`` module: encoder, exit step and backward rule are inside.

What the gradient is, the *attacker* decides. ``NAIVE`` takes the encoder's straight-through rule and the surrogate the
network was trained with, as the field does. ``INFORMED`` knows that the code is a step and replaces it, in the backward
pass only, by a smooth one (BPDA, Athalye et al. 2018), with a surrogate of heavier tails. Forward passes are the same.
"""

from snnlab.attack.attacker import ATTACKERS, ENSEMBLE, INFORMED, NAIVE, Attacker
from snnlab.attack.budget import NORMS, Budget
from snnlab.attack.lattice import lattice, lattice_attack
from snnlab.attack.losses import LOSSES
from snnlab.attack.methods import ATTACKS, attack
from snnlab.attack.result import AttackResult, forked_rng, input_gradient, judged, step_size
from snnlab.attack.sapgd import sa_pgd
from snnlab.attack.sharpness import AdaptiveSharpness
from snnlab.attack.spike_train import has_trains, spike_train_attack
from snnlab.swapping import surrogate_of

__all__ = [
    "ATTACKERS",
    "ATTACKS",
    "ENSEMBLE",
    "INFORMED",
    "LOSSES",
    "NAIVE",
    "NORMS",
    "AdaptiveSharpness",
    "AttackResult",
    "Attacker",
    "Budget",
    "attack",
    "forked_rng",
    "has_trains",
    "input_gradient",
    "judged",
    "lattice",
    "lattice_attack",
    "sa_pgd",
    "spike_train_attack",
    "step_size",
    "surrogate_of",
]
