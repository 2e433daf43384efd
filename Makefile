# `make help` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
REV ?= main
INSTALLED := $(VENV)/.installed
INSTALLED_BENCH := $(VENV)/.installed-bench
INSTALLED_RAY := $(VENV)/.installed-ray
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help setup train test review plots lint bench-train bench-inference bench-classify bench-data bench-summaries bench-few-shot frontier mitigation seeds nltk-data clean

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
	@# A student from DVC's cache comes without its card, or stands beside that of the one before it.
	@cp reports/model-card.md models/student/README.md
	@compactlm summary

# Apart from setup: it is 80 MB, and not made for every machine.
$(INSTALLED_RAY): $(INSTALLED)
	@install="$(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable .[ray]"; \
	$$install || $$install || echo "Ray cannot be installed here: its tests will be skipped"
	@touch $@

# Each worker takes a file at a time, in the order that tests/conftest.py gives them.
WORKERS ?= logical

test: $(INSTALLED_RAY) ## run all tests, with coverage, in one process for each core and at most 4 (WORKERS=1 for one)
	@python -m pytest --numprocesses=$(WORKERS) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

nltk-data: setup ## fetch WordNet, for synonyms in augmented copies (Debian's wordnet-base and wordnet-sense-index serve as well)
	@python -m nltk.downloader --exit-on-error --dir $(VENV)/nltk_data wordnet

review: setup ## hold reports/metrics against a git revision, figure by figure (REV=main; `compactlm review REV` exits 0, 1 or 2 for CI)
	@compactlm review $(REV)

# Named by the module, so that another version of the libraries makes another page.
PLOTS_PAGE = .cache/plots/$(shell sha256sum src/compactlm/report/vega.py | head -c 12).html

plots: setup ## draw the plots of dvc.yaml into dvc_plots/index.html, which opens without a network (ARGS="diff main" against a revision)
	@python -m compactlm.report.vega $(PLOTS_PAGE)
	@dvc plots $(or $(ARGS),show) --html-template $(PLOTS_PAGE)

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

bench-classify: setup ## measure classify over a file beside the bare runtime, and answers from 100,000 passages
	@python -m benchmarks.bench_classify $(ARGS)

bench-data: setup ## measure the data stages beside the pandas recipe, at 10 MB, 100 MB and 1 GB (ARGS=--help for options)
	@test -d data/raw || dvc repro ingest
	@python -m benchmarks.bench_data $(ARGS)

bench-summaries: $(INSTALLED_BENCH) ## measure summaries by ROUGE beside a text's first sentences
	@python -m benchmarks.bench_summaries $(ARGS)

bench-few-shot: setup ## fine-tune the student on 16, 64 and 256 rows a label, beside TF-IDF with logistic regression
	@python -m benchmarks.bench_few_shot $(ARGS)

frontier: setup ## train the shapes of configs/frontier.yaml and draw what each keeps (PRESET=smoke; ARGS=--collect draws alone)
	@python -m benchmarks.frontier $(if $(PRESET),preset=$(PRESET)) $(ARGS)

mitigation: setup ## train the student under each mitigation of bias and hold them side by side (PRESET=smoke; ARGS=--collect reads alone)
	@python -m benchmarks.mitigation $(if $(PRESET),preset=$(PRESET)) $(ARGS)

seeds: setup ## keep the figures of the run that is here in reports/seeds.json, beside those of other seeds and presets
	@python -m benchmarks.seeds

clean: ## remove the environment and what the pipeline wrote; DVC's cache and reports/ stay
	@rm -rf $(VENV) .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dvc_plots models/checkpoints
	@rm -rf data/shards data/raw data/clean data/split data/augmented data/weighted data/counterfactual data/tokenized data/signals data/predictions models/teacher models/student models/export
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
