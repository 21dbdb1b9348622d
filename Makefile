# Everything happens in .venv, made from the pinned requirements; Python >= 3.11 and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Node, for the CDK, comes from the virtual environment too.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# The tests start hundreds of processes, and each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# uv takes seconds where pip takes minutes; pip also knows the package index that a company has set up for it.
install = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(1) || $(BIN)/python -m pip install --quiet --no-deps $(1)

# What kinds of sources need, as far as the tests have something to read with it.
KINDS := --extra sql --extra feed --extra http --extra fsspec --extra git --extra sftp

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint lint-infra faults clients bench scale bench-full build bundle schemas synth deploy lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.deploy ## Install the docferry command into .venv, with all of its extras
	@echo "Ready: $(BIN)/docferry --help"

demo: $(VENV)/.laptop ## Sync a handbook into emulated indexes of three services, and compare them
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev ## Run the checks and all tests
	@$(MAKE) --no-print-directory --jobs=2 lint bundle
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.dev ## Run ruff, mypy, and the rules of who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/mypy

lint-infra: $(VENV)/.dev ## Run mypy on the CDK stack (two minutes the first time: the CDK's types are large)
	$(BIN)/mypy infra app.py tests/infra tests/e2e

build: $(VENV)/.dev ## Build the wheel and the source distribution into dist
	$(BIN)/python -m hatchling build

bundle: $(VENV)/.dev ## Build the Lambda bundles, for AWS and for this machine
	@$(BIN)/python -m docferry_infra.bundle --here

schemas: $(VENV)/.dev ## Write the JSON schemas of what the commands print with --json
	@$(BIN)/python -m docferry_cli.schemas docs/schemas/commands

synth: $(VENV)/.deploy ## Write the CloudFormation template of each connector into cdk.out
	@$(BIN)/docferry synth

deploy: $(VENV)/.deploy ## Deploy one connector: make deploy CONNECTOR=name
	@test -n "$(CONNECTOR)" || { echo "Say which connector: make deploy CONNECTOR=name" >&2; exit 2; }
	@$(BIN)/docferry deploy $(CONNECTOR)

faults: $(VENV)/.dev ## Inject every fault at every point, on every service, and count violations
	@$(BIN)/python -m tests.faults

clients: $(VENV)/.dev tests/clients/node_modules ## Sync with boto3, the AWS CLI and the AWS SDK for JavaScript against the emulators, and from TiddlyWiki
	$(BIN)/python -m pytest tests/clients

bench: $(VENV)/.dev ## Measure speed and memory, side by side with the alternatives
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.scale --documents 10000 1000000

scale: $(VENV)/.dev ## Sync 10,000, a million and ten million documents in a simulated AWS: time, calls, memory, dollars
	$(BIN)/python -m benchmarks.scale $(if $(DOCUMENTS),--documents $(DOCUMENTS)) \
		$(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(FOLDER),--folder $(FOLDER))

bench-full: $(VENV)/.dev ## Measure everything, ten million documents too, and write docs/benchmarks.md (an hour)
	$(BIN)/python -m benchmarks.full

lock: $(VENV)/.dev ## Write the pinned requirements anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --upgrade \
	  --no-header --no-annotate --quiet --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra deploy $(KINDS) --universal --python-version 3.11 \
	  --constraint requirements.txt --no-header --no-annotate --quiet --output-file requirements-deploy.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra deploy $(KINDS) --extra dev --universal --python-version 3.11 \
	  --constraint requirements.txt --no-header --no-annotate --quiet --output-file requirements-dev.txt
	for extra in fsspec azure gcs git github sftp smb webdav; do \
	  sed -nE 's/^'$$extra' = \[(.*)\].*/\1/p' pyproject.toml | tr -d '" ' | tr , '\n' | \
	  $(BIN)/uv pip compile - --python-version 3.11 --python-platform aarch64-manylinux_2_28 \
	    --constraint requirements-dev.txt --no-header --no-annotate --quiet \
	    --output-file functions/requirements-$$( [ $$extra = fsspec ] || echo fsspec- )$$extra.txt; \
	done

clean: ## Remove what the other targets made, but for .docferry
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis cdk.out tests/clients/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Docferry needs Python 3.11 or newer; say which one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Making the virtual environment ..."
	@$(PYTHON) -m venv $(VENV)

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --no-deps $(shell grep '^uv==' requirements-dev.txt)

$(VENV)/.laptop: requirements.txt pyproject.toml | $(BIN)/uv
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(call install,--requirement requirements.txt)
	@$(call install,--no-build-isolation --editable .)
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.laptop
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(call install,--requirement requirements-dev.txt)
	@touch $@

tests/clients/node_modules: tests/clients/package-lock.json | $(VENV)/.dev
	npm ci --prefix tests/clients --no-audit --no-fund
	@touch $@

$(VENV)/.deploy: requirements-deploy.txt $(VENV)/.laptop
	@echo "Installing requirements-deploy.txt into $(VENV) ..."
	@$(call install,--requirement requirements-deploy.txt)
	@touch $@
