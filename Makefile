# The commands of a working day. Each sets up .venv by itself, from the locked requirements.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check bench trials lock clean

BIN := .venv/bin

# The first Python that is new enough; name another with `make PYTHON=/path/to/python demo`.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
    $$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/.ready  ## build the demo network and serve it on 127.0.0.1:8000
	$(BIN)/partner-cx demo

test: .venv/.ready  ## run the tests, on SQLite and on PostgreSQL
	$(BIN)/pytest -n auto --dist worksteal

check: .venv/.ready  ## read the code: form, types, floors, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m api.migrations.check

bench: .venv/.ready  ## measure speed and memory against the baselines
	PYTHONPATH=. $(BIN)/python tests/bench

trials: .venv/.ready  ## run the fault trials at full length
	PARTNER_CX_TRIALS=full $(BIN)/pytest -n auto --dist worksteal tests/trials

# Keeps the versions already locked; `make lock UPGRADE=--upgrade` takes the newest.
LOCK := uv pip compile pyproject.toml --extra neighbours --universal --python-version 3.11 \
    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

lock: .venv/.ready  ## write the locked requirements anew from pyproject.toml
	$(BIN)/$(LOCK) $(UPGRADE) --output-file requirements.txt
	$(BIN)/$(LOCK) $(UPGRADE) --extra dev --output-file requirements-dev.txt

clean:  ## remove .venv and what the tools left behind
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info

.venv/.ready: requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Partner CX needs Python 3.11 or newer, and found none." \
	    "Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is older than Python 3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(INSTALL_VENV)
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Debian and Ubuntu ship Python without venv.
define INSTALL_VENV
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } \
    || { echo "This Python has no venv module. On Debian or Ubuntu:" \
    "sudo apt-get install python3-venv" >&2; exit 1; }
endef
