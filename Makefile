# One command each, the same on a laptop and in CI. ARGS goes to the program that is run:
# make test ARGS="tests/unit -k clock". WORKERS=0 runs the tests in one process.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
PYTEST = .venv/bin/pytest -q -n $(WORKERS) --dist loadfile

# Scripts that write a part of the documentation or of the package from the code. Each
# takes --check, which changes nothing and fails when the file in the tree differs.
GENERATORS = \
	scripts/write_error_reference.py

.DEFAULT_GOAL := help
.PHONY: help .venv demo test test-long lint bench generate lock postgres

help:  ## list these targets
	@awk -F ':.*##' '/^[.a-z-]+:.*##/ {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv  ## set everything up and serve a node with synthetic people, until stopped
	.venv/bin/kintung demo $(ARGS)

test: .venv postgres  ## set everything up and run all tests, with the smaller counts
	$(PYTEST) $(ARGS)

test-long: .venv postgres  ## run all tests with the full counts, on a new seed
	$(PYTEST) --long $(ARGS)

lint: .venv  ## check format, rules, types, import contracts and generated files; changes nothing
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports
	@for script in $(GENERATORS); do echo "$$script --check"; .venv/bin/python "$$script" --check || exit 1; done

bench: .venv postgres  ## measure, and write bench/results/
	.venv/bin/python -m bench $(ARGS)

generate: .venv  ## write the generated files anew
	@for script in $(GENERATORS); do echo "$$script"; .venv/bin/python "$$script" || exit 1; done

lock: .venv  ## lock the dependencies of pyproject.toml; ARGS=--upgrade moves those already locked
	.venv/bin/uv pip compile --quiet $(ARGS) --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev --output-file requirements.lock pyproject.toml

.venv: .venv/.installed  ## set up the environment only; the command is then .venv/bin/kintung

.venv/.installed: requirements.lock pyproject.toml scripts/make_venv.sh
	@scripts/make_venv.sh $(PYTHON)
	@touch $@

postgres: .venv  ## install PostgreSQL when it is missing, or say how
	@.venv/bin/python scripts/need_postgres.py
