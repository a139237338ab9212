"""The Sphinx extension: when it executes pages again, what it copies, which settings it rejects."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.errors import ConfigError
from sphinx.testing.util import SphinxTestApp

import book_extension


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of a module, results, a bundle and the bundle's source."""
    for name in ("code.py", "zoo/results.json", "widgets/bundle/snnlab.js", "widgets/js/src/main.py", "notes.md"):
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return tmp_path / "package"


@pytest.mark.parametrize("name", ["code.py", "zoo/results.json"])
def test_key_changes_with_code_and_results(package: Path, name: str) -> None:
    before = book_extension.package_key(package)
    (package / name).write_text("2")
    assert book_extension.package_key(package) != before


@pytest.mark.parametrize("name", ["widgets/bundle/snnlab.js", "widgets/js/src/main.py", "notes.md"])
def test_key_does_not_change_with_what_no_page_executes(package: Path, name: str) -> None:
    before = book_extension.package_key(package)
    (package / name).write_text("2")
    assert book_extension.package_key(package) == before


def test_key_changes_when_a_file_is_renamed(package: Path) -> None:
    before = book_extension.package_key(package)
    (package / "code.py").rename(package / "decode.py")
    assert book_extension.package_key(package) != before


def outdated(build: Path, env: SimpleNamespace) -> set[str]:
    return set(book_extension._clear_outdated_cache(SimpleNamespace(outdir=build / "html"), env, set(), set(), set()))  # type: ignore[arg-type]


def test_key_changes_with_the_tables_of_the_book(package: Path, tmp_path: Path) -> None:
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "table.py").write_text("1")
    before = book_extension.package_key(package, tmp_path / "analysis")
    (tmp_path / "analysis" / "table.py").write_text("2")
    assert book_extension.package_key(package, tmp_path / "analysis") != before


def test_runs_of_another_package_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = SimpleNamespace(found_docs={"intro", "encoding"})
    run = tmp_path / ".jupyter_cache" / "run"
    monkeypatch.setattr(book_extension, "package_key", lambda: "old")
    assert outdated(tmp_path, env) == set()
    run.write_text("executed with the old package")
    monkeypatch.setattr(book_extension, "package_key", lambda: "new")
    assert outdated(tmp_path, env) == {"intro", "encoding"}
    assert not run.exists()


def test_runs_of_the_same_package_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = SimpleNamespace(found_docs={"intro"})
    monkeypatch.setattr(book_extension, "package_key", lambda: "same")
    outdated(tmp_path, env)
    run = tmp_path / ".jupyter_cache" / "run"
    run.write_text("executed")
    assert outdated(tmp_path, env) == set()
    assert run.exists()


def test_runs_of_an_unknown_package_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / ".jupyter_cache" / "run"
    run.parent.mkdir()
    run.write_text("executed by a build without this extension")
    monkeypatch.setattr(book_extension, "package_key", lambda: "new")
    outdated(tmp_path, SimpleNamespace(found_docs={"intro"}))
    assert not run.exists()


def test_pages_are_written_again_when_a_style_sheet_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_extension, "BUNDLE", tmp_path / "snnlab.js")
    (tmp_path / "snnlab.js").write_text("")
    sheet = tmp_path / "_assets" / "book.css"
    sheet.parent.mkdir()
    sheet.write_text("a {}")
    app = SimpleNamespace(srcdir=tmp_path, config=SimpleNamespace(html_static_path=["_assets"]))
    env = SimpleNamespace(found_docs={"intro"})
    assert book_extension._rewrite_pages(app, env) == set()  # type: ignore[arg-type]
    assert book_extension._rewrite_pages(app, env) == set()  # type: ignore[arg-type]
    sheet.write_text("b {}")
    assert book_extension._rewrite_pages(app, env) == {"intro"}  # type: ignore[arg-type]


def launch(setting: str) -> dict[str, object]:
    config = SimpleNamespace(snnlab_repository=setting, html_theme_options={})
    book_extension._set_launch_buttons(SimpleNamespace(), config)  # type: ignore[arg-type]
    return config.html_theme_options


def test_one_setting_turns_all_launch_buttons_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_REPOSITORY", raising=False)
    assert launch("") == {}
    options = launch("https://github.com/someone/snnlab/")
    assert options["repository_url"] == "https://github.com/someone/snnlab"
    assert options["launch_buttons"] == {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    }


def test_a_fork_shows_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_REPOSITORY", "https://github.com/fork/snnlab")
    assert launch("https://github.com/someone/snnlab")["repository_url"] == "https://github.com/fork/snnlab"


def test_a_repository_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_REPOSITORY", raising=False)
    with pytest.raises(ConfigError, match="someone/snnlab"):
        launch("someone/snnlab")


def assets_app(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(
        builder=SimpleNamespace(format="html"),
        outdir=folder / "out",
        srcdir=folder,
        config=SimpleNamespace(snnlab_mathjax="mathjax"),
    )


def test_a_build_without_bundle_stops_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_extension, "BUNDLE", tmp_path / "snnlab.js")
    with pytest.raises(ConfigError, match="make bundle"):
        book_extension._write_assets(assets_app(tmp_path))  # type: ignore[arg-type]


def test_a_build_without_mathjax_stops_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_extension, "BUNDLE", tmp_path / "snnlab.js")
    (tmp_path / "snnlab.js").write_text("")
    monkeypatch.setattr("snnlab.zoo.export.write", lambda folder: None)
    with pytest.raises(ConfigError, match="make js"):
        book_extension._write_assets(assets_app(tmp_path))  # type: ignore[arg-type]


def test_an_unchanged_file_is_not_copied_again(tmp_path: Path) -> None:
    source, target = tmp_path / "a.js", tmp_path / "static" / "a.js"
    source.write_text("1")
    book_extension._copy(source, target)
    first = target.stat().st_mtime_ns
    book_extension._copy(source, target)
    assert target.stat().st_mtime_ns == first
    source.write_text("2")
    book_extension._copy(source, target)
    assert target.read_text() == "2"


PAGES = {
    "index": """# Book
```{toctree}
one
two
words
```""",
    "one": """# One
{ref}`two-2`, {numref}`one-1`, {term}`gate`, {term}`gates <gate>`

```{exercise} First
:label: one-1
Ask.
```
````{solution-start} one-1
:class: dropdown
````
The answer.
````{solution-end}
````""",
    "two": """# Two
```{exercise} A
:label: two-1
```
```{exercise} B
:label: two-2
```""",
    "words": """# Words
```{glossary}
gate
factor
  A *factor* on one part.
```""",
}


def small_book(folder: Path, **settings: object) -> str:
    """Build a book of two chapters and a glossary with the parts of the extension that change pages; return the first."""
    source = folder / "book"
    source.mkdir()
    for name, text in PAGES.items():
        (source / f"{name}.md").write_text(text)
    (source / "conf.py").write_text("extensions = ['myst_parser', 'sphinx_exercise', 'snnlab_pages']\n")
    sys.modules["snnlab_pages"] = SimpleNamespace(setup=book_extension.change_pages)  # type: ignore[assignment]
    app = SphinxTestApp(srcdir=source, builddir=folder / "build", confoverrides=settings)
    app.build()
    page = (Path(app.outdir) / "one.html").read_text(encoding="utf8")
    app.cleanup()
    del sys.modules["snnlab_pages"]
    assert "WARNING" not in app.warning.getvalue()
    return page


def test_exercises_are_numbered_from_1_on_each_page_and_words_carry_their_definition(tmp_path: Path) -> None:
    page = small_book(tmp_path)
    assert ">Exercise 2</span>" in page  # the second of the other page, and the third of the book
    assert "Exercise 3" not in page
    assert page.count('title="A factor on one part."') == 2
    assert "The answer." in page


def test_one_setting_keeps_solutions_out_of_the_pages(tmp_path: Path) -> None:
    page = small_book(tmp_path, snnlab_solutions=False)
    assert "Ask." in page
    assert "The answer." not in page


def test_figures_are_numbered_in_their_captions() -> None:
    figure = '<figure class="snn-figure" style=""><div></div><figcaption>Accuracy.</figcaption></figure>'
    context = {"body": f"{figure}<figure><figcaption>Other.</figcaption></figure>{figure}"}
    book_extension._number_figures(None, "", "", context, None)  # type: ignore[arg-type]
    assert context["body"].count("Figure 1. </span>Accuracy.") == context["body"].count("Figure 2. </span>Accuracy.") == 1
    assert "<figcaption>Other." in context["body"]
