# Everything the project needs lives in this checkout: .venv (from requirements/dev.lock) and .demo.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_WAIT ?= 1
ERP    ?= business_central

export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo test test-system lint bench lock clean

$(STAMP): requirements/dev.lock setup.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m airflow_provider_mlconnector.demo --erp $(ERP) $(if $(filter 0,$(DEMO_WAIT)),--no-wait)

# Two stacks of Airflow side by side, one on each database: most of their time is waiting.
test: $(STAMP)
	@$(BIN)/python -m pytest tests/unit -n 2 --dist loadfile
	@$(BIN)/python -m pytest tests/airflow tests/conformance -n 2 --dist loadfile
	@$(BIN)/python -m pytest tests/e2e -k "sqlite or shared_budget" & beside=$$!; \
	$(BIN)/python -m pytest tests/e2e -k "postgres and not shared_budget"; status=$$?; \
	wait $$beside && exit $$status

# Programs that only Debian packages, and what is built with them; tests that need one are skipped and named without it.
test-system: $(STAMP)
	@sh tests/install_system_programs.sh
	@! test -e /usr/include/gssapi/gssapi.h || \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/kerberos.lock

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python tests/benchmarks/run.py --erp $(ERP)

lock:
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 requirements/dev.in --output-file requirements/dev.lock

clean:
	@rm -rf $(VENV) .demo build dist *.egg-info
