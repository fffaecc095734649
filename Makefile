# Everything a clerk, a scheduler or a developer starts from the shell. `make help` lists it.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-release lint format bench lock language clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything pinned in requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check --disable-pip-version-check
	mkdir -p .venv/share/billclose
	PREFECT_HOME=.venv/share/prefect $(BIN)/prefect server database upgrade -y >/dev/null
	mv .venv/share/prefect/prefect.db .venv/share/billclose/prefect.db
	@touch $(READY)

demo: setup ## make a city of some 500 accounts and close its month
	$(BIN)/billclose demo

test: setup ## run the whole suite
	$(BIN)/python -m pytest -n 3

test-release: setup ## run the whole suite with what only a release needs
	BILLCLOSE_TEST_RELEASE=1 $(BIN)/python -m pytest -n 2

lint: setup ## ruff, mypy --strict, import-linter, pip-audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/audit

format: setup ## put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure speed against peers in the same run
	$(BIN)/python -m bench

lock: ## write requirements.lock anew from requirements.in (needs uv)
	uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.lock

language: setup ## bring the Spanish catalog up to date with what the pages say
	$(BIN)/python docs/translate.py

clean: ## remove .venv and what the tools left
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
