# Needs git, make and a Python 3.11 to 3.13; everything else is set up in .venv. `make` alone lists the targets.
# PYTHON=/path/to/python chooses the interpreter, JOBS=n the number of test processes.

VENV := .venv
BIN := $(VENV)/bin
DOCS := .venvs/docs/bin
JOBS ?= 2
export PYTHON JOBS

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format types bench pictures lock clean venv

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

# Always asked, cheap when there is nothing to do: it compares what is installed with what is wanted, not file times.
venv:
	@tools/setup-venv $(VENV) requirements/dev.txt

# Status 1 of `explore` means that a failure was found, which is what the demo is there to show.
demo: venv ## set up everything and find an order of events that breaks the model exchange
	@$(BIN)/racewindow explore paradex --all-failures; status=$$?; \
	if [ $$status -ne 1 ]; then echo "make demo: expected a failure to be found (status 1), got status $$status" >&2; exit 1; fi

test: lint types ## set up everything and run lint, types, all tests with a sample of the seeds, and the incidents
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal
	@$(BIN)/racewindow ci --quiet

test-all: lint types ## run all tests with all seeds, on every Python that is here and on the oldest dependencies
	@tools/test-pythons all

lint: venv ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: venv ## mend format, and what of the style can be mended automatically
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: venv ## check types
	@$(BIN)/mypy

# Every warning is an error: a link or an anchor that leads nowhere, a page that no list names.
SITE = $(DOCS)/python -m tools.docs_pages build/docs-pages && \
	$(DOCS)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --jobs $(JOBS) \
	--conf-dir docs/site --doctree-dir build/docs-doctrees

.PHONY: docs docs-links # also a folder
docs: ## make the documentation site, and check every link and anchor within it
	@tools/setup-venv .venvs/docs requirements/docs.txt
	@rm -rf build/docs
	@$(SITE) build/docs-pages build/docs
	@echo "The documentation is in $(CURDIR)/build/docs/index.html"

docs-links: docs ## check the links that lead out of the documentation; needs the network
	@$(SITE) --builder linkcheck build/docs-pages build/docs-links && echo "Every link leads somewhere."

bench: venv ## measure speed against plain trio; the figures are in benchmarks/README.md
	@$(BIN)/python benchmarks/run.py

pictures: venv ## make the pictures of pages in docs/pictures anew; needs Chromium
	@$(BIN)/python tools/pictures.py

lock: ## update requirements/: the newest versions that pyproject.toml allows, pinned by hash
	@tools/lock

clean: ## remove everything that make has made (found failures in .racewindow/ stay)
	@rm -rf $(VENV) .venvs build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find harness faults models tests -name __pycache__ -prune -exec rm -rf {} +
