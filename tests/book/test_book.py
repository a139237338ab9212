"""The built book: complete, executed, self-contained. What it does in a browser is tested in tests/browser."""

import gzip
import inspect
import json
import pickle
import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from building import BOOK, BUILD, ROOT, built_book
from sphinx.util.inventory import InventoryFile
from visiting import pages as listed

NOTEBOOKS = sorted(BOOK.rglob("*.ipynb"))
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "audio": "src",
    "video": "src",
    "link": "href",
}

#: what is not part of the library: a script that made a file of the package, and templates
UNLISTED = {"snnlab.data.make_mnist5k", "snnlab.plotting.templates"}


class Page(HTMLParser):
    """What a page loads, and which explorers stand in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.loads: list[str] = []
        self.scripts: list[str] = []
        self.explorers: list[dict[str, str | None]] = []
        self.silent: list[str] = []  # pictures without a word
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get(LOADING.get(tag, ""))
        if address and values.get("rel") not in {"next", "prev", "index", "search", "canonical"}:
            self.loads.append(address)
            if tag == "script":
                self.scripts.append(address.partition("?")[0])
        if tag == "img" and not (values.get("alt") or "").strip():
            self.silent.append(values.get("src") or "")
        if tag == "snn-lab":
            self.explorers.append(values)


@pytest.fixture(scope="module")
def html() -> Path:
    return built_book()


@pytest.fixture(scope="module")
def pages(html: Path) -> list[Page]:
    # The themes leave templates of theirs in _static; those are nobody's pages.
    return [Page(path) for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]


@pytest.fixture(scope="module")
def chapters() -> list[str]:
    return listed()


def test_every_chapter_of_the_contents_is_built(html: Path, chapters: list[str]) -> None:
    assert [name for name in chapters if not (html / f"{name}.html").is_file()] == []


def test_every_notebook_is_in_the_contents(chapters: list[str]) -> None:
    assert [path.name for path in NOTEBOOKS if path.relative_to(BOOK).with_suffix("").as_posix() not in chapters] == []


def test_every_notebook_was_executed_to_its_end(html: Path) -> None:
    environment = pickle.loads((BUILD / ".doctrees" / "environment.pickle").read_bytes())
    for path in NOTEBOOKS:
        name = path.relative_to(BOOK).with_suffix("").as_posix()
        assert environment.nb_metadata[name]["exec_data"]["succeeded"], name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.source
            assert cell.execution_count is None, cell.source


def test_no_page_loads_anything_from_another_host(pages: list[Page]) -> None:
    foreign = [(page.path.name, a) for page in pages for a in page.loads if re.match(r"([a-z]+:)?//", a)]
    assert foreign == []


def test_no_script_in_a_page_names_a_host_to_load_from(html: Path) -> None:
    for path in html.glob("*.html"):
        assert not re.search(r"cdn\.|unpkg|googleapis", path.read_text()), path.name


def test_no_style_sheet_loads_anything_from_another_host(html: Path) -> None:
    loads = re.compile(r"""(?:@import\s+|url\()\s*["']?\s*(?:https?:)?//[^"')\s]+""")
    assert [(p.name, loads.findall(p.read_text(encoding="utf8"))[:1]) for p in html.rglob("*.css")
            if loads.search(p.read_text(encoding="utf8"))] == []  # fmt: skip


def test_everything_a_page_loads_is_there(pages: list[Page]) -> None:
    missing = []
    for page in pages:
        for address in page.loads:
            target = address.partition("?")[0].partition("#")[0]
            if not target.startswith("data:") and not (page.path.parent / target).is_file():
                missing.append((page.path.name, address))
    assert missing == []


def test_every_page_loads_the_explorers_once(pages: list[Page], chapters: list[str]) -> None:
    for page in pages:
        if page.path.stem in chapters:
            assert sum(s.endswith("_static/snnlab.js") for s in page.scripts) == 1, page.path.name
            assert not any("thebe" in s or "require" in s or "html-manager" in s for s in page.scripts)


def test_explorers_hold_an_image_and_a_sentence_for_readers_without_scripts(html: Path, pages: list[Page]) -> None:
    explorers = {page.path.relative_to(html).with_suffix("").as_posix() for page in pages if page.explorers}
    assert {"intro", "encoding"} <= explorers
    for name in explorers:
        text = (html / f"{name}.html").read_text(encoding="utf8")
        for inside in re.findall(r"<snn-lab[^>]*>(.*?)</snn-lab>", text, flags=re.DOTALL):
            assert re.search(r'<img[^>]*alt="[^"]{20,}"', inside), name
            assert re.search(r"<figcaption>.{20,}</figcaption>", inside, flags=re.DOTALL), name


def test_every_picture_says_what_it_shows(pages: list[Page]) -> None:
    assert [(page.path.name, source[-60:]) for page in pages for source in page.silent] == []


def test_widgets_stand_in_pages_as_html_and_leave_no_state_behind(html: Path) -> None:
    for path in html.glob("*.html"):
        assert "application/vnd.jupyter.widget" not in path.read_text(encoding="utf8"), path.name


def test_outputs_are_figures_and_tables_rather_than_their_names(html: Path) -> None:
    for path in html.glob("*.html"):
        names = re.findall(r"&lt;(?:Figure|Axes|[\w.]+ object at 0x|IPython\.)[^\n]*", path.read_text(encoding="utf8"))
        assert names == [], path.name


def test_no_number_on_a_page_shows_its_rounding(html: Path) -> None:
    for path in html.glob("*.html"):
        text = re.sub(r"<script.*?</script>|<[^>]*>", " ", path.read_text(encoding="utf8"), flags=re.DOTALL)
        assert re.findall(r"(?<![\w.])[-−]0\.0+(?!\d)|\b\d\.\d{12,}", text) == [], path.name


def test_the_bundle_and_the_data_in_the_book_are_those_of_the_package(html: Path) -> None:
    from snnlab.zoo import export

    bundle = ROOT / "snnlab" / "widgets" / "bundle" / "snnlab.js"
    assert (html / "_static" / "snnlab.js").read_bytes() == bundle.read_bytes()
    assert (html / "_static" / "snnlab-zoo.js").read_text(encoding="utf8") == export.script("zoo")
    for model in export.payload("zoo")["models"]:
        key = f"model/{model['name']}"
        written = html / "_static" / f"snnlab-model-{model['name']}.js"
        assert written.read_text(encoding="utf8") == export.script(key), key


def test_first_picture_needs_less_than_a_megabyte_compressed(html: Path) -> None:
    """Bundle, results and samples come first; then a model at a time, when it is chosen, and all digits when a page measures."""
    files = (path for path in (html / "_static").glob("snnlab*.js") if not path.stem.startswith("snnlab-digits-"))
    sizes = {path.stem: len(gzip.compress(path.read_bytes())) for path in files}
    models = {name: size for name, size in sizes.items() if name.startswith(("snnlab-model-", "snnlab-picture-"))}
    assert sum(sizes.values()) - sum(models.values()) + max(models.values()) < 1_000_000, json.dumps(sizes, indent=1)


def test_mathjax_is_complete(html: Path) -> None:
    mathjax = html / "_static" / "mathjax"
    assert (mathjax / "tex-chtml.js").is_file()
    assert len(list((mathjax / "output/chtml/fonts/woff-v2").glob("*.woff"))) > 20


def test_launch_buttons_are_absent_while_the_repository_has_no_address(pages: list[Page]) -> None:
    for page in pages:
        assert "https://mybinder.org" not in page.path.read_text(encoding="utf8"), page.path.name


def _public_names() -> Iterator[str]:
    """Every module of the library, the functions and classes that it makes public, and the constants of its folder's list."""
    for path in sorted((ROOT / "snnlab").glob("**/*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name in {"snnlab", *UNLISTED}:
            continue
        yield name
        module, folder = import_module(name), import_module(name.rpartition(".")[0])
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if path.name == "__init__.py":
                continue
            if inspect.isclass(value) or inspect.isroutine(value):
                yield f"{value.__module__}.{value.__qualname__}"
            elif public in getattr(folder, "__all__", ()):
                yield f"{name}.{public}"


def test_every_public_name_is_in_the_reference(html: Path) -> None:
    with (html / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", posixpath.join)
    known = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    assert [name for name in _public_names() if name not in known] == []


def test_every_folder_of_the_package_has_a_page_that_names_its_modules_and_chapters() -> None:
    for folder in sorted(path.parent for path in ROOT.glob("snnlab/*/__init__.py")):
        text = (BOOK / "api" / f"{folder.name}.md").read_text(encoding="utf8")
        modules = re.findall(r"^## (snnlab\.\S+)$", text, re.MULTILINE)
        assert len(modules) == len(re.findall(r"^\*(?:Explained|Used) in\* \{doc\}`/[\w/]+`\.$", text, re.MULTILINE)), folder
        there = {
            f"snnlab.{folder.name}",
            *(f"snnlab.{folder.name}.{p.stem}" for p in folder.glob("*.py") if p.stem[0] != "_"),
        }
        assert there - UNLISTED <= set(modules), folder.name


def test_chapters_lead_to_the_reference_and_the_reference_to_chapters(html: Path) -> None:
    chapter = (html / "early_exit.html").read_text(encoding="utf8")
    assert 'href="api/networks.html#snnlab.networks.early_exit.dynamic_exit"' in chapter
    reference = (html / "api" / "networks.html").read_text(encoding="utf8")
    assert re.search(r'href="\.\./early_exit\.html[^"]*"', reference)


def test_a_shown_link_has_a_title_and_a_sentence_but_no_picture_while_the_site_has_no_address(pages: list[Page]) -> None:
    text = next(page.path for page in pages if page.path.name == "early_exit.html").read_text(encoding="utf8")
    assert 'property="og:title"' in text
    assert re.search(r'<meta property="og:description" content="[^"]{40,}', text)
    assert "og:image" not in text
