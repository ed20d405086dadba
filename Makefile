# `make demo` and `make test` do all the set-up on a fresh machine. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(shell \
	command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
LANG_UI ?= en
DEMO_BOOK := demo-book
CATALOGS := $(wildcard src/joulebook/locale/*/*.po)

.PHONY: help demo test check bench nightly docs setup lock format clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/.run ## book a sample day, measure the run, report, explain, write a page (LANG_UI=ko for Korean)
	$(BIN)/joulebook --lang $(LANG_UI) --book $(DEMO_BOOK) demo

test: $(VENV)/.dev ## all tests except the nightly ones
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not nightly"

nightly: $(VENV)/.dev ## tests that need minutes or a service
	$(BIN)/python -m pytest -m nightly

check: $(VENV)/.dev ## style, types, who may import whom, factor library
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check --python $(VENV) src
	$(BIN)/lint-imports
	$(BIN)/joulebook factors check

bench: $(VENV)/.dev ## speed against peers; results are kept in benchmarks/RESULTS.md
	$(BIN)/python benchmarks/speed/booking.py

format: $(VENV)/.dev ## lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.dev ## environment for development

docs: $(VENV)/.dev ## pages that are written from the source
	$(BIN)/python docs/write_pages.py

lock: ## pin every package again
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		pyproject.toml requirements/build.in -o requirements/run.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		pyproject.toml requirements/build.in --group dev -o requirements/dev.lock

clean: ## remove what was made here
	rm -rf $(VENV) $(DEMO_BOOK) demo-report*.html .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Next: install python3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy python3-venv; \
	} || { echo "Python's venv module is missing. Next: install the package python3-venv."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.lock pyproject.toml build_catalogs.py $(CATALOGS) | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@command -v java >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -q && apt-get install -qy openjdk-17-jre-headless; } \
		|| echo "Java is missing: the tests that compare with Spark will be skipped."
	@touch $@
