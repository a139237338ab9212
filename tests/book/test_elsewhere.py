"""The book on other machines: Binder, Colab, a classroom without network; and what a chapter costs there."""

import csv
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import chapter_costs as costs
import nbformat
import pytest
import yaml
from building import BOOK, ROOT, built_book
from IPython.core.inputtransformer2 import TransformerManager

CHAPTERS = costs.chapters()


@pytest.mark.case("Binder")
def test_binder_reads_our_environment_and_runs_our_last_step(tmp_path: Path) -> None:
    """What Binder's own program makes of the two files, without building it."""
    for name in ("environment.yml", "postBuild"):
        shutil.copy(ROOT / name, tmp_path / name)
    tool = Path(sys.executable).with_name("jupyter-repo2docker")
    command = [tool, "--no-build", "--no-run", "--debug", tmp_path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    assert "python=3.11" in done.stdout
    assert "env update" in done.stdout
    assert "RUN ./postBuild" in done.stdout


def test_every_version_that_binder_takes_from_conda_is_the_pinned_one() -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(.+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    wanted = [d for d in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"] if isinstance(d, str)]
    assert f"pytorch-cpu={pins['torch']}" in wanted


def test_every_chapter_begins_by_installing_what_is_missing_there_and_only_there() -> None:
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]["snnlab_repository"]
    first = set()
    for chapter in CHAPTERS:
        cell = next(c for c in nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4).cells if c.cell_type == "code")
        assert cell.metadata["tags"] == ["remove-cell"], chapter
        first.add(cell.source)
    (source,) = first
    assert f'REPOSITORY = "{address}"' in source
    assert 'importlib.util.find_spec("snnlab") is None' in source


@pytest.mark.case("Colab")
def test_the_first_cell_finds_the_tables_of_the_book_where_a_notebook_stands_alone(tmp_path: Path) -> None:
    """As on Colab: a folder without the book. The clone is a copy; nothing is installed."""
    notebook = nbformat.read(BOOK / f"{CHAPTERS[0]}.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code = TransformerManager().transform_cell(cell.source.replace('REPOSITORY = ""', f'REPOSITORY = "{ROOT}"'))
    shell = f"""
import shutil
from types import SimpleNamespace
def clone(command):
    assert command.startswith("git clone "), command
    shutil.copytree("{BOOK}/analysis", command.split()[-1] + "/book/analysis")
def get_ipython():
    return SimpleNamespace(system=clone, run_line_magic=lambda *_: None)
"""
    script = f"{shell}\n{code}\nimport analysis\nprint(analysis.__file__)"
    for _ in range(2):  # the second time as after a restart of the kernel
        run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
        assert (tmp_path / run.stdout.strip()).resolve() == tmp_path / "course" / "book" / "analysis" / "__init__.py"


def test_one_command_names_the_repository_everywhere(tmp_path: Path) -> None:
    for name in ("Makefile", "_config.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(BOOK, tmp_path / "book", ignore=shutil.ignore_patterns("node_modules", "_*"))
    url = "https://github.com/someone/a-course"
    subprocess.run(["make", "repository", f"URL={url}"], cwd=tmp_path, check=True, stdout=subprocess.PIPE)
    assert yaml.safe_load((tmp_path / "_config.yml").read_text())["sphinx"]["config"]["snnlab_repository"] == url
    for chapter in CHAPTERS:
        assert f'REPOSITORY = "{url}"' in json.dumps(
            nbformat.read(tmp_path / f"book/{chapter}.ipynb", as_version=4)
        ).replace("\\", "")


def _files_of_the_book() -> set[Path]:
    skipped = {"node_modules", "__pycache__", ".ipynb_checkpoints"}
    return {path for path in BOOK.rglob("*") if not skipped & set(path.parts)}


@pytest.mark.case("Binder's memory")
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_fits_a_small_machine_and_leaves_no_file_behind(chapter: str) -> None:
    """Processor time, not wall time: other work on the machine does not count."""
    before = _files_of_the_book()
    cost = costs.measure(chapter)
    assert _files_of_the_book() == before
    assert cost.seconds < costs.LIMITS["seconds"]
    assert cost.megabytes < costs.LIMITS["megabytes"]


def test_every_cost_on_the_status_page_is_that_of_a_chapter_and_within_the_limits() -> None:
    with costs.RECORD.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert row["chapter"] in {f"{{doc}}`/{chapter}`" for chapter in CHAPTERS}
        assert all(0 < float(row[name]) < limit for name, limit in costs.LIMITS.items())


@pytest.mark.case("the book read offline")
def test_the_book_in_one_file_holds_every_page_and_its_scripts(tmp_path: Path) -> None:
    html = built_book()
    subprocess.run(["make", "-o", "book", "offline"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    with zipfile.ZipFile(ROOT / "_build" / "spiking-networks-under-attack.zip") as packed:
        packed.extractall(tmp_path)
    (top,) = tmp_path.iterdir()
    assert (top / "index.html").is_file()
    built = {path.relative_to(html): path.read_bytes() for path in html.rglob("*") if path.is_file()}
    assert built == {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
