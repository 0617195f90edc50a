# make demo: score the sample contacts with the shipped model.  make test: run the tests.  make check: lint, types, imports.
# make audit: known holes in the packages installed (asks a server, so it is no part of .ci/run).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check audit clean

demo: $(VENV)/installed
	$(BIN)/triage score data/samples -o demo.csv --report demo.html
	@echo "Results: demo.csv   Report to open in a browser: demo.html"

test: $(VENV)/installed-all
	$(BIN)/python -m pytest

check: $(VENV)/installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(VENV)/installed-all
	$(BIN)/pip-audit --skip-editable

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

$(VENV)/installed-all: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) -e '.[all]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) demo.csv demo.html build
