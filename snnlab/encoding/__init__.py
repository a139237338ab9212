"""Codes: images to sequences of spikes.

========== ========================================== ==========================================
code       sequence                                   reads as
========== ========================================== ==========================================
direct     ``s_t = x`` (const)                        the same analog current at every step
poisson    ``s_t ~ Bernoulli(x)``                     rate coding
fusion     ``g_k s_k`` of each part k, side by side   fused coding (mix), ``C' = len(parts) · C``
step code  a list of edges ``(intensity, step, ±w)``  ``onset, offset, latency, phase, binary`` and your own
========== ========================================== ==========================================
"""

from snnlab.encoding.base import BACKWARD_RULES, Backward, Encoder, check_images
from snnlab.encoding.edges import Edge, Edges
from snnlab.encoding.fusion import Fusion
from snnlab.encoding.registry import ENCODINGS, code_names, encoder, first_active_step, register_code
from snnlab.encoding.table import CodeTable

__all__ = [
    "BACKWARD_RULES",
    "ENCODINGS",
    "Backward",
    "CodeTable",
    "Edge",
    "Edges",
    "Encoder",
    "Fusion",
    "check_images",
    "code_names",
    "encoder",
    "first_active_step",
    "register_code",
]
