"""snnlab: spiking neural networks under attack, small enough to read and fast enough to touch.

>>> from snnlab import attack, Budget, data, zoo
>>> model, test = zoo.load("onset"), data.load("mnist5k").test[:20]
>>> result = attack(model, test.images, test.labels, Budget(0.1))
>>> result.images.shape
torch.Size([20, 1, 28, 28])
"""

from snnlab import data, zoo
from snnlab.adversarial import AdversarialTraining
from snnlab.attack import INFORMED, NAIVE, AttackResult, Budget, attack
from snnlab.conversion import convert
from snnlab.encoding import ENCODINGS, encoder
from snnlab.evaluation import evaluate
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.neuron import Surrogate, lif
from snnlab.records import over_seeds, wilson_interval
from snnlab.training import Recipe, train

__all__ = [
    "ENCODINGS",
    "INFORMED",
    "MLP",
    "NAIVE",
    "AdversarialTraining",
    "AttackResult",
    "Budget",
    "Classifier",
    "Recipe",
    "SpikingMLP",
    "Surrogate",
    "attack",
    "convert",
    "data",
    "encoder",
    "evaluate",
    "lif",
    "over_seeds",
    "train",
    "wilson_interval",
    "zoo",
]

__version__ = "0.1.0"
