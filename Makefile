PYTHON ?= python3
# Held to one version, so that the README's figures are those of a fresh clone. TORCH=torch takes the newest.
TORCH ?= torch==2.13.0
JOBS ?= 2
ARGS ?=
DATA ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOWEST := $(VENV)-lowest

.DEFAULT_GOAL := help
.PHONY: help install demo cards test test-lowest bench bench-languages docs quality style clean

help: ## Explain the targets (this text)
	@echo "csr-emotion: make TARGET"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  make install PYTHON=python3.12    the Python that makes the environment (3.11 or newer; now $(PYTHON))"
	@echo "  make install TORCH=torch          the torch that it gets (now $(TORCH))"
	@echo "  make test JOBS=4 ARGS='-k csr'    test processes (now $(JOBS)) and further options of pytest"

install: $(INSTALLED) ## Make .venv and install the project with all it needs from PyPI, once
	@echo "Installed in $(VENV). To use it: . $(BIN)/activate"

# The stamp is written last, so an installation that was cut short is taken up again.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "csr-emotion needs Python 3.11 or newer, and $(PYTHON) is none. Name one: make install PYTHON=python3.12" >&2; \
		exit 1; }
	@echo "Installing into $(VENV), once (on Linux up to 3 GB to download and 6 GB of disk)..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' '$(TORCH)'
	@touch $@

# All that accelerate would otherwise warn about is said here. Left to itself it would also give a run without a GPU a
# single thread; torch knows how many are good.
demo: $(INSTALLED) ## Train plain BERT and model-3.3 on the bundled posts (minutes, no GPU needed) into outputs/demo
	@$(BIN)/accelerate launch --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no \
		--num_cpu_threads_per_process "$$($(BIN)/python -c 'import torch; print(torch.get_num_threads())')" \
		examples/run_csr.py --config examples/configs/demo.yaml

# A stage's card stands for its kind.
cards: demo ## Run the demo, distil its model and copy their cards into model_cards/examples
	@$(BIN)/csr-emotion distill --teacher outputs/demo/csr --baseline outputs/demo/emotion-encoder \
		--output_dir outputs/demo/csr-distilled --eval_strategy no --save_strategy no
	@for stage in emotion-encoder sentiment-encoder siamese csr csr-distilled; do \
		mkdir -p model_cards/examples/$$stage && rm -f model_cards/examples/$$stage/* && \
		cp outputs/demo/$$stage/README.md outputs/demo/$$stage/*.png model_cards/examples/$$stage/; done

# tests/conftest.py gives them caches of their own; one thread for each of the processes. Files come in their own order,
# not those of many tests first: what takes long are files of few tests, and one left for the end keeps one process idle.
test: $(INSTALLED) ## Run the tests
	@HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

# The stamp is for the bounds: they are all that decides what is installed.
$(LOWEST)/.installed: pyproject.toml | $(INSTALLED)
	@$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@

torture: $(INSTALLED) ## Kill trainings, damage files and let a Hub fail at random, for about an hour
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture $(ARGS)

bench: $(INSTALLED) ## Measure speed and memory anew: DATA=FOLDER (40 minutes on two quiet cores)
	@test -n "$(DATA)" || { echo "Name the folder of the datasets: make bench DATA=FOLDER" >&2; exit 1; }
	@$(BIN)/python -m benchmarks.speed --data_dir "$(DATA)" $(ARGS)

bench-languages: $(INSTALLED) ## Measure a multilingual encoder on BRIGHTER: ARGS='--data_dir DATA --encoder FOLDER'
	@$(BIN)/python -m benchmarks.languages $(ARGS)

test-lowest: $(LOWEST)/.installed ## Run the tests with the lowest versions that pyproject.toml allows
	@HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest --numprocesses $(JOBS) --dist loadfile \
		--no-loadscope-reorder $(ARGS)

docs: $(INSTALLED) ## Build the documentation, strictly, into outputs/site
	@$(BIN)/mkdocs build --strict --quiet
	@echo "The pages are in outputs/site: open outputs/site/index.html"

quality: $(INSTALLED) ## Check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

style: $(INSTALLED) ## Mend style and formatting where a tool can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove .venv, build products and caches (outputs/ stays)
	@rm -rf $(VENV) $(LOWEST) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
