"""Folders of the package import in one direction only."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import snnlab

PACKAGE = Path(snnlab.__file__).parent
#: folders and modules of the package, from the top down; a folder imports only from lines below its own
LAYERS = (
    ("cli",),
    ("teach", "widgets"),
    ("claims",),
    ("zoo",),
    ("evaluation",),
    ("plotting", "training"),
    ("attacks",),
    ("networks",),
    ("encoding", "data"),
    ("statistics",),
    ("files", "vocabulary"),
)


def _imports() -> dict[str, set[str]]:
    """Return the parts of the package that each part imports from, anywhere in its modules."""
    graph: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part == "__init__":  # the names that a user types come from everywhere
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module == "snnlab":
                names = [f"snnlab.{a.name}" for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            inside = {name.split(".")[1] for name in names if name.startswith("snnlab.")}
            graph.setdefault(part, set()).update(inside - {part})
    return graph


def test_folders_import_without_a_circle() -> None:
    TopologicalSorter(_imports()).prepare()  # raises CycleError


def test_every_folder_imports_only_from_layers_below_its_own() -> None:
    height = {part: k for k, layer in enumerate(LAYERS) for part in layer}
    graph = _imports()
    assert graph.keys() == height.keys()
    upward = {f"{part} -> {other}" for part, others in graph.items() for other in others if height[other] <= height[part]}
    assert not upward


def test_the_root_of_the_package_holds_four_modules_at_most() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= 4


def test_the_package_offers_a_dozen_names_beside_its_modules() -> None:
    assert len([name for name in snnlab.__all__ if not isinstance(getattr(snnlab, name), ModuleType)]) <= 12


def test_the_package_is_imported_without_libraries_that_some_calls_need() -> None:
    """Every command, kernel and worker waits for what is imported here."""
    shown = subprocess.check_output([sys.executable, "-c", "import sys, snnlab; print(*sys.modules)"], text=True)
    assert not {"scipy.stats", "pandas", "matplotlib", "requests", "pooch", "IPython"} & set(shown.split())
