# `make help` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
REV ?= main
INSTALLED := $(VENV)/.installed
INSTALLED_BENCH := $(VENV)/.installed-bench
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup train test review lint bench-train bench-inference bench-data frontier clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'
	@echo "presets:             $(sort $(basename $(notdir $(wildcard configs/preset/*.yaml)))), as in: make train PRESET=smoke"

setup: $(INSTALLED) ## install everything into .venv, at the versions of constraints.txt

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python %d.%d is too old; run make again with PYTHON=python3.11 or newer" % sys.version_info[:2])'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@# An index that fails to answer for one package makes pip give up; a second try costs seconds.
	@install="$(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable .[dev]"; $$install || $$install
	@touch $@

train: setup ## run the pipeline (PRESET=smoke or PRESET=bert-base for another preset)
	@compactlm preset $(PRESET)
	@dvc repro
	@compactlm summary

test: setup ## run all tests, with coverage
	@python -m pytest --cov --cov-report=term:skip-covered

review: setup ## hold reports/metrics against a git revision, figure by figure (REV=main; `compactlm review REV` exits 0, 1 or 2 for CI)
	@compactlm review $(REV)

lint: setup ## ruff, mypy, and the one-way imports
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports

$(INSTALLED_BENCH): $(INSTALLED)
	@install="$(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable .[bench]"; $$install || $$install
	@touch $@

bench-train: $(INSTALLED_BENCH) ## compare training speed with a plain Trainer and TextBrewer (ARGS=--help for options)
	@python -m benchmarks.bench_train $(ARGS)

bench-inference: setup ## measure latency, throughput, memory and cold start beside bert-base's shape (ARGS=--help for options)
	@python -m benchmarks.bench_inference $(ARGS)

bench-data: setup ## measure the data stages beside the pandas recipe, at 10 MB, 100 MB and 1 GB (ARGS=--help for options)
	@test -d data/raw || dvc repro ingest
	@python -m benchmarks.bench_data $(ARGS)

frontier: setup ## train the shapes of configs/frontier.yaml and draw what each keeps (PRESET=smoke; ARGS=--collect draws alone)
	@python -m benchmarks.frontier $(if $(PRESET),preset=$(PRESET)) $(ARGS)

clean: ## remove the environment and what the pipeline wrote; DVC's cache and reports/ stay
	@rm -rf $(VENV) .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dvc_plots models/checkpoints
	@rm -rf data/shards data/raw data/clean data/split data/augmented data/weighted data/counterfactual data/tokenized data/signals data/predictions models/teacher models/student models/export
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
