# Council Payments. Nothing has to be there but Python 3.11+ and make: `make help` says what can be done.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
PACKAGES := libs/common libs/bacs deploy/gateway deploy/local $(sort $(wildcard services/*-service))
MODULES := council_common council_bacs council_gateway council_local supplier_service invoice_service rebate_service \
	debt_service notification_service
# The stamps carry the folder's name: a checkout that was moved is set up again.
FOLDER := $(shell pwd | cksum | cut -d' ' -f1)
STAMP := $(VENV)/.ready-$(FOLDER)
CHECKS := $(VENV)/.checks-$(FOLDER)

# uv believes the system's certificates, as pip does: a council's inspecting proxy has an authority of its own.
export UV_SYSTEM_CERTS ?= true

# How many pytest processes; each starts a PostgreSQL (and, when asked, a Kafka) of its own.
WORKERS ?= 2
ROLE ?= payments_assistant

.DEFAULT_GOAL := help
.PHONY: help setup lock run demo stop status token clean-data unit test lint format contracts bench up down

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv from the locked, hashed packages that running needs (happens by itself)
	@echo "Ready: $$($(PY) -V) in $(VENV)."

$(STAMP): requirements-run.lock deploy/local/set_up.py $(addsuffix /pyproject.toml,$(PACKAGES))
	@command -v "$(PYTHON)" >/dev/null 2>&1 \
		|| { echo "There is no '$(PYTHON)' here. Install Python 3.11 or later, or name one: make setup PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" deploy/local/set_up.py $(VENV) requirements-run.lock $(PACKAGES)
	@touch $@

# Tests and checks need more than running does; it is added when one of them is asked for.
$(CHECKS): $(STAMP) requirements.lock
	@"$(PYTHON)" deploy/local/set_up.py $(VENV) requirements.lock
	@touch $@

LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-package council-common --no-emit-package council-bacs --no-emit-package council-gateway
SERVICE_PACKAGES := libs/common libs/bacs $(sort $(wildcard services/*-service))
RUN_GROUP := --group deploy/local/pyproject.toml:run

lock: $(STAMP) ## write the locks anew after a change of dependencies; versions stay where they can
	@$(LOCK) pyproject.toml --group dev $(RUN_GROUP) $(addsuffix /pyproject.toml,$(PACKAGES)) --output-file requirements.lock
	@$(LOCK) $(RUN_GROUP) $(addsuffix /pyproject.toml,$(PACKAGES)) --constraints requirements.lock \
		--output-file requirements-run.lock
	@$(LOCK) $(addsuffix /pyproject.toml,$(SERVICE_PACKAGES)) --constraints requirements.lock \
		--output-file requirements-service.lock

run: $(STAMP) ## start the whole platform on this machine and keep it running until Ctrl-C
	@$(PY) -m council_local run

demo: $(STAMP) ## play a council's month and prove its sums (SERVE=0 ends it there), or work on real files: DATA=folder
	@$(PY) -m demo $(if $(DATA),--data "$(DATA)") $(if $(DAY),--day "$(DAY)") $(if $(filter 0,$(SERVE)),--no-serve)

stop: $(STAMP) ## end the running platform
	@$(PY) -m council_local stop

status: $(STAMP) ## what runs, and how much memory it takes
	@$(PY) -m council_local status || true

token: $(STAMP) ## print a bearer token: make token ROLE="ap_manager auditor" NAME=a.jones
	@$(PY) -I -S deploy/local/src/council_local/ask_token.py "$(ROLE)" $(if $(NAME),"$(NAME)")

clean-data: $(STAMP) ## delete the local platform's data, keys and logs
	@$(PY) -m council_local clean

unit: $(CHECKS) ## the fast tests; of one service: make unit SERVICE=invoice
	@$(PY) -m pytest -q -m "not database and not broker and not platform and not real_data" \
		$(if $(SERVICE),services/$(SERVICE)-service,libs services)

test: lint ## everything: style, types, layers, published documents and all tests
	@$(PY) -m pytest -q -n $(WORKERS)

lint: $(CHECKS) ## style, types, layers, generated gateway files
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(addprefix -p ,$(MODULES)) -p demo -p benchmarks
	@$(VENV)/bin/lint-imports
	@$(PY) -m council_gateway check

format: $(CHECKS) ## bring the code into its one style
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

contracts: $(CHECKS) ## write the published documents (schemas, examples, AsyncAPI, OpenAPI); refuses what breaks readers
	@$(PY) docs/contracts/generate.py

bench: $(CHECKS) ## measure
	@$(PY) -m benchmarks

up: $(STAMP) ## the same in containers (needs Docker)
	@command -v docker >/dev/null 2>&1 || { echo "Docker is not here; 'make run' needs none."; exit 1; }
	@$(PY) deploy/docker/compose_env.py
	docker compose --env-file .data/compose/compose.env up --build --detach

down: ## end the containers
	docker compose --env-file .data/compose/compose.env down
