# make serve | test | lint | bench. Each begins with what it needs; nothing is installed outside this folder.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup serve test lint format bench lock clean

setup: .venv/.installed tests/node_modules/.installed

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Stenograph needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up .venv: downloads about 300 MB the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The JavaScript client that the tests drive. Not needed to serve.
tests/node_modules/.installed: tests/package.json tests/package-lock.json
	cd tests && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

serve: .venv/.installed
	$(BIN)/stenograph serve

test: setup
	$(BIN)/pytest

lint: .venv/.installed
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy

format: .venv/.installed
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

bench: .venv/.installed
	$(BIN)/python -m bench

# After a change of dependencies in pyproject.toml: pins every version with its hashes, for all platforms.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv tests/node_modules
