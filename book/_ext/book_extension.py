"""Sphinx extension that completes the built book.

At every build it copies the explorers' script, the zoo's web data and MathJax into the output (not through the notebook cache,
which would keep old copies), executes all pages again when the package has changed, and removes scripts by which other
extensions would request files from other hosts. Settings, under ``sphinx: config:`` in ``_config.yml``:

``snnlab_repository``
    Address of the public repository. It turns on the repository, Binder and Colab buttons. Empty (the default): no buttons.
    The environment variable ``SNNLAB_REPOSITORY`` has precedence.
``snnlab_site``
    Address of the published pages; a preview of a link needs the absolute address of its picture. Empty (the default): no
    picture. The environment variable ``SNNLAB_SITE`` has precedence.
``snnlab_solutions``
    Whether pages show the solutions of the exercises (default: yes). Without them, ``make assignments`` still writes them.
``snnlab_mathjax``
    Folder of MathJax's ``es5`` build, relative to the book.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from importlib import metadata
from itertools import count
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import glossary
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError
from sphinx.util import logging
from sphinx_exercise.nodes import solution_node

import snnlab
from snnlab.plotting import theme
from snnlab.widgets.page import SHARED
from snnlab.zoo import export

__all__ = ["package_key", "setup", "write_assets"]

PACKAGE = Path(snnlab.__file__).parent
ANALYSIS = Path(__file__).parents[1] / "analysis"
BUNDLE = PACKAGE / "widgets" / "bundle" / "snnlab.js"
SCRIPTS = "snnlab*.js"  # beside it: what it loads when it is needed
KEY_FILE = "snnlab.key"

#: sources and data that the output of a page can depend on; the bundle is copied, not executed
KEY_SUFFIXES = {".py", ".toml", ".json", ".npz", ".safetensors", ".xz", ".mplstyle", ".png"}
KEY_LIBRARIES = ("torch", "torchattacks", "numpy", "matplotlib")

#: the parts of MathJax (24 MB) that the book uses: TeX input, HTML output with fonts, support for screen readers
MATHJAX_PARTS = (
    "tex-chtml.js",
    "input/tex/extensions/*.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "a11y/*.js",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
    "sre/mathmaps/nemeth.json",
)

#: address from which JupyterQuiz's script loads MathJax if the page has none
QUIZ_MATHJAX = "https://cdn.jsdelivr.net/npm/mathjax@3/es5/tex-svg.js"

#: JupyterQuiz fails if MathJax takes longer than half a second; these replacements make it wait
QUIZ_WAIT = {
    "setTimeout(function(){\n            var version": "addEventListener('load', () => MathJax.startup.promise.then(function(){\n"
    "            var version",
    "}, 500);\nif (typeof version": "}));\nif (typeof version",
}

#: wrong ARIA labels of other extensions → corrected HTML
ARIA_LABELS = {
    # The label of MyST-NB's fold differs from its visible text, "Show code cell source" or "Hide".
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # Docutils puts these entries into a list, which must contain list items.
    'role="doc-biblioentry"': 'role="listitem"',
}

#: the fold below an entry of the reference; the link in its summary leads to the entry itself
USES = re.compile(r"<summary>Expand for references to <a [^>]*>(.*?)</a></summary>")
#: boxes at the beginning of a chapter that sphinx-codeautolink takes for parts of the path to a heading
BOXES = re.compile(r"( / (In this chapter|Predict first))+(?= / |</a>)")

#: an entry of the contents that has pages below it, up to the fold that contains them
FOLD = re.compile(r"<a [^>]*>(?P<part>[^<]*)</a>\s*<details[^>]*>\s*<summary")

logger = logging.getLogger(__name__)


def package_key(*folders: Path) -> str:
    """Return a digest of everything besides its text that an executed page can depend on.

    This is the code and data of ``folders`` (default: the package and the book's analysis) and the versions of the libraries
    that produce numbers and figures.
    """
    digest = hashlib.sha256()
    for name in KEY_LIBRARIES:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    for root in folders or (PACKAGE, ANALYSIS):
        for path in sorted(_keyed_files(root)):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _keyed_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {"js", "bundle", "node_modules", "__pycache__"}]
        yield from (Path(folder, name) for name in names if Path(name).suffix in KEY_SUFFIXES)


def _set_launch_buttons(app: Sphinx, config: Config) -> None:
    url = (os.environ.get("SNNLAB_REPOSITORY") or config.snnlab_repository).rstrip("/")
    if not url:
        return
    if not url.startswith("https://"):
        raise ConfigError(f"snnlab_repository is {url!r}; expected the https:// address of the public repository")
    config.html_theme_options |= {
        "repository_url": url,
        "repository_branch": "main",
        "path_to_docs": "book",
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def _set_site(app: Sphinx, config: Config) -> None:
    url = os.environ.get("SNNLAB_SITE") or config.snnlab_site
    if url and not url.startswith("https://"):
        raise ConfigError(f"snnlab_site is {url!r}; expected the https:// address of the published pages")
    if url:
        config.ogp_site_url = url.rstrip("/") + "/"
    else:
        config.ogp_image = None


def _clear_outdated_cache(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> Iterable[str]:
    """Empty the notebook cache and read every page again if the package has changed since the pages were executed.

    The cache identifies a notebook by its cells only: without this, a page would keep showing numbers of the old code.
    """
    key = package_key()
    cache = Path(app.outdir).parent / ".jupyter_cache"
    key_file = cache / KEY_FILE
    if cache.exists() and not (key_file.is_file() and key_file.read_text() == key):
        logger.info("snnlab has changed: executing every page again")
        shutil.rmtree(cache)
    cache.mkdir(parents=True, exist_ok=True)
    key_file.write_text(key)
    if getattr(env, "snnlab_key", key) == key:
        outdated: set[str] = set()
    else:
        outdated = set(env.found_docs)
    env.snnlab_key = key  # type: ignore[attr-defined]  # saved with the pages
    return outdated


def _reread_after_warnings(app: Sphinx, exception: Exception | None) -> None:
    """Read every page again after a build with warnings.

    Sphinx warns about a page when it reads it; a second build would read nothing, and pass.
    """
    if app._warncount:
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def _rewrite_pages(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Write every page again when the bundle or a style sheet has changed.

    Pages refer to them with a checksum, and Sphinx does not copy style sheets into a book that it considers unchanged.
    """
    assets = sorted(BUNDLE.parent.glob(SCRIPTS))
    for folder in app.config.html_static_path:
        assets += sorted(path for path in Path(app.srcdir, folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in assets)).hexdigest()
    changed = getattr(env, "snnlab_assets", digest) != digest
    env.snnlab_assets = digest  # type: ignore[attr-defined]
    return set(env.found_docs) if changed else set()


def _write_assets(app: Sphinx) -> None:
    """Write the assets into ``_static`` before the pages that refer to them."""
    if app.builder.format == "html":
        write_assets(Path(app.outdir) / "_static", Path(app.srcdir, app.config.snnlab_mathjax))


def write_assets(static: Path, mathjax: Path) -> None:
    """Write the files that explorers and equations need: the bundles, the web data and MathJax.

    Args:
        static: folder to write to.
        mathjax: folder of MathJax's ``es5`` build.

    Raises:
        ConfigError: the bundle is missing, or MathJax is not in the folder ``mathjax``.
    """
    if not BUNDLE.is_file():
        raise ConfigError(f"{BUNDLE} is missing, so no explorer would work; remake it with `make bundle`")
    for path in BUNDLE.parent.glob(SCRIPTS):
        _copy(path, static / path.name)
    export.write(static)
    (static / "palette.css").write_text(theme.css())

    if not (mathjax / MATHJAX_PARTS[0]).is_file():
        raise ConfigError(f"no MathJax in {mathjax}, so no equation would show; `make js` installs it")
    for part in MATHJAX_PARTS:
        for path in mathjax.glob(part):
            _copy(path, static / "mathjax" / path.relative_to(mathjax))


def _copy(source: Path, target: Path) -> None:
    """Copy a file unless the target is equal, so that an unchanged book keeps its dates."""
    if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _disable_thebe(app: Sphinx, config: Config) -> None:
    """Stop sphinx-thebe, which Jupyter Book always loads, from adding anything to a page.

    Even when it is turned off it adds its script twice (an error on every page), the address of another host, and the name of
    another repository.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            handler = listener.handler
            if handler.__module__ == "sphinx_thebe" and handler.__name__ in {"init_thebe_core", "update_thebe_context"}:
                app.disconnect(listener.id)


def _drop_widget_state(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Remove the widgets' saved state: it repeats the whole bundle for a manager that the book does not load."""
    if "script_files" in context:
        context["script_files"] = [
            script
            for script in context["script_files"]
            if getattr(script, "attributes", {}).get("type") != "application/vnd.jupyter.widget-state+json"
        ]


def _use_local_mathjax_in_quizzes(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Make JupyterQuiz wait for the book's MathJax instead of loading another one from a different host, or failing."""
    if "body" in context:
        local = f"{context['content_root']}_static/mathjax/tex-chtml.js"
        for original, replacement in {QUIZ_MATHJAX: local, **QUIZ_WAIT}.items():
            context["body"] = context["body"].replace(original, replacement)


def _correct_labels(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give screen readers the text that is visible."""
    if "body" in context:
        for wrong, right in ARIA_LABELS.items():
            context["body"] = context["body"].replace(wrong, right)
        context["body"] = BOXES.sub("", USES.sub(r"<summary>Where the chapters use \1</summary>", context["body"]))


def _number_figures(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Number the figures of a page in their captions."""
    numbers = count(1)
    if "body" in context:
        context["body"] = re.sub(
            r'(<figure class="snn-figure".*?)<figcaption>',
            lambda figure: f'{figure[1]}<figcaption><span class="caption-number">Figure {next(numbers)}. </span>',
            context["body"],
            flags=re.DOTALL,
        )


def _number_by_page(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number exercises and figures from 1 on each page, in place of through the book."""
    for kinds in env.toc_fignumbers.values():
        for numbers in kinds.values():
            for k, anchor in enumerate(sorted(numbers, key=lambda anchor: numbers[anchor]), 1):
                numbers[anchor] = (k,)
    return []


def _drop_solutions(app: Sphinx, doctree: nodes.document) -> None:
    """Remove the solutions from a page if the setting says so."""
    if not app.config.snnlab_solutions:
        for node in list(doctree.findall(solution_node)):
            node.parent.remove(node)


def _collect_definitions(app: Sphinx, doctree: nodes.document) -> None:
    """Store the definition of every term of a glossary, as plain text, by its anchor."""
    env: Any = app.env
    env.snnlab_definitions = getattr(env, "snnlab_definitions", {})
    for entry in (item for listed in doctree.findall(glossary) for item in listed.findall(nodes.definition_list_item)):
        (definition,) = entry.findall(nodes.definition)
        for term in entry.findall(nodes.term):
            env.snnlab_definitions |= dict.fromkeys(term["ids"], " ".join(definition.astext().split()))


def _define_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give every link to the glossary the definition of its term as a title."""
    definitions = getattr(app.env, "snnlab_definitions", {})
    for link in doctree.findall(nodes.reference):
        anchor = link.get("refid") or link.get("refuri", "").rpartition("#")[2]
        if anchor.startswith("term-") and anchor in definitions:
            link["reftitle"] = definitions[anchor]
            link["classes"].append("snn-term")


def _label_folds(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Label the folds of the contents, which the theme shows as an arrow only, with the part that they open."""
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    def labelled(*args: Any, **options: Any) -> str:
        return FOLD.sub(r'\g<0> aria-label="Pages of \g<part>"', str(generate(*args, **options)))

    context["generate_toctree_html"] = labelled


def change_pages(app: Sphinx) -> dict[str, Any]:
    """Connect the functions that number exercises and figures, drop solutions, and add definitions to links."""
    app.add_config_value("snnlab_solutions", True, "env", types=(bool,))
    app.connect("doctree-read", _drop_solutions, priority=100)  # before sphinx-exercise registers them
    app.connect("doctree-read", _collect_definitions)
    app.connect("env-get-updated", _number_by_page, priority=900)  # after Sphinx numbered them through the book
    app.connect("doctree-resolved", _define_terms)
    app.connect("html-page-context", _number_figures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above to a build of Sphinx."""
    os.environ[SHARED] = "1"  # kernels inherit it: the pages load one script, outputs need not carry it
    change_pages(app)
    app.add_config_value("snnlab_repository", "", "html", types=(str,))
    app.add_config_value("snnlab_site", "", "html", types=(str,))
    app.add_config_value("snnlab_mathjax", "_mathjax/node_modules/mathjax/es5", "html", types=(str,))
    app.connect("config-inited", _disable_thebe)
    app.connect("config-inited", _set_launch_buttons)
    app.connect("config-inited", _set_site)
    app.connect("builder-inited", _write_assets)
    app.connect("env-get-outdated", _clear_outdated_cache)
    app.connect("env-updated", _rewrite_pages)
    app.connect("build-finished", _reread_after_warnings)
    app.connect("html-page-context", _drop_widget_state, priority=900)  # after MyST-NB added it
    app.connect("html-page-context", _use_local_mathjax_in_quizzes)
    app.connect("html-page-context", _correct_labels)
    app.connect("html-page-context", _label_folds, priority=900)  # after the theme defined it
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
