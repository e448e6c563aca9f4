# Two commands do everything on a fresh machine with Python 3.11 or newer: `make app` and `make test`.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin

.PHONY: app test check zoo bench stress clean
# What was made by a command that failed halfway, such as a .venv without pip, is not taken for whole the next time.
.DELETE_ON_ERROR:

app: $(VENV)/.app
	$(BIN)/python -m streamlit run app.py

# The files of tests are shared out among the cores, at most four, and each process computes on one of them.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# What CI does for the small members of each family, for every network; then records it.
zoo: $(VENV)/.dev
	CNNLAB_ZOO=1 $(BIN)/python -m pytest tests/models
	$(BIN)/python -m benchmarks.zoo

bench: $(VENV)/.dev $(PEERS)/.done
	$(BIN)/python -m benchmarks

stress: $(VENV)/.dev
	$(BIN)/python -m benchmarks.stress

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "CNN Lab needs Python 3.11 or newer, not $$($(PYTHON) --version 2>&1); name one: make PYTHON=python3.12 …"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# TensorFlow, fastai and Lightning stay out of the app's environment.
$(PEERS)/.done: benchmarks/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(PEERS) static .pytest_cache .ruff_cache
