# make run    install what is missing, then start the dashboard
# make test   run all checks: style, types, import rules, tests
# make setup  install only
# make lint   run the checks without the tests
# make clean  remove what was installed
#
# Requires make and Python 3.11 or newer. With npm, the map's scripts are installed too, and the app then contacts no
# external host; without npm, it loads them from their public addresses.

SHELL := /bin/bash
.DEFAULT_GOAL := run
.PHONY: run test setup setup-dev lint check-python assets clean

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
APP_STAMP := $(VENV)/.app-installed
DEV_STAMP := $(VENV)/.dev-installed
NPM_LOCK := $(firstword $(wildcard package-lock.json assets/package-lock.json ui/package-lock.json))
NPM_FOLDER := $(patsubst %/,%,$(dir $(NPM_LOCK)))
NPM_STAMP := $(if $(NPM_LOCK),$(NPM_FOLDER)/node_modules/.installed)

run: setup
	$(BIN)/streamlit run app.py $(ARGS)

setup: $(APP_STAMP) assets

setup-dev: $(DEV_STAMP) assets

# Tests that drive a browser or start workers of their own come last: beside them the machine has two of a kind at most.
APART := tests/browser tests/jobs

test: setup-dev lint
	@failed=0; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(addprefix --ignore=,$(APART)) $(ARGS) || failed=1; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(APART) $(ARGS) || failed=1; \
	exit $$failed

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-logo

check-python:
	@test -n "$(PYTHON)" || { echo "Python was not found. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11. Install a newer Python, or run: make PYTHON=/path/to/python"; exit 1; }

$(BIN)/python: | check-python
	"$(PYTHON)" -m venv $(VENV)

$(APP_STAMP): requirements.txt constraints.txt | $(BIN)/python
	$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(APP_STAMP)
	$(PIP) install -r requirements-dev.txt -c constraints.txt
	@touch $@

assets: $(NPM_STAMP)

# The map works without these, so a machine without npm, or one that is offline, is told and not stopped.
ifneq ($(NPM_STAMP),)
$(NPM_STAMP): $(NPM_LOCK)
	@if ! command -v npm >/dev/null; then \
	  echo "npm is not installed: the browser loads the map's scripts from their public addresses."; \
	elif (cd "$(NPM_FOLDER)" && npm ci --ignore-scripts --no-audit --no-fund); then \
	  touch $@; \
	else \
	  echo "npm could not install the map's scripts: the browser loads them from their public addresses."; \
	fi
endif

clean:
	rm -rf $(VENV) $(addsuffix /node_modules,$(NPM_FOLDER)) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
