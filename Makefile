# Everything works in a fresh clone: the first target that needs the environment makes it.
# Needed: Python 3.11 or newer, git, make. Set UV_PYTHON to choose the Python.

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# uv from the PATH, or else one of our own inside the environment.
UV := $(if $(shell uv --version 2>/dev/null),uv,$(BIN)/uv)
PYTHON := $(patsubst 3.%,python3.%,$(or $(UV_PYTHON),python3))
# What comes from npm: the charts of the rehearsal's page, and GitHub's own description of its answers.
NPM := src/rehearsal/npm
CHARTS := $(NPM)/node_modules/mermaid/package.json
OPENAPI := $(NPM)/node_modules/@octokit/openapi/package.json
WORKFLOWS := .github/workflows/*.yml {{cookiecutter.__project_slug}}/.github/workflows/*.yml

# Which of the two default projects `make bake` and `make demo` bake: classification or regression.
export PROBLEM ?= classification

.DEFAULT_GOAL := help
.PHONY: help setup wheel bake demo test programs charts check gallery bench lock release clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1	/p' Makefile | while IFS='	' read -r target text; do printf '  make %-9s%s\n' "$$target" "$$text"; done

setup: $(VENV)/ready  ## make the environment (done by the others when needed)

# What is baked is what lies in src/: all that bakes renews the wheel, which takes half a second.
wheel: $(VENV)/ready  ## build the library into the template, where it has changed
	@PYTHONPATH=src $(BIN)/python -m rehearsal.wheel

bake: wheel  ## bake the default project into demo/ (PROBLEM=regression for the other one)
	@PYTHONPATH=src $(BIN)/python -m rehearsal.demo

demo: wheel charts  ## bake it and rehearse its pull requests, without GitHub
	@PYTHONPATH=src $(BIN)/python -m rehearsal.demo rehearse

test: wheel programs  ## run all tests: bakes, refusals, workflows, and the tests of what is baked
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# npm, a browser, a builder of images and PostgreSQL come from the system. Where they cannot be had, some
# tests are skipped; those that build an image are for root alone.
programs:
	@for program in npm chromium buildah; do command -v $$program > /dev/null || missing="$$missing $$program"; done; \
	command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 \
		|| missing="$$missing postgresql"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing > /dev/null; \
	fi || echo "make: cannot install$$missing; some tests will be skipped." >&2
	@! command -v npm > /dev/null || $(MAKE) --silent $(OPENAPI) \
		|| echo "make: npm failed, see above; some tests will be skipped." >&2

# Without npm, or without a network, charts stay text.
charts:
	@! command -v npm > /dev/null || $(MAKE) --silent $(CHARTS) \
		|| echo "make: npm failed, see above; charts will be shown as text." >&2

$(CHARTS): $(NPM)/package-lock.json
	npm ci --prefix $(NPM) --ignore-scripts --omit=dev --silent
	@touch $@

$(OPENAPI): $(NPM)/package-lock.json
	npm ci --prefix $(NPM) --ignore-scripts --silent
	@touch $@ $(CHARTS)

check: $(VENV)/ready  ## lint, format, types, audit of all workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/template  # has a conftest of its own
	$(BIN)/hadolint '{{cookiecutter.__project_slug}}/deploy/Dockerfile'
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --persona pedantic .github {{cookiecutter.__project_slug}}/.github

gallery: wheel  ## run both default projects and keep their cards in model_cards/
	PYTHONPATH=src $(BIN)/python -m rehearsal.gallery

bench: $(VENV)/ready  ## measure runs, intervals, false alarms, drift and serving (asks the network for all flights)
	PYTHONPATH=src $(BIN)/python benchmarks/bench.py

# The other list is that of a bake: made in one, and carried back.
lock: wheel  ## renew all lists of packages after a change in a pyproject.toml (asks the network)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--fork-strategy fewest --upgrade --group dev pyproject.toml --output-file requirements.txt
	rm -rf demo/lock
	$(BIN)/cookiecutter . --no-input --output-dir demo/lock
	$(MAKE) --directory demo/lock/flight-delays lock
	cp demo/lock/flight-delays/requirements.txt '{{cookiecutter.__project_slug}}/requirements.txt'

# Before the long tests, and after them: they leave nothing behind.
release: $(VENV)/ready  ## check that main can be released, and say the commands that do it
	@PYTHONPATH=src $(BIN)/python -m rehearsal.release ready > /dev/null
	$(MAKE) check
	$(MAKE) test
	@PYTHONPATH=src $(BIN)/python -m rehearsal.release ready

clean:  ## remove the environment, the demo and caches
	rm -rf $(VENV) $(NPM)/node_modules demo gallery rehearsal .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/ready: requirements.txt $(BIN)/python $(filter-out uv,$(UV))
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --requirement requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

ifeq ($(UV),uv)
$(BIN)/python:
	uv venv --quiet --clear $(VENV)
else
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: $(PYTHON) is missing or older than 3.11; install Python 3.11, or set UV_PYTHON." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(BIN)/uv: $(BIN)/python
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip > /dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
endif
