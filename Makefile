# Everything happens in .venv, made from the pinned requirements; Python >= 3.11 and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench lock clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(VENV)/.laptop ## Install the docferry command into .venv
	@echo "Ready: $(BIN)/docferry --help"

demo: $(VENV)/.laptop ## Sync a handbook into an emulated Kendra index and an emulated Q Business index
	@$(BIN)/python examples/demo.py

test: lint ## Run the checks and all tests
	$(BIN)/python -m pytest --numprocesses auto

lint: $(VENV)/.dev ## Run ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.dev ## Measure speed and memory, side by side with the alternatives
	$(BIN)/python -m benchmarks

lock: $(VENV)/.dev ## Write the pinned requirements anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --upgrade \
	  --no-header --no-annotate --quiet --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra deploy --universal --python-version 3.11 \
	  --constraint requirements.txt --no-header --no-annotate --quiet --output-file requirements-deploy.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra deploy --extra dev --universal --python-version 3.11 \
	  --constraint requirements.txt --no-header --no-annotate --quiet --output-file requirements-dev.txt

clean: ## Remove what the other targets made, but for .docferry
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis cdk.out

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Docferry needs Python 3.11 or newer; say which one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Making the virtual environment ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.laptop: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing requirements.txt into $(VENV); this takes about a minute ..."
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.laptop
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --requirement requirements-dev.txt
	@touch $@
