# What a person types. `make demo` needs only python3, git and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Not compiled beforehand: of thirteen thousand files few are ever imported, and these are compiled then.
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
          --constraint constraints.txt --config-settings editable_mode=compat
# Tests start processes by the hundred: what these import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# Each worker and each trainer that it starts computes on one core: threads that wait for each other cost more.
# A worker keeps the tests of a file together, whose fixtures may have trained something, until another is idle.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --dist worksteal
# The trainer's tests run apart: the others fork thousands of times, which takes a process with torch twice as long.
# The others are small, and wait for disks, locks and processes: two more workers than cores keep the cores busy.
NUM_TRAINER_WORKERS ?= auto
NUM_WORKERS ?= $(shell expr $$(nproc) + 2)
# Both parts run, whatever the first one says.
define test_parts
	$(PYTEST) -n $(NUM_WORKERS) $(1) --ignore tests/trainer; others=$$?; \
	$(PYTEST) -n $(NUM_TRAINER_WORKERS) $(1) tests/trainer && exit $$others
endef

.PHONY: help demo demo-clean check test test-long bench schemas format clean
.DEFAULT_GOAL := help

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[qlora,dev]'
	@touch $@ $(VENV)/.train

$(VENV)/.peers: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[qlora,dev,peers]'
	@touch $@ $(VENV)/.train $(VENV)/.dev

$(VENV)/.long: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[qlora,dev,peers,vocabulary]'
	@touch $@ $(VENV)/.train $(VENV)/.dev $(VENV)/.peers

demo: $(VENV)/.train  ## Train two tiny heroes in a realm of your own, in a few minutes
	$(BIN)/python tests/flows/demo.py

demo-clean:  ## Remove what the demo made
	$(PYTHON) tests/flows/demo.py --clean

check: $(VENV)/.dev  ## Format, lint, types, import contracts (the generated schemas are checked by make test)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.dev  ## The tests that every change must pass
	$(call test_parts,-m 'not long')

test-long: $(VENV)/.long  ## Those that take longer, too
	$(call test_parts,)

bench: $(VENV)/.peers  ## Our figures beside those of peers, measured in one run
	$(BIN)/python tests/bench/run.py

schemas: $(VENV)/.dev  ## Write the JSON Schemas from the models
	$(BIN)/reconcile schema --out schemas

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
