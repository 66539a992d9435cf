# make serve | demo | test | lint | bench | page | screenshots. Each begins with what it needs; nothing is installed outside this folder.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup serve demo page page-if-possible test lint format bench screenshots lock clean

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

setup: .venv/.developing tests/node_modules/.installed page

# What it takes to serve.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Stenograph needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up .venv: downloads about 330 MB the first time"
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes --no-deps -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# And what it takes to work on it: test runner, linter, the clients that tests drive.
.venv/.developing: .venv/.installed requirements-dev.lock
	$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# The JavaScript client that the tests drive. Not needed to serve.
tests/node_modules/.installed: tests/package.json tests/package-lock.json
	cd tests && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The page. Serving works without, and says so.
PAGE := src/stenograph/static/index.html

page: $(PAGE)

$(PAGE): ui/node_modules/.installed ui/index.html ui/vite.config.ts ui/tsconfig.json $(shell find ui/src ui/public -type f)
	cd ui && npm run --silent build
	@touch $@

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

page-if-possible:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory page; \
		else echo "No Node here: serving without the page"; fi

serve: .venv/.installed page-if-possible
	$(BIN)/stenograph serve

# A data folder that is gone afterwards, on a port that nobody has, so that no other server is filled by mistake.
FREE_PORT := import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])

demo: .venv/.installed page-if-possible
	@folder=$$(mktemp -d); port=$$($(BIN)/python -c '$(FREE_PORT)'); url=http://localhost:$$port; \
	$(BIN)/stenograph serve --port $$port --data-dir "$$folder" & server=$$!; \
	trap 'kill $$server 2>/dev/null; wait $$server; rm -rf "$$folder"' EXIT; trap exit INT TERM; \
	until $(BIN)/python -c "import urllib.request as u; u.urlopen('$$url/ok')" 2>/dev/null; \
		do kill -0 $$server 2>/dev/null || exit 1; sleep 0.5; done; \
	$(BIN)/stenograph demo --url $$url && wait $$server

test: setup
	cd ui && npm test --silent
	$(BIN)/pytest

lint: .venv/.developing ui/node_modules/.installed
	cd ui && npm run --silent types
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy

format: .venv/.developing
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

bench: .venv/.developing
	$(BIN)/python -m bench

# The pictures of the README and of docs/. Some of them: make screenshots ONLY="trace charts"
screenshots: setup
	$(BIN)/python -m tests.page.pictures $(ONLY)

# After a change of dependencies in pyproject.toml: pins every version with its hashes, for all platforms. The second
# file is the first and more: what both hold has one version.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

lock:
	$(PIP) uv
	$(COMPILE) --group build pyproject.toml -o requirements.lock
	$(COMPILE) --group build --group dev --extra postgresql --constraint requirements.lock pyproject.toml \
		-o requirements-dev.lock

clean:
	rm -rf .venv tests/node_modules ui/node_modules
