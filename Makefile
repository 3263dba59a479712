# Each target may be called twice; all of them make what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process for each core, a file's tests in one of them, so that they share fixtures;
# in their own order, for by default files of few tests, the longest, would come last.
# Compiled once and kept, and not by each of the two hundred processes that tests start.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q --numprocesses auto --dist loadfile \
	--no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow test-all lint check format bench kills fuzz \
	soak audit scale results claims bank tour notebooks site export-grid clean

help: ## Print the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

install: $(VENV)/.installed ## Make .venv from the pins

demo: install ## Train and compare the twins on the built-in corpus
	$(BIN)/seqclf compare --seeds 1
	@echo 'Next: $(BIN)/seqclf compare --data FILE, of your own; docs/tutorial.md takes ten steps.'

test: install ## Run the quick tests
	$(PYTEST) -m "not slow"

test-slow: install ## Run the slow tests alone
	$(PYTEST) -m slow

test-all: install ## Run all tests
	$(PYTEST)

lint: install ## Check style and types; writes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test ## Lint, types and quick tests

format: install ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BENCHMARKS := training prediction single serving cold encoding linear kernels jobs buckets

bench: install ## Measure speed and memory against peers; writes benchmarks/RESULTS.md
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || exit 1; done
	$(BIN)/python benchmarks/demo_corpus.py --cells

kills: install ## Kill 80 trainings, damage every file of a run; writes docs/reliability.md
	$(BIN)/python benchmarks/kills.py 20
	$(BIN)/python benchmarks/damage.py

fuzz: install ## Try 10,000 random inputs on each reader, 500 calls that must fail
	SEQCLF_FUZZ=10000 $(BIN)/python -m pytest -q tests/test_fuzz.py
	SEQCLF_EXIT_CALLS=500 $(BIN)/python -m pytest -q tests/test_exit.py

soak: install ## Watch the memory over a million texts, over 200 trainings
	$(BIN)/python benchmarks/soak.py texts
	$(BIN)/python benchmarks/soak.py compare

audit: install ## Look the pins up among published advisories (needs a network)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip-audit
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

scale: install ## Two nodes on this machine, one killed; writes docs/scale.md
	$(BIN)/python benchmarks/scale.py

results: install ## Train on real data sets and write docs/results.md (hours)
	$(BIN)/python benchmarks/results.py

claims: install ## Judge the claims on real data; writes docs/claims.md (hours)
	$(BIN)/python benchmarks/claims.py

bank: install ## Replay comparisons that add seeds from 200 trainings (an hour)
	$(BIN)/python benchmarks/until_bank.py build/bank

tour: install ## Type the commands of README, tutorial and export; writes their screens
	$(BIN)/python benchmarks/screens.py

notebooks: install ## Run the notebooks; writes their outputs into them
	$(BIN)/python benchmarks/notebooks.py

site: install ## Build the documentation as pages, into build/site
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --jobs auto -c docs . build/site
	@echo build/site/docs/index.html

export-grid: install ## Export every kind of model and compare; writes docs/exports.md
	$(BIN)/python benchmarks/exports.py

clean: ## Remove .venv, caches and build leftovers; runs and data stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find seqclf tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
