"""Flags: what qualifies a robust accuracy, in sentences that stand beside the number and are never dropped.

An attack that fails proves nothing until it is known why it failed. Each kind below is a sign, described by Athalye et al.
(2018), Carlini et al. (2019) or Wang et al. (2025), that the number says more of the attacker than of the network.
A flag in a record is a sentence with its figures, such as "zero input gradient on 81% of the pixels"; ``kind_of`` finds its
kind again, and with it what it means and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FLAGS", "Flag", "kind_of"]


@dataclass(frozen=True)
class Flag:
    """A kind of flag.

    Args:
        name: how code calls it.
        sign: how its sentences begin.
        meaning: what it says of the number, for a reader.
        remedy: what to do about it.
        former_sign: how they began in earlier records.
    """

    name: str
    sign: str
    meaning: str
    remedy: str
    former_sign: str | None = None

    def __call__(self, figures: str = "") -> str:
        """Return the sentence with its figures."""
        return f"{self.sign}{figures}"


_KINDS = (
    Flag(
        "zero_gradient",
        "zero input gradient on ",
        "The attacker's gradient is exactly zero on most pixels, so it leaves them alone. The network may be as fragile "
        "there as anywhere: the attack cannot see it.",
        "Attack through a smooth stand-in for the code and the spike (BPDA), with surrogates of several widths.",
    ),
    Flag(
        "silent",
        "silent outputs up to ",
        "Some inputs leave the read-out without a spike. They count as errors here; an argmax would call them class 0.",
        "Report the silent fraction, and attack the membrane potential as well: it moves before a count does.",
    ),
    Flag(
        "transfer_beats",
        "a transferred attack beats it",
        "Images made on another network do more damage than this attack, which was given the network itself. An attack that "
        "knows more should do at least as well: its gradient is masked.",
        "Trust the transferred attack's number, or less; find out where the gradient is lost.",
    ),
    Flag(
        "noise_beats",
        "random noise beats it",
        "Random signs of the same size do more damage than this attack. Its gradient is worse than none.",
        "Look at the gradient per pixel; attack through a smooth stand-in.",
    ),
    Flag(
        "gradient_free_beats",
        "a search without gradients breaks ",
        "A search that asks for answers alone broke images that survived every attack along a gradient. The gradients that were "
        "tried do not show where the network is weak.",
        "Run more of the suite, wider surrogates and more queries; read the number as an upper bound, not near the truth.",
    ),
    Flag(
        "not_ended",
        "attacks have not ended: ",
        "Twice as many steps and restarts break further samples, so the search had not converged when it stopped.",
        "Run the suite 'full', with more steps and restarts, until the number stays; until then read it as an upper bound.",
        former_sign="more steps still help: ",
    ),
    Flag(
        "attacks_disagree",
        "attacks disagree: ",
        "An attack that knows less, or does less, breaks clearly more samples than this one. So this one fails for a reason of "
        "its own, and a stronger attack than both may exist.",
        "Find the reason before believing either number; run attacks of another kind, such as the search among spike trains.",
    ),
    Flag(
        "not_near_chance",
        "accuracy not near chance at ε = ",
        "From ε = 0.5 on an attacker can make all images alike, so accuracy must fall to chance or below. It does not, so "
        "the attack is too weak to use its budget, here and at smaller ε.",
        "Repair the attack before believing any of its numbers.",
    ),
    Flag(
        "stochastic_without_eot",
        "stochastic forward without EOT",
        "Two passes over one image differ, and the attack took a single one for the truth. Its gradient is that of a draw "
        "that is gone when the network answers.",
        "Average the gradient over draws (expectation over transformation), or fix the randomness.",
    ),
    Flag(
        "state_kept",
        "state is kept between calls",
        "The network answers differently when it is asked twice, though nothing random is in it: membrane potentials of one "
        "batch run on into the next.",
        "Reset all neurons at the beginning of forward().",
    ),
    Flag(
        "training_mode",
        "in training mode: ",
        "Dropout is drawn anew at every pass, or batch statistics depend on who else is in the batch. Numbers change with the "
        "batch, and the network measured is not the one in use.",
        "Call .eval() first.",
    ),
    Flag(
        "single_seed",
        "single seed",
        "One training run was measured. Its interval says how well this network is known, not this way of training.",
        "Train and measure at least three.",
    ),
)

#: every kind of flag by name
FLAGS: dict[str, Flag] = {kind.name: kind for kind in _KINDS}


def kind_of(sentence: str) -> Flag:
    """Return the kind of a flag from its sentence.

    Raises:
        ValueError: a sentence that no kind begins with.

    >>> kind_of("zero input gradient on 81% of the pixels").name
    'zero_gradient'
    >>> kind_of("more steps still help: they break 2.2% more (sa_pgd.longer)").name
    'not_ended'
    """
    for kind in _KINDS:
        if sentence.startswith((kind.sign, kind.former_sign or kind.sign)):
            return kind
    raise ValueError(f"no flag says {sentence!r}; their beginnings: {', '.join(repr(kind.sign) for kind in _KINDS)}")
