# make run   plays the seven case chapters with live training and leaves a run folder
# make test  installs and runs the tests
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SEEDS  ?= 8
ARGS   ?=

.PHONY: run test test-all campaign lint docs clean

run: $(VENV)/.installed
	$(BIN)/ventures cases -n $(SEEDS) $(ARGS)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not gpu" $(ARGS)

test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not campaign" $(ARGS)

campaign: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 0 -m campaign $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: $(VENV)/.installed
	$(BIN)/python -m scenarios.describe > docs/parameters.md.new && mv docs/parameters.md.new docs/parameters.md
	$(BIN)/python -m scenarios.history > docs/history.md.new && mv docs/history.md.new docs/history.md
	$(BIN)/python -m analysis.pages

# Each stamp holds one set of dependencies; a change of the project's metadata installs anew.
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)) and "Python 3.11 to 3.13 is needed; say PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
