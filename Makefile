# `make help` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
, := ,
VENV := .venv
REV ?= main
# Test processes: one for each core, at most 4. Use WORKERS=1 for a single process.
WORKERS ?= logical
INSTALLED := $(VENV)/.installed
INSTALLED_BENCH := $(VENV)/.installed-bench
INSTALLED_RAY := $(VENV)/.installed-ray
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Runs pip once more if it fails, because a package index sometimes fails to answer for one package.
PIP_INSTALL = install="$(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable .[$(1)]"; $$install || $$install
# With HASHES=1 every file of a third-party package must have a sha256 of requirements*.txt, and our package follows without dependencies.
# torch is then the build of the package index, which needs the packages of requirements-cuda.txt on Linux.
PIP_HASHED = $(VENV)/bin/python -m pip install --disable-pip-version-check --require-hashes --no-deps
define NEWLINE


endef
define INSTALL_HASHED
$(PIP_HASHED) --requirement requirements.txt
if [ "$$(uname)" = Linux ]; then $(PIP_HASHED) --requirement requirements-cuda.txt; fi
$(VENV)/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
$(VENV)/bin/python -m pip check
endef
# Each worker process takes a whole file, in the order that tests/conftest.py sets.
PYTEST = python -m pytest --numprocesses=$(WORKERS) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: help setup train test test-fast lint review plots loop bench-train bench-inference bench-classify bench-serve bench-data bench-summaries bench-few-shot bench-class-weights bench-answers bench-bert-base bench-embedding bench-drift bench-picks bench-verify blind-ceiling bench-page kinds frontier mitigation audit torture fuzz seeds nltk-data clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'
	@echo "presets:             $(sort $(basename $(notdir $(wildcard configs/preset/*.yaml)))), as in: make train PRESET=smoke"

setup: $(INSTALLED) ## install everything into .venv, at the versions in constraints.txt (HASHES=1: only files with a known sha256)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python %d.%d is too old; run make again with PYTHON=python3.11 or newer" % sys.version_info[:2])'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(if $(HASHES),$(subst $(NEWLINE), && ,$(INSTALL_HASHED)),$(call PIP_INSTALL,train$(,)dev))
	@touch $@

# Ray is not part of setup because it takes 340 MB and does not run on every machine.
$(INSTALLED_RAY): $(INSTALLED)
	@($(call PIP_INSTALL,ray)) || echo "Ray cannot be installed here; its tests will be skipped"
	@touch $@

$(INSTALLED_BENCH): $(INSTALLED)
	@$(call PIP_INSTALL,bench)
	@touch $@

train: setup ## run the pipeline (PRESET=smoke or PRESET=bert-base for another preset)
	@compactlm preset $(PRESET)
	@dvc repro split
	@compactlm expect
	@dvc repro
	@# DVC's cache holds the student without its model card, so copy the card after every run.
	@cp reports/model-card.md models/student/README.md
	@compactlm summary

test: $(INSTALLED_RAY) ## run all tests, with coverage (WORKERS=1 for a single process)
	@$(PYTEST) --cov --cov-report=term:skip-covered

test-fast: setup ## run the tests that need no DVC and no training, in less than 3 minutes
	@$(PYTEST) -m "not pipeline and not slow"

lint: setup ## check the code with ruff and mypy, and the direction of imports with import-linter
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports

review: setup ## compare reports/metrics with those of a git revision (REV=main); exits with 0 (not worse), 1 (worse) or 2 (unknown)
	@compactlm review $(REV)

plots: setup ## draw the plots of dvc.yaml as a page that loads Vega from the web, dvc_plots/index.html (ARGS="diff main" to compare)
	@dvc plots $(or $(ARGS),show)

loop: setup ## play the loop after training: new text, a promotion, a refusal and a rollback, in a clone (ARGS=--help for options)
	@python -m benchmarks.play_loop $(ARGS)

nltk-data: setup ## download WordNet for synonyms in augmented rows (or install Debian's wordnet-base and wordnet-sense-index)
	@python -m nltk.downloader --exit-on-error --dir $(VENV)/nltk_data wordnet

bench-train: $(INSTALLED_BENCH) ## compare training speed with a plain Trainer, TextBrewer and sentence-transformers (ARGS=--help for options)
	@python -m benchmarks.bench_train $(ARGS)

bench-inference: setup ## measure latency, throughput, memory and cold start, next to a model of bert-base's shape (ARGS=--help for options)
	@python -m benchmarks.bench_inference $(ARGS)

bench-classify: setup ## compare `compactlm classify` with the bare runtime, and search 100,000 passages
	@python -m benchmarks.bench_classify $(ARGS)

bench-serve: setup ## load `compactlm serve` from 1 to 256 connections, next to the bare runtime and an empty route (ARGS=--help for options)
	@python -m benchmarks.bench_serve $(ARGS)

bench-data: setup ## compare the data stages with a pandas script, at 10 MB, 100 MB and 1 GB (ARGS=--help for options)
	@test -d data/raw || dvc repro ingest
	@python -m benchmarks.bench_data $(ARGS)

bench-summaries: $(INSTALLED_BENCH) ## compare summaries with the first sentences of each text, by ROUGE
	@python -m benchmarks.bench_summaries $(ARGS)

bench-few-shot: setup ## fine-tune the student on 16, 64 and 256 rows per label, and compare with TF-IDF and logistic regression
	@python -m benchmarks.bench_few_shot $(ARGS)

bench-class-weights: setup ## class weights and the focal loss on unbalanced labels (after make train PRESET=kinds)
	@python -m benchmarks.bench_class_weights $(ARGS)

bench-page: setup ## compare both pages of `compactlm page` with ONNX Runtime on 500 test rows (needs Chromium and npm)
	@python -m benchmarks.bench_page $(ARGS)

bench-bert-base: setup ## run the preset bert-base on a few hundred rows with a random model of that shape: seconds and memory of each stage
	@python -m benchmarks.bench_bert_base $(ARGS)

bench-answers: setup ## measure how often `compactlm answer` finds reworded questions, and passages among 100,000
	@python -m benchmarks.bench_answers $(ARGS)

bench-embedding: $(INSTALLED_BENCH) ## compare the student's sentence embedding with its teacher, static tables, TF-IDF and WordLlama
	@python -m benchmarks.bench_embedding $(ARGS)

bench-drift: setup ## measure how often `compactlm watch` reports a change, with and without one
	@python -m benchmarks.bench_drift $(ARGS)

bench-picks: setup ## compare the accuracy after labelling rows of `compactlm pick` with that after random rows
	@python -m benchmarks.bench_picks $(ARGS)

bench-verify: setup ## measure how far rounding changes a run, and whether `compactlm verify` tells it from a fault (ARGS=--help for options)
	@python -m benchmarks.bench_verify $(ARGS)

blind-ceiling: setup ## train the teacher again with another seed, and tell the two apart by a classifier, next to the student
	@python -m benchmarks.blind_ceiling $(ARGS)

kinds: setup ## train a task of each kind with three seeds, and write reports/kinds.json (ARGS=--help for options)
	@python -m benchmarks.kinds_over_seeds $(ARGS)

frontier: setup ## train the shapes in configs/frontier.yaml and draw size against quality (PRESET=smoke; ARGS=--collect only draws)
	@python -m benchmarks.frontier $(if $(PRESET),preset=$(PRESET)) $(ARGS)

mitigation: setup ## train a student for each bias mitigation and compare them (PRESET=smoke; ARGS=--collect only reads the results)
	@python -m benchmarks.mitigation $(if $(PRESET),preset=$(PRESET)) $(ARGS)

audit: setup ## measure bias on all labelled rows, in the same rows with other words, and on templates (ARGS=--help for options)
	@python -m benchmarks.bench_audit $(ARGS)

torture: setup ## kill the pipeline, fill its disk and damage its files 1,000 times, and compare all artifacts (ARGS=--help for options)
	@python -m benchmarks.torture_pipeline $(ARGS)

fuzz: setup ## try damaged rows, settings, models, answers and texts of commands for ten minutes (ARGS="--minutes 60")
	@python -m benchmarks.fuzz $(or $(ARGS),--minutes 10)

seeds: setup ## add the figures of the last run to reports/seeds.json, next to those of other seeds and presets
	@python -m benchmarks.seeds

clean: ## remove the environment and the pipeline's outputs; keep DVC's cache and reports/
	@rm -rf $(VENV) .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dvc_plots models/checkpoints
	@rm -rf data/shards data/raw data/clean data/split data/augmented data/weighted data/counterfactual data/tokenized data/signals data/predictions models/teacher models/student models/export
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
