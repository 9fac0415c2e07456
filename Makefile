# One command each, the same on a laptop and in CI. ARGS goes to the program that is run:
# make test ARGS="tests/unit -k clock". WORKERS=0 runs the tests in one process.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
PYTEST = .venv/bin/pytest -q -n $(WORKERS) --dist loadfile

# Commands that write a part of the documentation or of the package. Each takes --check,
# which changes nothing and fails when the file in the tree differs. Those under FROM_HL7
# read HL7's definitions of FHIR R4, which are too large for the repository; the one of
# FROM_UNIHAN reads what Debian's package unicode-data installs.
DEFINITIONS ?= ../shared/data/fhir-r4-definitions
GENERATORS = \
	"scripts/compile_definitions.py" \
	"scripts/document_definitions.py" \
	"scripts/make_sample.py" \
	"scripts/measure_romanisation.py" \
	"scripts/write_api_reference.py" \
	"scripts/write_error_reference.py"
FROM_HL7 = \
	"scripts/build_fhir_definitions.py $(DEFINITIONS)" \
	"scripts/build_search_parameters.py $(DEFINITIONS)" \
	"scripts/build_compartments.py $(DEFINITIONS)" \
	"scripts/build_operations.py $(DEFINITIONS)" \
	"scripts/make_ownership_evidence.py $(DEFINITIONS)/StructureDefinition.ndjson.gz"
UNIHAN ?= /usr/share/unicode
FROM_UNIHAN = "scripts/build_names_table.py $(UNIHAN)"
HAS_UNIHAN = $(wildcard $(UNIHAN)/Unihan_Readings.txt.bz2)
ALL_GENERATORS = $(GENERATORS) $(if $(wildcard $(DEFINITIONS)),$(FROM_HL7)) $(if $(HAS_UNIHAN),$(FROM_UNIHAN))
ABSENT = $(if $(wildcard $(DEFINITIONS)),,@echo 'not done without $(DEFINITIONS):' $(FROM_HL7))

.DEFAULT_GOAL := help
.PHONY: help .venv demo test test-long lint bench format generate lock postgres clients browser screenshots wrk

help:  ## list these targets
	@awk -F ':.*##' '/^[.a-z-]+:.*##/ {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv  ## set everything up and serve a node with synthetic people, until stopped
	.venv/bin/kintung demo $(ARGS)

test: .venv postgres clients browser  ## set everything up and run all tests, with the smaller counts
	$(PYTEST) $(ARGS)

test-long: .venv postgres clients browser  ## run all tests with the full counts, on a new seed
	$(PYTEST) --long $(ARGS)

lint: .venv  ## check format, rules, types, import contracts and generated files; changes nothing
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports
	@for command in $(ALL_GENERATORS); do \
		echo "$$command --check"; \
		.venv/bin/python $$command --check || { echo "what it writes differs: run make generate"; exit 1; }; \
	done
	$(ABSENT)

bench: .venv wrk  ## measure on an idle machine, and write bench/results/; ARGS="--quick load reads"
	.venv/bin/python -m bench $(ARGS)

format: .venv  ## put the format right, and what ruff can mend of the rules
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

generate: .venv  ## write the generated files anew
	@for command in $(ALL_GENERATORS); do echo "$$command"; .venv/bin/python $$command || exit 1; done
	$(ABSENT)

lock: .venv  ## lock the dependencies of pyproject.toml; ARGS=--upgrade moves those already locked
	.venv/bin/uv pip compile --quiet $(ARGS) --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev --output-file requirements.lock pyproject.toml

.venv: .venv/.installed  ## set up the environment only; the command is then .venv/bin/kintung

.venv/.installed: requirements.lock pyproject.toml scripts/make_venv.sh
	@scripts/make_venv.sh $(PYTHON)
	@touch $@

postgres: .venv  ## install PostgreSQL when it is missing, or say how
	@.venv/bin/python scripts/need_postgres.py

clients: .venv  ## install the JavaScript clients that tests drive, when they are missing
	@.venv/bin/python scripts/need_clients.py

browser: .venv  ## install Chromium, Chinese fonts and axe-core, when they are missing, or say how
	@.venv/bin/python scripts/need_browser.py

screenshots: .venv browser  ## show every page in every width and language, as PNG files to look at
	.venv/bin/python scripts/make_screenshots.py $(ARGS)

wrk: .venv  ## install wrk, which makes the load of make bench, when it is missing, or say how
	@.venv/bin/python -m bench.wrk
