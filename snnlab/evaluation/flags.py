"""Flags: sentences that qualify a robust accuracy and are never dropped.

Each kind is a sign (Athalye et al. 2018, Carlini et al. 2019, Wang et al. 2025) that a number shows more of the attacker than of
the network. A flag in a record is a sentence with its figures, as "zero input gradient on 81% of the pixels".
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
        "The attacker's gradient is zero on most pixels, so it leaves them alone, however fragile the network is there.",
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
        "Images made on another network break more than this attack, which knows the network itself: its gradient is masked.",
        "Trust the transferred attack's number, or less; locate where the gradient is lost.",
    ),
    Flag(
        "noise_beats",
        "random noise beats it",
        "Random signs of the same size break more than this attack. Its gradient is worse than none.",
        "Look at the gradient per pixel; attack through a smooth stand-in.",
    ),
    Flag(
        "gradient_free_beats",
        "a search without gradients breaks ",
        "A search by queries broke images that survived every attack along a gradient: these gradients miss weak places.",
        "Run more of the suite, wider surrogates and more queries; read the number as an upper bound, not near the truth.",
    ),
    Flag(
        "not_ended",
        "attacks have not ended: ",
        "Twice as many steps and restarts break further samples: the search had not converged when it stopped.",
        "Run the suite 'full', with more steps and restarts, until the number stays; until then read it as an upper bound.",
        former_sign="more steps still help: ",
    ),
    Flag(
        "attacks_disagree",
        "attacks disagree: ",
        "An attack that knows or does less breaks clearly more samples than this one. A stronger attack than both may exist.",
        "Find the reason before believing either number; run attacks of another kind, such as the search among spike trains.",
    ),
    Flag(
        "not_near_chance",
        "accuracy not near chance at ε = ",
        "From ε = 0.5 on all images can be made alike, so accuracy must fall to chance or lower. This attack is too weak.",
        "Repair the attack before believing any of its numbers.",
    ),
    Flag(
        "stochastic_without_eot",
        "stochastic forward without EOT",
        "Two passes over one image differ, and the attack used a single one. The answer comes from another draw.",
        "Average the gradient over draws (expectation over transformation), or fix the randomness.",
    ),
    Flag(
        "single_draws",
        "random code: one draw for each attack",
        "A sample counts as broken if the answer to an image of any attack is wrong in one draw. Chance breaks some of them.",
        "Count the majority of many draws, evaluate_robustness(…, draws=20); compare random codes with each other only.",
    ),
    Flag(
        "state_kept",
        "state is kept between calls",
        "The network answers differently when asked twice, without randomness: membrane potentials of one batch enter the next.",
        "Reset all neurons at the beginning of forward().",
    ),
    Flag(
        "training_mode",
        "in training mode: ",
        "Dropout is drawn anew at every pass, or batch statistics depend on the batch. This is not the network in use.",
        "Call .eval() first.",
    ),
    Flag(
        "no_gradient",
        "no gradient reaches the image",
        "The network cuts the gradient, for example by a code inside. Only attacks that ask for answers alone were run.",
        "Take the code out of the network and name it, so that attacks along the gradient can run too.",
    ),
    Flag(
        "surrogate_not_replaced",
        "surrogate not replaced: ",
        "The network has spikes whose derivative the attacker could not replace. The informed attacker is the naive one there.",
        "Use neurons of snnTorch or SpikingJelly, or give yours an attribute spike_grad that they call.",
    ),
    Flag(
        "softmax",
        "softmax at the output",
        "The network returns probabilities. Where it is sure, they do not change with the image, and the gradient vanishes.",
        "Return the logits, before the softmax.",
    ),
    Flag(
        "outputs_and_classes",
        "outputs and classes differ: ",
        "Every output that is no class of the data counts as a wrong answer.",
        "Name the outputs that stand for one class, as population=10; or give the number of classes.",
    ),
    Flag(
        "steps_assumed",
        "number of steps not named: ",
        "A default stands in for the number of steps that the network was trained with. Another one lowers its accuracy.",
        "Name it: num_steps=25, or --num-steps 25.",
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
    """
    for kind in _KINDS:
        if sentence.startswith((kind.sign, kind.former_sign or kind.sign)):
            return kind
    raise ValueError(f"no flag says {sentence!r}; their beginnings: {', '.join(repr(kind.sign) for kind in _KINDS)}")
