# Two commands do everything: make demo, make test. Each makes what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without kept bytecode every process compiles the whole product again, which takes longer than all else of its start.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --quiet
ONCE ?=
SEED ?=
NAME ?= all
CASES ?= 10000
KILLS ?= 200
SIZE ?=
SEEDS ?= 200
PLOT ?= trade

.PHONY: demo test sim check bench bench-data identity peers screens lock fuzz docs clean format

demo: $(VENV)/run.stamp ## play the main job on four nodes and leave their consoles open
	@$(BIN)/passport-node demo --folder build/demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED))

test: $(VENV)/dev.stamp peers ## all that CI runs
	@$(BIN)/python -m tests.run

sim: $(VENV)/dev.stamp ## simulated federations by seed, then a node killed at its writes; SEEDS=1000 KILLS=20; SEED=7 plays one again, PLOT=equivocation another plot
	@$(BIN)/python -m tests.simulation --plot $(PLOT) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))
	@$(if $(SEED),true,$(BIN)/python -m tests.simulation --mutants)
	@$(if $(SEED),true,$(BIN)/python -m tests.simulation.apart)
	@$(if $(SEED),true,$(BIN)/python -m tests.simulation.lookup)
	@$(BIN)/python -m tests.kills --kills $(KILLS) $(if $(SEED),--seed $(SEED))

check: $(VENV)/dev.stamp ## format, lint, types, architecture, licences, fast tests
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy
	@$(BIN)/hadolint docker/Dockerfile
	@$(BIN)/python -m pytest -n auto -m "not slow" tests

format: $(VENV)/dev.stamp
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp ## make bench NAME=log: measure beside peers, print a table, write build/bench/NAME.json
	@$(BIN)/python -m benchmarks $(NAME)

identity: $(VENV)/run.stamp ## how well plates of several readers find their devices: precision, recall, suggestions
	@$(BIN)/python -m benchmarks.identity

bench-data: $(VENV)/dev.stamp ## build/data: a node with a million devices, made once; SIZE=20000 makes a small one
	@$(BIN)/python -m benchmarks.data $(SIZE)

screens: $(VENV)/dev.stamp ## take the pictures of the README again, from the consoles of the demo
	@$(BIN)/python -m tests.browser.pictures

fuzz: $(VENV)/dev.stamp ## the laws of tests/property with 10,000 examples each; CASES=100 for fewer
	@PASSPORT_CASES=$(CASES) $(BIN)/python -m pytest -n auto --timeout 0 tests/property

peers: $(VENV)/dev.stamp ## side environments of independent implementations
	@$(BIN)/python -m tests.peers

docs: $(VENV)/dev.stamp ## regenerate what is generated: docs/model.md, the tables of docs/protocol.md and its vectors
	@$(BIN)/python -m tests.vectors.protocol.generate
	@$(BIN)/python -m tests.model_page

lock: $(VENV)/dev.stamp ## resolve requirements/*.in again; hashes, no addresses
	@for name in run dev; do $(BIN)/uv pip compile -q --upgrade --no-header --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.lock; done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the node needs to run (requirements/run.lock) ..."
	@$(PIP) install --no-deps --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/run.stamp
	@echo "Installing what the tests need (requirements/dev.lock) ..."
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.lock
	@touch $@

clean:
	@rm -rf $(VENV) build
