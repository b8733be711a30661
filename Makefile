# make verify     derive, simulate, compare and prove the claims on real data (the main job)
# make test       run the tests
# make lint       style, types and the direction of imports
# make prove      check every theorem and print the dossier
# make bench      time the engines against named peers and print the tables
# make notebooks  execute the notebooks into build/notebooks
# make clean      remove everything that these commands made, .venv included
#
# Each prepares .venv by itself, with uv where it works and with pip otherwise.
# PYTHON=/path/to/python chooses the interpreter; ARGS='...' is passed on to verify, test, prove and bench.

.POSIX:
.PHONY: help verify test lint prove bench notebooks clean

BIN = .venv/bin
CANDIDATES = python3.12 python3.11 python3.13 python3 python
INSTALLED = -c constraints.txt -e '.[test,dev]'

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

verify: .venv/.ok
	@$(BIN)/collapse verify $(ARGS)

test: .venv/.ok
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: .venv/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

prove: .venv/.ok
	@$(BIN)/collapse prove $(ARGS)

bench: .venv/.ok
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file $(ARGS) || exit 1; done

notebooks: .venv/.ok
	@mkdir -p build/notebooks
	@for source in notebooks/*.py; do \
	  test -f "$$source" || { echo "notebooks/ holds no .py file, so there is nothing to execute."; exit 0; }; \
	  target="build/notebooks/$$(basename "$$source" .py).ipynb"; \
	  $(BIN)/jupytext --quiet --to ipynb --set-kernel python3 --output "$$target" "$$source" || exit 1; \
	  $(BIN)/jupyter execute --inplace "$$target" || exit 1; \
	  echo "$$target"; \
	done

clean:
	rm -rf .venv .nox build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A name on PATH proves nothing (it may be a shim for a version that is not there), so each candidate is run.
# uv is to use the interpreter chosen here and to fetch none of its own.
.venv/.ok: pyproject.toml constraints.txt
	@rm -f $@; \
	enough='import sys; sys.exit(sys.version_info < (3, 11))'; \
	for python in $${PYTHON:-$(CANDIDATES)}; do \
	  "$$python" -c "$$enough" >/dev/null 2>&1 && break; \
	  python=; \
	done; \
	if test -z "$$python"; then \
	  echo "No Python 3.11 or newer was found under the names $${PYTHON:-$(CANDIDATES)}." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "Preparing .venv with $$("$$python" -c 'import sys; print(sys.executable, sys.version.split()[0])')"; \
	export UV_PYTHON_DOWNLOADS=never; \
	if uv --version >/dev/null 2>&1 && \
	  uv venv --quiet --clear --python "$$("$$python" -c 'import sys; print(sys.executable)')" .venv && \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python $(INSTALLED); \
	then :; else \
	  echo "Installing with pip, which takes a minute or two."; \
	  rm -rf .venv && "$$python" -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(INSTALLED); \
	fi && touch $@
