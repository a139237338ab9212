"""The zoo: trained models as small files, each with its card and its records.

``recipes/*.toml`` defines the models, ``models/<data set>/<model>/`` holds them; ``snnlab zoo build`` remakes them. Weights of
controls are not stored.
"""

from snnlab.zoo.networks import classifier_for, register_network
from snnlab.zoo.registry import FOLDER as FOLDER
from snnlab.zoo.registry import (
    ModelRecipe,
    datasets,
    evaluation_settings,
    names,
    recipe,
    recipes,
    register_recipes,
    seeds,
)
from snnlab.zoo.storage import MODELS as MODELS
from snnlab.zoo.storage import card, load, measured, repeats, results

__all__ = [
    "ModelRecipe",
    "card",
    "classifier_for",
    "datasets",
    "evaluation_settings",
    "load",
    "measured",
    "names",
    "recipe",
    "recipes",
    "register_network",
    "register_recipes",
    "repeats",
    "results",
    "seeds",
]
