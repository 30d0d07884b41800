# One command per intention; continuous integration calls only these.
# `make` without a target lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Touched after an installation that went through: a changed lock or package installs again, into the same place.
STAMP := $(VENV)/.installed

# nbgrader calls alembic by its bare name, so the environment's own folder comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(STAMP): pyproject.toml $(wildcard requirements.lock)
	@test -f requirements.lock || { echo "requirements.lock is missing: git checkout requirements.lock" >&2; exit 1; }
	@if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
		python="$$(tools/find_python.sh)" && echo "Making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV); \
	fi
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

.PHONY: environment
environment: $(STAMP) ## install everything the lock names into .venv (done by the others when needed)

.PHONY: lab
lab: $(STAMP) ## open JupyterLab on the course map
	$(BIN)/course lab

.PHONY: test
test: $(STAMP) check ## set up what the tests need (a browser too) and run them all
	$(BIN)/python -m autograder.browser
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(PYTEST_ARGUMENTS)

.PHONY: check
check: $(STAMP) ## lint, and compare the committed notebooks with their sources (seconds)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/build_notebooks.py --check

.PHONY: notebooks
notebooks: $(STAMP) ## build notebooks/*.ipynb from notebooks/*.md
	$(BIN)/python tools/build_notebooks.py

.PHONY: run
run: $(STAMP) ## execute all chapters with papermill; copies in _build/executed
	$(BIN)/course run

.PHONY: site
site: $(STAMP) ## execute the notebooks and build the website in _build/site
	$(BIN)/python -m autograder.website

.PHONY: demo
demo: $(STAMP) ## the main job without a browser: execute chapter 8, play one class, print the marks
	$(BIN)/course run 8
	$(BIN)/python -m autograder.demo

.PHONY: hub
hub: $(STAMP) ## run a class in a browser: JupyterHub with two students and an instructor, until Ctrl-C
	$(BIN)/course hub demo

.PHONY: bench
bench: $(STAMP) ## run the benchmarks; each prints a table with the peer measured in the same run
	@for benchmark in bench/bench_*.py; do echo "== $$benchmark"; $(BIN)/python $$benchmark || exit 1; done

.PHONY: lock
lock: $(STAMP) ## resolve requirements.lock anew for Python 3.11 to 3.13 on all platforms
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --upgrade --quiet -o requirements.lock

.PHONY: clean
clean: ## delete everything that was built (not .venv)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
