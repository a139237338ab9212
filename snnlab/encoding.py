r"""Neural codes: how an image becomes a sequence of spikes.

An encoder maps images ``x`` in [0, 1], shape ``[N, C, H, W]``, to a sequence ``s`` of shape
``[T, N, C', H, W]``, time first, ``t = 0 … T-1`` (Ding et al. 2025; their name in brackets):

========== ========================================== ==========================================
code       sequence                                    reads as
========== ========================================== ==========================================
direct     ``s_t = x`` (const)                         the same analog current at every step
poisson    ``s_t ~ Bernoulli(x)``                      rate coding
onset      ``s_t = 1[t/T > 1 - x]`` (post)             bright pixels start sooner, then keep firing
offset     ``s_t = 1[t/T < x]`` (pre)                  all lit pixels start at once, bright ones last
latency    ``s_t = 1[t = floor((1 - x) T)]`` (TTFS)    bright pixels fire sooner, once
phase      bit ``t mod K`` of x, worth 2^-(1+t mod K)  phase coding, most significant bit first
fusion     ``g_k s_k`` of each part k, side by side    fused coding (mix), ``C' = len(parts) · C``
========== ========================================== ==========================================

The codes are step functions of ``x``, so their true derivative is zero almost everywhere. What an
attacker sees is the *backward rule* of the encoder, a choice and not a property of the code:

``straight_through``
    ``∂s_t/∂x := s_t``, the rule of the paper's authors. A pixel that stays silent has gradient zero,
    so most dark pixels are invisible to an attacker: this hides, it does not defend.
``relaxed``
    the step is replaced, in the backward pass only, by a sigmoid of slope ``k`` around the same
    threshold: every pixel has a gradient at every step (BPDA, Athalye et al. 2018).

Four more are controls, not codes of the paper. Each has both backward rules, so that it is attacked as hard as the codes it
is compared with:

========================== ========================= ==================================================
control                    sequence                  tests
========================== ========================= ==================================================
binary                     ``s_t = 1[x ≥ 1/2]``      a threshold without a code
negative(code)             ``s_t(1 - x)``            the order of the spikes: dark pixels fire first
shuffled(code, order=…)    ``s_{order[t]}(x)``       the order of the steps: spikes kept, order destroyed
gaussian(σ)                ``clip(x + σ n_t)``       noise without spikes, ``n_t ~ N(0, 1)``
========================== ========================= ==================================================
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

__all__ = ["BACKWARD_RULES", "ENCODINGS", "Encoder", "Fusion", "encoder", "first_active_step"]

Backward = Literal["straight_through", "relaxed"]
Rounding = Literal["down", "up"]
CHUNK = 16  # images whose derivatives are computed together
#: what an attacker sees of a code
BACKWARD_RULES: tuple[Backward, ...] = ("straight_through", "relaxed")


@dataclass(frozen=True)
class Encoder(ABC):
    """A neural code with its number of steps and its backward rule.

    Call it on images. Methods return changed copies; an encoder itself never changes.

    Args:
        num_steps: length ``T`` of the sequence, in steps, at least 1.
        backward: rule used for ``∂s/∂x``, ``"straight_through"`` or ``"relaxed"``.
        slope: slope ``k`` of the relaxed step, in 1/intensity; larger is closer to the true step.

    Shapes: images ``[N, C, H, W]`` in [0, 1], floating point → spikes ``[T, N, C', H, W]``, same dtype.

    Raises:
        ValueError: wrong shape or dtype, empty batch, values outside [0, 1], unknown rule.

    >>> encoder("onset", num_steps=4)(torch.tensor([[[[1.0, 0.5]]]])).squeeze().T
    tensor([[0., 1., 1., 1.],
            [0., 0., 0., 1.]])
    """

    num_steps: int = 8
    backward: Backward = "straight_through"
    slope: float = 10.0

    name: ClassVar[str] = ""
    stochastic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.num_steps, int) or self.num_steps < 1:
            raise ValueError(f"num_steps must be an integer of at least 1, got {self.num_steps!r}")
        if self.backward not in BACKWARD_RULES:
            raise ValueError(f"unknown backward rule {self.backward!r}; choose one of {BACKWARD_RULES}")
        if not self.slope > 0:
            raise ValueError(f"slope must be positive, got {self.slope!r}")

    def __call__(self, images: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Encode ``images``; ``generator`` is used by stochastic codes only."""
        check_images(images)
        return self._encode(images, generator)

    @property
    def title(self) -> str:
        """The code's name as readers see it, e.g. ``fusion(direct, latency)``."""
        return self.name

    @property
    def channel_factor(self) -> int:
        """``C'/C``: how many channels the code makes of one."""
        return 1

    def with_backward(self, rule: Backward, slope: float | None = None) -> Encoder:
        """The same code seen through another backward rule (and slope)."""
        return replace(self, backward=rule, slope=self.slope if slope is None else slope)

    def rows(self, rows: Tensor) -> Encoder:
        """The code for these samples of a batch alone: itself, unless it knows its batch (``snnlab.late``)."""
        return self

    def changeable(self) -> tuple[Encoder, int]:
        """The code through which an attacker acts, and the first step that it can change (``snnlab.late``)."""
        return self, 0

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        spikes = self._spikes(images.detach(), generator)
        if not images.requires_grad:
            return spikes
        sequence: Tensor = _Encoded.apply(images, spikes, self)  # type: ignore[no-untyped-call]
        return sequence

    @abstractmethod
    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        """``s``, ``[T, N, C, H, W]``."""

    @abstractmethod
    def _derivative(self, images: Tensor) -> Tensor:
        """``∂s_t/∂x`` of the relaxed code, ``[T, N, C, H, W]``."""

    def _step(self, images: Tensor) -> Tensor:
        """Step indices ``t`` shaped to broadcast against ``images``: ``[T, 1, 1, 1, 1]``."""
        steps = torch.arange(self.num_steps, dtype=images.dtype, device=images.device)
        return steps.view(-1, *[1] * images.dim())

    def _step_derivative(self, images: Tensor, shifts: Tensor) -> Tensor:
        """``d/dx σ(k (x + shift))``, the derivative of the relaxed step at each shift: ``[S]`` shifts → ``[S, N, C, H, W]``.

        ``k z / (1 + z)²`` with ``z = exp(-k x) exp(-k shift)``: one exponential a pixel serves all shifts, unless the slope
        is so steep that ``(1 + z)²`` would leave float32.
        """
        if self.slope > 40:
            s = torch.sigmoid(self.slope * (images + shifts.view(-1, *[1] * images.dim())))
            return self.slope * s * (1 - s)
        z = torch.exp(-self.slope * images) * torch.exp(-self.slope * shifts).view(-1, *[1] * images.dim())
        return z.mul(self.slope).div_(z.add_(1).square_())


class _Encoded(torch.autograd.Function):
    """A sequence in the forward pass; in the backward pass the encoder's rule for ``∂s/∂x``, worked out only then."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, spikes: Tensor, code: Encoder) -> Tensor:
        ctx.save_for_backward(images, spikes)
        ctx.code = code
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        images, spikes = ctx.saved_tensors
        code: Encoder = ctx.code
        # A few images at a time, so that what is computed on the way stays in the processor's cache.
        found = torch.empty_like(images)
        for rows in torch.split(torch.arange(len(images)), CHUNK):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            straight = code.backward == "straight_through"
            derivative = spikes[:, part] if straight else code.rows(rows)._derivative(images[part])
            found[part] = (derivative * grads[0][:, part]).sum(0)
        return found, None, None


@dataclass(frozen=True)
class Direct(Encoder):
    """``s_t = x``: constant-current coding. The gradient is exact under either rule."""

    name: ClassVar[str] = "direct"

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._spikes(images, generator)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        # A view with stride 0 in time: the network sees that all steps are one and computes them once.
        return images.expand(self.num_steps, *images.shape)

    def _derivative(self, images: Tensor) -> Tensor:
        return torch.ones_like(images).expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class Poisson(Encoder):
    """``s_t ~ Bernoulli(x)``, independent over steps. Relaxed: the derivative of the mean, 1."""

    name: ClassVar[str] = "poisson"
    stochastic: ClassVar[bool] = True

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (self.num_steps, *images.shape)
        noise = torch.rand(shape, generator=generator, dtype=images.dtype, device=images.device)
        return torch.lt(noise, images, out=noise)

    def _derivative(self, images: Tensor) -> Tensor:
        return torch.ones_like(images).expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class _Packed(Encoder):
    """``onset`` and ``offset``: intensity as a run of spikes, packed late or early.

    ``rounding`` says what becomes of a fraction of a spike: ``"down"`` gives ``ceil(Tx) - 1`` spikes
    (a dead zone of 1/T, in which nothing fires), ``"up"`` gives ``ceil(Tx)`` (any light fires once).
    Packing (*when*) and rounding (*whether*) can so be varied apart.
    """

    rounding: Rounding = "down"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rounding not in ("down", "up"):
            raise ValueError(f"unknown rounding {self.rounding!r}; choose 'down' or 'up'")

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._distance(images).gt_(0)  # in place: eight times faster than a bool tensor and its conversion

    @property
    def title(self) -> str:
        usual = type(self).rounding  # a dataclass keeps a field's default on its class
        return self.name if self.rounding == usual else f"{self.name}(rounding={self.rounding})"

    @abstractmethod
    def _distance(self, images: Tensor) -> Tensor:
        """How far ``x`` lies above the threshold of each step."""

    def _steps(self, images: Tensor) -> Tensor:
        return torch.arange(self.num_steps, dtype=images.dtype, device=images.device)


@dataclass(frozen=True)
class Onset(_Packed):
    """``s_t = 1[t/T > 1 - x]``: a run of spikes at the end; ``rounding="up"``: ``1[(t+1)/T > 1 - x]``.

    The code itself compares ``t/T`` with ``1 - x``, in that form, so that every engine rounds alike.
    """

    name: ClassVar[str] = "onset"

    def _distance(self, images: Tensor) -> Tensor:
        shift = 1 if self.rounding == "up" else 0
        return (self._step(images) + shift) / self.num_steps - (1 - images)

    def _derivative(self, images: Tensor) -> Tensor:
        shift = 1 if self.rounding == "up" else 0
        return self._step_derivative(images, (self._steps(images) + shift) / self.num_steps - 1)


@dataclass(frozen=True)
class Offset(_Packed):
    """``s_t = 1[t/T < x]``: a run of spikes at the start; ``rounding="down"``: ``1[(t+1)/T < x]``."""

    name: ClassVar[str] = "offset"
    rounding: Rounding = "up"

    def _distance(self, images: Tensor) -> Tensor:
        shift = 1 if self.rounding == "down" else 0
        return images - (self._step(images) + shift) / self.num_steps

    def _derivative(self, images: Tensor) -> Tensor:
        shift = 1 if self.rounding == "down" else 0
        return self._step_derivative(images, -(self._steps(images) + shift) / self.num_steps)


@dataclass(frozen=True)
class Latency(Encoder):
    """``s_t = 1[t = floor((1 - x) T)]``: time to first spike. Black (``x = 0``) never fires.

    Relaxed: the window ``t ≤ (1 - x) T < t + 1`` is the difference of two steps in ``x``.
    """

    name: ClassVar[str] = "latency"

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return (self._step(images) - torch.floor((1 - images) * self.num_steps)).eq_(0)

    def _derivative(self, images: Tensor) -> Tensor:
        edges = torch.arange(self.num_steps + 1, dtype=images.dtype, device=images.device) / self.num_steps - 1
        return self._step_derivative(images, edges).diff(dim=0)


@dataclass(frozen=True)
class Phase(Encoder):
    """Bit ``k = t mod K`` of the K-bit intensity ``min(floor(2^K x), 2^K - 1)``, worth ``2^-(1+k)``.

    The number of bits ``K`` is the number of steps up to 8, so 8-bit pixels survive eight steps unchanged.
    """

    name: ClassVar[str] = "phase"

    @property
    def num_bits(self) -> int:
        """``K``, the number of bits of one period."""
        return min(self.num_steps, 8)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        levels = 2**self.num_bits
        bits = self._step(images).to(torch.int64) % self.num_bits
        intensity = torch.floor(images * levels).clamp(max=levels - 1).to(torch.int64)
        on = (intensity >> (self.num_bits - 1 - bits)) & 1
        return on.to(images.dtype) * torch.exp2(-(1 + bits).to(images.dtype))

    def _derivative(self, images: Tensor) -> Tensor:
        table = _phase_derivative(self.num_bits, float(self.slope)).to(images)
        position = images * (table.shape[1] - 1)
        left = position.floor().clamp(max=table.shape[1] - 2)
        index, fraction = left.to(torch.int64), position - left
        per_bit = torch.lerp(table[:, index], table[:, index + 1], fraction)
        return per_bit[torch.arange(self.num_steps) % self.num_bits]


@dataclass(frozen=True)
class Binary(Encoder):
    """``s_t = 1[x ≥ 1/2]`` at every step: pixels that are only black or white, the control of all step codes.

    >>> encoder("binary", num_steps=1)(torch.tensor([[[[0.2, 0.5, 0.9]]]])).flatten()
    tensor([0., 1., 1.])
    """

    name: ClassVar[str] = "binary"

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return images.ge(0.5).to(images.dtype).expand(self.num_steps, *images.shape)

    def _derivative(self, images: Tensor) -> Tensor:
        half = torch.tensor([-0.5], dtype=images.dtype, device=images.device)
        return self._step_derivative(images, half).expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class GaussianNoise(Encoder):
    """``s_t = clip(x + σ n_t, 0, 1)`` with ``n_t ~ N(0, 1)``: the control of ``poisson``, noise without spikes.

    Args:
        sigma: ``σ > 0``, in units of intensity.

    Gradient: the identity under either rule; the clip is passed over.

    >>> encoder("gaussian(0.144)", num_steps=1).title
    'gaussian(0.144)'
    """

    sigma: float = 0.144

    name: ClassVar[str] = "gaussian"
    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.sigma < float("inf"):
            raise ValueError(f"sigma must be positive, in units of intensity, got {self.sigma!r}")

    @property
    def title(self) -> str:
        """The name with its standard deviation."""
        return f"{self.name}({self.sigma:.12g})"

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._spikes(images.detach(), generator) + (images - images.detach())

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (self.num_steps, *images.shape)
        noise = torch.randn(shape, generator=generator, dtype=images.dtype, device=images.device)
        return noise.mul_(self.sigma).add_(images).clamp_(0, 1)

    def _derivative(self, images: Tensor) -> Tensor:
        return torch.ones_like(images).expand(self.num_steps, *images.shape)


@dataclass(frozen=True)
class _Wrapped(Encoder):
    """Another code, changed on its way in or out; autograd carries its backward rule through the change.

    Args:
        inner: the code, of the same ``num_steps``.
    """

    inner: Encoder = field(default_factory=Direct)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner.num_steps != self.num_steps:
            raise ValueError(f"num_steps must be that of the code inside, {self.inner.num_steps}, got {self.num_steps}")

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        """Whether the code inside is."""
        return self.inner.stochastic

    @property
    def channel_factor(self) -> int:
        """That of the code inside."""
        return self.inner.channel_factor

    def with_backward(self, rule: Backward, slope: float | None = None) -> Encoder:
        """The same change of the code seen through another backward rule (and slope)."""
        inner = self.inner.with_backward(rule, slope)
        return replace(self, inner=inner, backward=rule, slope=self.slope if slope is None else slope)

    def rows(self, rows: Tensor) -> Encoder:
        """The same change of the code for these samples."""
        return replace(self, inner=self.inner.rows(rows))


@dataclass(frozen=True)
class Negative(_Wrapped):
    """``s_t(1 - x)``: a code of the negative image, so that dark pixels fire where bright ones did.

    Gradient: minus that of the code inside at ``1 - x``, under its backward rule: ``-s_t`` for straight-through.

    >>> encoder("negative(latency)", num_steps=2)(torch.tensor([[[[0.0, 1.0]]]])).flatten(1)
    tensor([[1., 0.],
            [0., 0.]])
    """

    name: ClassVar[str] = "negative"

    @property
    def title(self) -> str:
        """The name with the code inside, e.g. ``negative(latency)``."""
        return f"{self.name}({self.inner.title})"

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.inner._encode(1 - images, generator)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.inner._spikes(1 - images, generator)

    def _derivative(self, images: Tensor) -> Tensor:
        return -self.inner._derivative(1 - images)


@dataclass(frozen=True)
class Shuffled(_Wrapped):
    """``s_{order[t]}(x)``: the steps of a code in another order, the same for every image.

    Every pixel keeps its spikes and a network can learn where they went: information stays, order is destroyed. (An order drawn
    anew for every image would destroy information as well.)

    Args:
        order: the step of the code inside that comes at each step; a permutation other than ``0, 1, …, T-1``.

    >>> encoder("shuffled(latency, order=1 0)", num_steps=2)(torch.tensor([[[[0.5, 1.0]]]])).flatten(1)
    tensor([[1., 0.],
            [0., 1.]])
    """

    order: tuple[int, ...] = ()

    name: ClassVar[str] = "shuffled"

    def __post_init__(self) -> None:
        super().__post_init__()
        steps = list(range(self.num_steps))
        if sorted(self.order) != steps or list(self.order) == steps:
            raise ValueError(
                f"order must be a permutation of the steps 0 … {self.num_steps - 1} that moves some, as in "
                f"'shuffled(latency, order=1 0)' for two steps, got {list(self.order)}"
            )

    @property
    def title(self) -> str:
        """The name with the code inside and the order, e.g. ``shuffled(latency, order=1 0)``."""
        return f"{self.name}({self.inner.title}, order={' '.join(map(str, self.order))})"

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._shuffle(self.inner._encode(images, generator))

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._shuffle(self.inner._spikes(images, generator))

    def _derivative(self, images: Tensor) -> Tensor:
        return self._shuffle(self.inner._derivative(images))

    def _shuffle(self, sequence: Tensor) -> Tensor:
        return sequence.index_select(0, torch.tensor(self.order, device=sequence.device))


@lru_cache(maxsize=16)
def _phase_derivative(num_bits: int, slope: float, points: int = 1025) -> Tensor:
    """Derivative of the relaxed phase code on ``points`` equidistant intensities, ``[K, points]``.

    Bit ``k`` flips at ``j 2^-(k+1)``, up for odd ``j`` and down for even ``j``. It depends on ``x`` alone,
    so 502 sigmoids are tabulated once instead of computed at every pixel.
    """
    x = torch.linspace(0, 1, points, dtype=torch.float64)
    rows = []
    for k in range(num_bits):
        j = torch.arange(1, 2 ** (k + 1), dtype=torch.float64)
        s = torch.sigmoid(slope * (x - (j * 2.0 ** -(k + 1))[:, None]))
        sign = torch.where(j % 2 == 1, 1.0, -1.0).to(torch.float64)[:, None]
        rows.append(2.0 ** -(1 + k) * (sign * slope * s * (1 - s)).sum(0))
    return torch.stack(rows).to(torch.float32)


@dataclass(frozen=True)
class Fusion(Encoder):
    """Several codes of the same image as channels side by side; gradients of the parts add up.

    Part ``k`` is scaled by its gate: ``g_k s_k``. A small gate makes the network learn mostly from the other parts; a gate
    of 0 silences a part, which at test time is an ablation.

    Args:
        parts: at least two encoders with the same ``num_steps``.
        gate: a weight of at least 0 for every part; none means 1 for each. Powers of two keep sums of spikes exact.

    >>> encoder("fusion(0.125*direct, latency)", num_steps=2)(torch.tensor([[[[1.0]]]])).flatten(1)
    tensor([[0.1250, 1.0000],
            [0.1250, 0.0000]])
    """

    parts: tuple[Encoder, ...] = ()
    gate: tuple[float, ...] = ()

    name: ClassVar[str] = "fusion"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.parts) < 2:
            raise ValueError(f"fusion needs at least two parts, got {len(self.parts)}; e.g. 'fusion(direct, latency)'")
        steps = [part.num_steps for part in self.parts]
        if any(n != self.num_steps for n in steps):
            raise ValueError(f"all parts of a fusion need num_steps={self.num_steps}, got {steps}")
        gate = tuple(float(g) for g in self.gate) or (1.0,) * len(self.parts)
        if len(gate) != len(self.parts) or not all(0 <= g < float("inf") for g in gate):
            raise ValueError(f"gate needs a weight of at least 0 for each of {len(self.parts)} parts, got {list(self.gate)}")
        object.__setattr__(self, "gate", gate)  # frozen; the default depends on the number of parts

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        """Whether any part is."""
        return any(part.stochastic for part in self.parts)

    @property
    def title(self) -> str:
        """The name of the code, with the gates that are not 1."""
        parts = (part.title if g == 1 else f"{g:.12g}*{part.title}" for g, part in zip(self.gate, self.parts, strict=True))
        return f"fusion({', '.join(parts)})"

    @property
    def channel_factor(self) -> int:
        """Channels of the sequence for each of the image."""
        return sum(part.channel_factor for part in self.parts)

    def with_backward(self, rule: Backward, slope: float | None = None) -> Encoder:
        """The same code with another backward rule for all its parts."""
        parts = tuple(part.with_backward(rule, slope) for part in self.parts)
        return replace(self, parts=parts, backward=rule, slope=self.slope if slope is None else slope)

    def with_gate(self, gate: Sequence[float]) -> Fusion:
        """The same parts behind another gate.

        Raises:
            ValueError: not one weight of at least 0 for every part.
        """
        return replace(self, gate=tuple(gate))

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._fuse(part._encode(images, generator) for part in self.parts)

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._fuse(part._spikes(images, generator) for part in self.parts)

    def _derivative(self, images: Tensor) -> Tensor:
        return self._fuse(part._derivative(images) for part in self.parts)

    def _fuse(self, sequences: Iterable[Tensor]) -> Tensor:
        gated = [s if g == 1 else g * s for g, s in zip(self.gate, sequences, strict=True)]
        return torch.cat(gated, dim=2)


_CODES: dict[str, type[Encoder]] = {c.name: c for c in (Direct, Poisson, Onset, Offset, Latency, Phase)}
#: names of the codes
ENCODINGS: tuple[str, ...] = (*_CODES, Fusion.name)
_CONTROLS: dict[str, type[Encoder]] = {Binary.name: Binary}
_WRITTEN = (Fusion.name, Negative.name, Shuffled.name, GaussianNoise.name)  # with something in brackets, always


def encoder(name: str, *, num_steps: int = 8, **options: object) -> Encoder:
    """Make an encoder by name: one of ``ENCODINGS``, or a control.

    A fusion is written ``"fusion(0.25*direct, latency)"``, with gates, and a rounding that is not the code's usual one
    ``"onset(rounding=up)"``. The controls are ``"binary"``, ``"negative(latency)"``, ``"shuffled(latency, order=1 0)"`` and
    ``"gaussian(0.144)"``. An encoder's ``title`` is written in the same way.

    Args:
        name: the code, as in the table of this module.
        num_steps: ``T``, in steps.
        options: ``backward``, ``slope`` and, for ``onset`` and ``offset``, ``rounding``.

    Raises:
        ValueError: unknown name (the message lists the valid ones), empty fusion, bad gate, order, σ or option.

    >>> encoder("fusion(0.25*direct, onset(rounding=up))", num_steps=4).title
    'fusion(0.25*direct, onset(rounding=up))'
    """
    title, inner = _opened(name)
    if title in _WRITTEN:
        return _composed(title, inner, num_steps, options)
    code = (_CODES | _CONTROLS).get(title)
    if code is None:
        valid = ", ".join([*_CODES, *_CONTROLS, *(f"{written}(…)" for written in _WRITTEN)])
        raise ValueError(f"unknown encoding {name!r}; choose one of {valid}")
    chosen = options | {"rounding": _rounding(name, inner)} if inner else options
    if "rounding" in chosen and not issubclass(code, _Packed):
        raise ValueError(f"{title!r} has no rounding; only onset and offset have, as in 'onset(rounding=up)'")
    return code(num_steps, **chosen)  # type: ignore[arg-type]


def _composed(title: str, inner: str, num_steps: int, options: dict[str, object]) -> Encoder:
    """An encoder that is written with something in brackets: parts, a code inside, an order, or a number."""
    if title == GaussianNoise.name:
        return GaussianNoise(num_steps, sigma=_sigma(inner), **options)  # type: ignore[arg-type]
    written = _split(inner)
    if title == Fusion.name:
        gated = [_gated(part) for part in written]
        parts = tuple(encoder(part, num_steps=num_steps, **options) for _, part in gated)
        return Fusion(num_steps, parts=parts, gate=tuple(g for g, _ in gated))
    expected = 1 if title == Negative.name else 2
    if len(written) != expected:
        example = "negative(latency)" if title == Negative.name else "shuffled(latency, order=1 0)"
        raise ValueError(f"{title} takes {expected} in its brackets, as in {example!r}, got '{title}({inner})'")
    code = encoder(written[0], num_steps=num_steps, **options)
    same = {"backward": code.backward, "slope": code.slope}
    if title == Negative.name:
        return Negative(num_steps, inner=code, **same)  # type: ignore[arg-type]
    return Shuffled(num_steps, inner=code, order=_order(written[1]), **same)  # type: ignore[arg-type]


def _sigma(written: str) -> float:
    """The number in ``"gaussian(0.144)"``."""
    try:
        return float(written)
    except ValueError:
        raise ValueError(f"gaussian needs its σ, as in 'gaussian(0.144)', got 'gaussian({written})'") from None


def _order(written: str) -> tuple[int, ...]:
    """``(1, 0)`` of ``"order=1 0"``."""
    match = re.fullmatch(r"order\s*=\s*(\d+(?:\s+\d+)*)", written)
    if match is None:
        raise ValueError(f"the order of a shuffled code is its steps, as in 'order=1 0', got {written!r}")
    return tuple(int(step) for step in match.group(1).split())


def _opened(name: str) -> tuple[str, str]:
    """The name before the brackets, and what stands in them."""
    match = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", name)
    return (match.group(1), match.group(2).strip()) if match else (name.strip(), "")


def _rounding(name: str, inner: str) -> str:
    """``"up"`` of ``"rounding=up"``."""
    key, equals, value = (part.strip() for part in inner.partition("="))
    if key != "rounding" or not equals:
        raise ValueError(f"the only option of a code is its rounding, as in 'onset(rounding=up)', got {name!r}")
    return value


def _split(parts: str) -> Sequence[str]:
    """Split at top-level commas, so that codes in brackets may nest."""
    split, depth = [""], 0
    for letter in parts:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            split.append("")
        else:
            split[-1] += letter
    return [part.strip() for part in split if part.strip()]


def _gated(part: str) -> tuple[float, str]:
    """The gate and the name of a part of a fusion: ``"0.125*direct"``; without a number the gate is 1."""
    number, star, name = part.partition("*")
    if not star or "(" in number:
        return 1.0, part
    try:
        return float(number), name
    except ValueError:
        raise ValueError(f"the gate of a part is a number, as in '0.125*direct', got {part!r}") from None


def first_active_step(eps: float, num_steps: int = 8, code: str = "latency") -> int:
    """Return the first step, from 0, in which a black pixel raised by ε fires: the last exit that ε on black cannot change.

    In ``latency`` that is ``floor((1 - ε) T)``. In ``onset`` it is one step later, for it compares with *greater than*.

    Args:
        eps: how much the pixel is raised, in [0, 1].
        num_steps: ``T``.
        code: a name for ``encoder``; not a random code.

    Returns:
        the step, ``num_steps`` if the pixel never fires.

    Raises:
        ValueError: ε outside [0, 1], a random code, an unknown code.

    >>> first_active_step(0.2, num_steps=8), first_active_step(0.2, num_steps=8, code="onset")
    (6, 7)
    >>> first_active_step(0.1, num_steps=8, code="onset")  # never
    8
    """
    if not 0 <= eps <= 1:
        raise ValueError(f"eps must lie in [0, 1], got {eps!r}")
    if code == "latency":
        return int((1 - eps) * num_steps)
    encoding = encoder(code, num_steps=num_steps)
    if encoding.stochastic:
        raise ValueError(f"the first step of a random code is random: expected another code than {code!r}")
    fires = encoding(torch.full((1, 1, 1, 1), float(eps))).flatten(1).any(1)
    return int(fires.int().argmax()) if fires.any() else num_steps


def check_images(images: Tensor) -> None:
    """Raise ``ValueError`` unless ``images`` is a non-empty floating ``[N, C, H, W]`` batch in [0, 1]."""
    if not isinstance(images, Tensor):
        raise ValueError(f"images must be a torch.Tensor [N, C, H, W], got {type(images).__name__}")
    if not images.is_floating_point():
        raise ValueError(f"images must be floating point in [0, 1], got {images.dtype}; divide 8-bit images by 255")
    if images.dim() != 4:
        raise ValueError(f"images must have shape [N, C, H, W], got {list(images.shape)}; unsqueeze a single image")
    if images.shape[0] == 0:
        raise ValueError(f"images is an empty batch, shape {list(images.shape)}; give at least one image")
    low, high = images.detach().aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this too
        raise ValueError(f"images must lie in [0, 1], got values from {low.item():g} to {high.item():g}")
