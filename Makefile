# What people and CI type. `make help` lists it; every target sets up what it needs by itself.
#
# The environment lies in .venv, made from hash-locked wheels alone: nothing is built but the checkout, nothing else runs
# while it is made. Stamps remember what was installed, so a second time costs nothing, and a changed lock is noticed.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help install run test check bench stranger fuzz lock clean

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
LOCKED := $(INSTALL) --require-hashes --only-binary :all:
# By file, so that the fixtures of a file (a hub, its data) are made once. Many tests wait for disks and processes: four at once
# also where there are two cores. The long files begin first (tests/support/order.py), or the rest would wait for the last of them.
# Each state of the code has an order of its own, the same wherever it is tested: what failed there can be seen here. SEED=… gives another.
SEED := $(shell printf %d 0x$$(git ls-tree HEAD hub fhir_profiles adapters security audit tests | git hash-object --stdin | cut -c 1-7))
PYTEST := $(BIN)/python -m pytest --randomly-seed $(SEED) --hypothesis-seed $(SEED) --dist loadfile --no-loadscope-reorder --numprocesses
# On a fresh clone each of the four would rewrite the assertions of every file: two do it once for all, half of the files each.
REWRITTEN = for half in tests/spec "tests --ignore tests/spec"; do $(BIN)/python -m pytest --collect-only -qq $$half >/dev/null 2>&1 & done; wait
# The tests start hundreds of Pythons: what each would compile anew is kept, also where the environment says otherwise (images do).
test check: export PYTHONDONTWRITEBYTECODE :=

# A Python of 3.11 to 3.13 that can make environments; PYTHON=… names one.
CANDIDATES := $(PYTHON) python3 python3.13 python3.12 python3.11
export USABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

help: ## This list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/stamp-hub ## Make .venv: the hub and its own database.

run: install ## Load demo data and run the hub on 127.0.0.1:8000.
	@$(BIN)/hub demo run

test: $(VENV)/stamp-dev ## Run all tests: specification, contracts, end to end, faults, browser.
	@$(REWRITTEN)
	@if .ci/chromium; then $(PYTEST) 4; else $(PYTEST) 4 -m "not browser"; fi

check: $(VENV)/stamp-dev ## The fast part: format, lint, types, imports, tests without a database.
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) auto --quiet -m "not database and not fault and not browser" --ignore tests/e2e --ignore tests/faults

bench: install ## Measure, each number beside its floor in the same run.
	@$(BIN)/python -m bench

fuzz: $(VENV)/stamp-dev ## Fuzz every parser, guided by coverage; FUZZ="--executions N --processes N" (docs/fuzzing.md).
	@$(LOCKED) -r requirements/fuzz.txt
	@$(BIN)/python -m tests.fuzz.parsers $(FUZZ)

stranger: ## A clean environment, the wheel, and an adapter from nothing to a signed report; FOLDER=… keeps what it makes.
	@tests/e2e/stranger/stranger.sh $(FOLDER)

lock: $(VENV)/stamp-hub ## Resolve requirements/*.txt anew; UPGRADE=--upgrade for newer versions.
	$(LOCKED) -r requirements/lock.txt
	$(call resolve,run)
	$(call resolve,local,--extra embedded --group build)
	$(call resolve,dev,--extra embedded --group build --group dev)
	$(call resolve,build,,--group build)
	$(call resolve,fuzz,,--group fuzz)
	$(call resolve,lock,,--group lock)

clean: ## Remove .venv and caches, never data (.hub-data stays).
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call resolve,NAME,ALSO,INSTEAD): one lock for every Python and system, without the address of any index.
define resolve
UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile $(or $(3),pyproject.toml $(2)) $(UPGRADE) --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --quiet --output-file requirements/$(1).txt
endef

$(BIN)/python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c "$$USABLE" 2>/dev/null; then "$$python" -m venv --clear $(VENV) && exit; fi; \
	done; \
	echo "Python 3.11 to 3.13 with venv is needed (Debian: apt install python3 python3-venv); PYTHON=… names one." >&2; exit 1

$(VENV)/stamp-local: requirements/local.txt | $(BIN)/python
	@echo "installing the locked dependencies into $(VENV)"
	@$(LOCKED) -r requirements/local.txt
	@touch $@

$(VENV)/stamp-hub: pyproject.toml $(VENV)/stamp-local
	@$(INSTALL) --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/stamp-dev: requirements/dev.txt $(VENV)/stamp-hub
	@echo "installing the tools of the tests into $(VENV)"
	@$(LOCKED) -r requirements/dev.txt
	@touch $@
