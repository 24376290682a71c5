# Takewatch from a checkout. Each target does all of its own set-up: it needs Python 3.11 or newer
# and make; what else is missing it installs (system packages by apt, as root or by sudo) or names.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
LOCKED := --require-hashes --only-binary :all:
UV := .make/uv/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
step = @echo "· $(1)"

.PHONY: help run test lint page-check tests bench accuracy lock screenshot clean page run-system test-system

help:
	@echo "make run         watch every take: set up what is missing, then serve the page"
	@echo "                 (ARGS=\"--port 8401\" is handed to takewatch run)"
	@echo "make test        set up, then lint, type-check and run every test"
	@echo "make bench       run the benchmarks, each against a named peer"
	@echo "make accuracy    measure meters and detectors, and write docs/accuracy.md (hours)"
	@echo "make screenshot  take the README's pictures from practice feeds"
	@echo "make lock        choose newer versions and write the locks again"
	@echo "make clean       remove all that was set up or built"

# --- what one calls -----------------------------------------------------------------------------

run: run-system page .make/project
	@exec $(BIN)/takewatch run $(ARGS)

test: lint page-check tests

lint: .make/tools
	$(call step,ruff: rules and format)
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	$(call step,mypy: types)
	@$(BIN)/mypy
	$(call step,import-linter: imports go one way)
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache >.make/imports.log || { cat .make/imports.log; exit 1; }

page-check: page
	$(call step,page: svelte-check$(,) types and unit tests)
	@$(BIN)/python hatch_build.py npm run --silent check

tests: test-system page .make/tools .make/project
	$(call step,pytest: everything else$(,) none skipped)
	@$(BIN)/python -m pytest -q $(ARGS)

accuracy: test-system page .make/tools .make/project
	@$(BIN)/python -m bench.accuracy $(ARGS)

bench: test-system page .make/tools .make/project
	@for file in bench/[a-z]*.py; do $(BIN)/python -m bench.$$(basename $$file .py) || exit 1; done

screenshot: test-system page .make/tools .make/project
	@$(BIN)/python setup/screenshot.py docs/images

lock: $(UV)
	$(COMPILE) --upgrade --extra dev --extra source pyproject.toml -o requirements-dev.lock
	$(COMPILE) --upgrade --extra source -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --group node -o requirements-node.lock

clean:
	rm -rf .venv .make build dist dashboard/dist dashboard/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- what it takes ------------------------------------------------------------------------------

, := ,

run-system:
	@setup/system_packages.sh --optional setup/system-packages.txt

test-system:
	@setup/system_packages.sh setup/system-packages.txt tests/system-packages.txt

.make/venv:
	@[ -n "$(PYTHON)" ] || { echo "Takewatch needs Python 3.11 or newer: none found"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo python3-venv | setup/system_packages.sh -; }
	$(call step,Python environment in .venv)
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@mkdir -p .make && touch $@

.make/packages: requirements.lock .make/venv
	$(call step,Python packages$(,) pinned and checked against their hashes)
	@$(PIP) install $(LOCKED) -r requirements.lock
	@touch $@

.make/tools: requirements-dev.lock .make/venv
	$(call step,Python packages and test tools$(,) pinned and checked against their hashes)
	@$(PIP) install $(LOCKED) -r requirements-dev.lock
	@touch $@ .make/packages

.make/node: requirements-node.lock .make/packages
	@$(BIN)/python hatch_build.py node || { \
	  echo "· Node for building the page: PyPI's package, since the system's is missing or too old"; \
	  $(PIP) install $(LOCKED) -r requirements-node.lock; }
	@touch $@

page: .make/node
	@$(BIN)/python hatch_build.py

.make/project: pyproject.toml .make/packages
	$(call step,Takewatch itself: $(BIN)/takewatch)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(UV):
	$(call step,uv$(,) which writes the locks)
	@$(PYTHON) -m venv .make/uv && .make/uv/bin/python -m pip -qq install uv
