r"""Attacks on a classifier, inside a budget that every result is verified against.

FGSM and PGD raise the cross-entropy :math:`L` of the logits at the exit step in use:

.. math::

    \text{FGSM:}\quad & x' = \mathrm{clip}(x + ε\,\mathrm{sign} ∇_x L) \\
    \text{PGD:}\quad & x'_{i+1} = \mathrm{clip}(Π_ε(x'_i + α\,\mathrm{sign} ∇ L(x'_i))), \quad x'_0 = x + U(-ε, ε)

(Goodfellow et al. 2015; Madry et al. 2018). ``attack`` runs any registered attack by its name; ``register_attack`` adds one. The
``Attacker`` decides what the gradient is; ``snnlab.attacks.peers`` has those of other papers.
"""

from snnlab.attacks import methods as methods  # registers the attacks of the field
from snnlab.attacks.attacker import ATTACKERS, ENSEMBLE, INFORMED, NAIVE, Attacker
from snnlab.attacks.base import Attack
from snnlab.attacks.budget import NORMS, Budget
from snnlab.attacks.goal import LOSSES
from snnlab.attacks.lattice import LatticeSearch
from snnlab.attacks.registry import ATTACKS, attack, register_attack
from snnlab.attacks.result import AttackResult, forked_rng, input_gradient, judged, step_size
from snnlab.attacks.retiming import retiming_attack
from snnlab.attacks.sa_pgd import sa_pgd_attack
from snnlab.attacks.sharpness import AdaptiveSharpness
from snnlab.attacks.spike_train import has_trains, spike_train_attack
from snnlab.attacks.time_budget import TimeBudget
from snnlab.attacks.time_restricted import TimeRestricted
from snnlab.networks.contexts import use_surrogate

__all__ = [
    "ATTACKERS",
    "ATTACKS",
    "ENSEMBLE",
    "INFORMED",
    "LOSSES",
    "NAIVE",
    "NORMS",
    "AdaptiveSharpness",
    "Attack",
    "AttackResult",
    "Attacker",
    "Budget",
    "LatticeSearch",
    "TimeBudget",
    "TimeRestricted",
    "attack",
    "forked_rng",
    "has_trains",
    "input_gradient",
    "judged",
    "register_attack",
    "retiming_attack",
    "sa_pgd_attack",
    "spike_train_attack",
    "step_size",
    "use_surrogate",
]
