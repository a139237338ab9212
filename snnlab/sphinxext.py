"""What the built book needs beside its pages, as a Sphinx extension.

It puts the explorers' script, the zoo's web data and MathJax into the output at every build (never by way of the
notebook cache, which would keep old ones), forgets executed pages when the package has changed, and takes out the
scripts with which other extensions would ask other hosts. Settings, under ``sphinx: config:`` in ``_config.yml``:

``snnlab_repository``
    Address of the public repository. It turns on the repository, Binder and Colab buttons; empty, the default, means
    none. The environment variable ``SNNLAB_REPOSITORY`` has precedence.
``snnlab_site``
    Address of the published pages. Those who show a link fetch its picture by absolute address; empty, the default, means no
    such picture. The environment variable ``SNNLAB_SITE`` has precedence.
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
from pathlib import Path
from typing import Any

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError
from sphinx.util import logging

__all__ = ["package_key", "setup", "write_assets"]

PACKAGE = Path(__file__).parent
BUNDLE = PACKAGE / "widgets" / "bundle" / "snnlab.js"
KEY_FILE = "snnlab.key"

# Sources and data that the output of a page can depend on. The bundle is not among them: it is copied, not executed.
KEY_SUFFIXES = {".py", ".toml", ".json", ".npz", ".safetensors", ".xz", ".mplstyle", ".png"}
KEY_LIBRARIES = ("torch", "torchattacks", "numpy", "matplotlib")

# Of MathJax's 24 MB: TeX input, HTML output with its fonts, and what its menu offers to readers with a screen reader.
MATHJAX_PARTS = (
    "tex-chtml.js",
    "input/tex/extensions/*.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "a11y/*.js",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
    "sre/mathmaps/nemeth.json",
)

#: the address that JupyterQuiz's script falls back to
QUIZ_MATHJAX = "https://cdn.jsdelivr.net/npm/mathjax@3/es5/tex-svg.js"

#: JupyterQuiz gives MathJax half a second to come, and fails if it takes longer; in our pages it waits
QUIZ_HASTE = {
    "setTimeout(function(){\n            var version": "addEventListener('load', () => MathJax.startup.promise.then(function(){\n"
    "            var version",
    "}, 500);\nif (typeof version": "}));\nif (typeof version",
}

#: what other extensions say to screen readers, and what is so
MISNAMED = {
    # MyST-NB's fold reads "Show code cell source", or "Hide", and is called something else.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # Docutils puts them into a list, and a list holds list items.
    'role="doc-biblioentry"': 'role="listitem"',
}

#: the fold below an entry of the reference: a link in it, to where the reader already is, could not be told from the fold
USES = re.compile(r"<summary>Expand for references to <a [^>]*>(.*?)</a></summary>")
#: boxes at the head of a chapter, taken for parts of the way to a heading
BOXES = re.compile(r"( / (In this chapter|Predict first))+(?= / |</a>)")

#: an entry of the contents with pages of its own, up to the fold that holds them
FOLD = re.compile(r"<a [^>]*>(?P<part>[^<]*)</a>\s*<details[^>]*>\s*<summary")

logger = logging.getLogger(__name__)


def package_key(package: Path = PACKAGE) -> str:
    """Return a digest of all that an executed page can depend on besides its own text.

    That is the code and data of ``package`` and the versions of the libraries that produce numbers and figures.
    """
    digest = hashlib.sha256()
    for name in KEY_LIBRARIES:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    for path in sorted(_keyed_files(package)):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _keyed_files(package: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(package):
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


def _forget_old_runs(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> Iterable[str]:
    """Empty the notebook cache, and have every page read again, if the package is not the one they ran with.

    The cache knows a notebook by its cells alone: without this, a page would keep showing the numbers of the old code.
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
    env.snnlab_key = key  # type: ignore[attr-defined]  # stored with the pages it belongs to
    return outdated


def _forget_warned_build(app: Sphinx, exception: Exception | None) -> None:
    """Have every page read again after a build with warnings.

    Sphinx warns about a page when it reads it; a second build would find nothing to read, and pass.
    """
    if app._warncount:
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def _rewrite_pages(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Have every page written again when the bundle or a style sheet has changed.

    Pages name them with a checksum, and Sphinx copies no style sheet into a book that it thinks unchanged.
    """
    assets = [BUNDLE]
    for folder in app.config.html_static_path:
        assets += sorted(path for path in Path(app.srcdir, folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in assets)).hexdigest()
    changed = getattr(env, "snnlab_assets", digest) != digest
    env.snnlab_assets = digest  # type: ignore[attr-defined]
    return set(env.found_docs) if changed else set()


def _write_assets(app: Sphinx) -> None:
    """Write the assets into ``_static``, before the pages that name them."""
    if app.builder.format == "html":
        write_assets(Path(app.outdir) / "_static", Path(app.srcdir, app.config.snnlab_mathjax))


def write_assets(static: Path, mathjax: Path) -> None:
    """Write into a folder what pages with explorers and equations load: the bundle, the web data and MathJax.

    Raises:
        ConfigError: the bundle is missing, or MathJax is not in the folder ``mathjax``.
    """
    if not BUNDLE.is_file():
        raise ConfigError(f"{BUNDLE} is missing, so no explorer would work; remake it with `make bundle`")
    _copy(BUNDLE, static / BUNDLE.name)

    from snnlab.zoo import web  # here, because it is needed by a build only and brings torch along

    web.write(static)

    if not (mathjax / MATHJAX_PARTS[0]).is_file():
        raise ConfigError(f"no MathJax in {mathjax}, so no equation would show; `make js` installs it")
    for part in MATHJAX_PARTS:
        for path in mathjax.glob(part):
            _copy(path, static / "mathjax" / path.relative_to(mathjax))


def _copy(source: Path, target: Path) -> None:
    """Copy a file unless the same is there already, so that an unchanged book keeps its dates."""
    if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _silence_thebe(app: Sphinx, config: Config) -> None:
    """Keep sphinx-thebe, which Jupyter Book always loads, from adding anything to a page.

    Even where it is turned off it adds its script twice (an error on every page), the address of another host, and
    the name of somebody else's repository.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            handler = listener.handler
            if handler.__module__ == "sphinx_thebe" and handler.__name__ in {"init_thebe_core", "update_thebe_context"}:
                app.disconnect(listener.id)


def _drop_widget_state(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Leave out the widgets' saved state: it repeats the whole bundle, for a manager that the book does not load."""
    if "script_files" in context:
        context["script_files"] = [
            script
            for script in context["script_files"]
            if getattr(script, "attributes", {}).get("type") != "application/vnd.jupyter.widget-state+json"
        ]


def _keep_quizzes_at_home(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Have JupyterQuiz wait for our MathJax: where that is slow to come, it would load one from another host, or fail."""
    if "body" in context:
        local = f"{context['content_root']}_static/mathjax/tex-chtml.js"
        for theirs, ours in {QUIZ_MATHJAX: local, **QUIZ_HASTE}.items():
            context["body"] = context["body"].replace(theirs, ours)


def _name_what_is_seen(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Have a page say the same to those who hear it and to those who see it."""
    if "body" in context:
        for wrong, right in MISNAMED.items():
            context["body"] = context["body"].replace(wrong, right)
        context["body"] = BOXES.sub("", USES.sub(r"<summary>Where the chapters use \1</summary>", context["body"]))


def _name_folds(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the folds of the contents, which the theme shows as a mere arrow, the name of the part that they unfold."""
    written = context.get("generate_toctree_html")
    if written is None:
        return

    def named(*given: Any, **chosen: Any) -> str:
        return FOLD.sub(r'\g<0> aria-label="Pages of \g<part>"', str(written(*given, **chosen)))

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the above to a build of Sphinx."""
    app.add_config_value("snnlab_repository", "", "html", types=(str,))
    app.add_config_value("snnlab_site", "", "html", types=(str,))
    app.add_config_value("snnlab_mathjax", "_mathjax/node_modules/mathjax/es5", "html", types=(str,))
    app.connect("config-inited", _silence_thebe)
    app.connect("config-inited", _set_launch_buttons)
    app.connect("config-inited", _set_site)
    app.connect("builder-inited", _write_assets)
    app.connect("env-get-outdated", _forget_old_runs)
    app.connect("env-updated", _rewrite_pages)
    app.connect("build-finished", _forget_warned_build)
    app.connect("html-page-context", _drop_widget_state, priority=900)  # after MyST-NB has added it
    app.connect("html-page-context", _keep_quizzes_at_home)
    app.connect("html-page-context", _name_what_is_seen)
    app.connect("html-page-context", _name_folds, priority=900)  # after the theme has made it
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
