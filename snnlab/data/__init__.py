"""Data sets: ``load("mnist5k")`` gives training, validation and test images, hash-checked.

============== ============================================= ============================= ==========================
name           what                                          train, validation, test       from
============== ============================================= ============================= ==========================
mnist5k        digits ``[N, 1, 28, 28]``                     3,500 / 500 / 1,000           this package
mnist          digits ``[N, 1, 28, 28]``                     55,000 / 5,000 / 10,000       LeCun et al. 1998
fashion_mnist  clothes ``[N, 1, 28, 28]``                    55,000 / 5,000 / 10,000       Xiao et al. 2017
events5k       spikes ``[N, 18, 28, 28]``, 9 steps           3,500 / 500 / 1,000           digits, simulated camera
cifar10        colour pictures ``[N, 3, 32, 32]``            48,000 / 2,000 / 10,000       Krizhevsky 2009
nmnist         spikes ``[N, 18, 17, 17]``, 9 steps           55,000 / 5,000 / 10,000       Orchard et al. 2015 (``tonic``)
shd            spikes ``[N, 100, 1, 140]``, 100 steps        7,341 / 815 / 2,264           Cramer et al. 2022 (``tonic``)
dvs128_gesture spikes ``[N, 40, 32, 32]``, 20 steps          970 / 107 / 264               Amir et al. 2017 (``tonic``)
dvs_gesture    event frames ``[T, N, 2, H, W]``              1,077 / none / 264 recordings Amir et al. 2017 (``tonic``)
============== ============================================= ============================= ==========================

All but the first are fetched once, verified and cached, or read from ``root``. The last training images (of N-MNIST and SHD a
random part) are held out for validation, on which choices are made; reported numbers come from test. ``load("my.npz")`` reads
images of your own: arrays, tables, folders of pictures, frames of events (``snnlab.data.files``). Origin and licence of the
shipped digits: ``snnlab/data/README.md``.
"""

from snnlab.data import mnist  # noqa: F401, I001  # registers the digits first: their name is the default
from snnlab.data import event_camera, recordings  # noqa: F401  # register the digits in front of event cameras, and sounds
from snnlab.data.cifar10 import cifar10_in
from snnlab.data.events import EventDataset, EventSplit
from snnlab.data.loading import load
from snnlab.data.registry import DATASETS as DATASETS
from snnlab.data.registry import DatasetInfo, describe, register
from snnlab.data.split import BadFile, Dataset, Split, check_labels

__all__ = [
    "BadFile",
    "Dataset",
    "DatasetInfo",
    "EventDataset",
    "EventSplit",
    "Split",
    "check_labels",
    "cifar10_in",
    "describe",
    "load",
    "register",
]
