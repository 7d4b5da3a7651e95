# Lookthrough: `make run` to see it work, `make test` to test it, `make help` for the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test setup servers up down bench bench-graph bench-codec bench-engine evaluate docs fmt check lock
SEEDS ?= 21 22 23 24 25
DAYS ?= 240

run: setup  ## everything in one process, no server needed, on http://127.0.0.1:8000
	@$(BIN)/lookthrough run

test: setup servers check  ## all set-up and all tests, real Kafka and real ClickHouse included
	$(BIN)/pytest

setup: $(READY)  ## make .venv with everything pinned

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Lookthrough needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv is missing: sudo apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once, a few minutes) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/lookthrough warm
	@touch $(READY)

servers: setup  ## Kafka's jars and ClickHouse's server, for `make test` and `make up`
	@deploy/install-servers

up: setup servers  ## the deployed shape on this machine: Kafka, ClickHouse, ingest, detector, recorder, api
	@deploy/up

down:  ## stop what `make up` started
	@deploy/down

bench: setup servers  ## the deployed shape under load; writes build/bench/path.json
	@$(BIN)/python -m benchmarks.path

bench-graph: setup  ## the rolling graph beside its peers; writes build/bench/graph.json
	@$(BIN)/python -m benchmarks.graph

bench-codec: setup  ## reading, encoding and decoding batches; writes build/bench/codec.json
	@$(BIN)/python -m benchmarks.codec

bench-engine: setup  ## the engine with every typology on; writes build/bench/engine.json
	@$(BIN)/python -m benchmarks.engine

evaluate: setup  ## five simulated years nobody tuned on, judged (a quarter of an hour); writes build/evaluation/
	@for seed in $(SEEDS); do $(BIN)/lookthrough simulate --seed $$seed --days $(DAYS) --out build/worlds/seed-$$seed; done
	@$(BIN)/lookthrough evaluate --data $(SEEDS:%=build/worlds/seed-%) --out build/evaluation

docs: setup  ## docs/typologies/ anew, from the typologies and docs/evaluation.json
	@$(BIN)/python -m lookthrough.evaluation.handbook docs/evaluation.json docs/typologies

fmt: setup  ## format and tidy imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup  ## lint, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:  ## pin the dependencies of pyproject.toml anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --upgrade pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-13s %s\n", $$1, $$2}'
