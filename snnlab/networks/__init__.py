"""Networks of snnTorch neurons, run over whole sequences."""

from snnlab.networks.sequence import unroll
from snnlab.networks.surrogate import SURROGATES, Surrogate
from snnlab.networks.weights import load, save

__all__ = ["SURROGATES", "Surrogate", "load", "save", "unroll"]
