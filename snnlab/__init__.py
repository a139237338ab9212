"""snnlab: spiking neural networks under attack, small enough to read and fast enough to touch.

>>> from snnlab import attack, Budget, data, zoo
>>> model, test = zoo.load("onset"), data.load("mnist5k").test[:20]
>>> result = attack(model, test, Budget("8/255"))
>>> result.images.shape
torch.Size([20, 1, 28, 28])
"""

from snnlab import data, zoo
from snnlab.attacks import INFORMED, NAIVE, Budget, attack
from snnlab.encoding import encoder
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.networks import load
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.training.bptt import Recipe, train

__all__ = [
    "INFORMED",
    "MLP",
    "NAIVE",
    "Budget",
    "Classifier",
    "Recipe",
    "SpikingMLP",
    "attack",
    "data",
    "encoder",
    "evaluate_robustness",
    "load",
    "train",
    "zoo",
]

__version__ = "0.1.0"
