# `make run` serves the demo, `make test` runs all tests. Each sets up what it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000

export HF_HUB_OFFLINE = 1

.PHONY: run test test-slow lint tests bench lock audit-lock clean

run: $(VENV)/.run .env
	@$(BIN)/python manage.py demo --host $(HOST) --port $(PORT)

# Written once. A server that others reach needs its own values: see the README.
.env:
	@umask 077; $(BIN)/python -c "import secrets; print(f'SECRET_KEY={secrets.token_urlsafe(50)}', f'PSEUDONYM_KEY={secrets.token_urlsafe(50)}', 'ALLOWED_HOSTS=127.0.0.1,localhost', 'DATABASE_URL=sqlite:///var/offbeat.sqlite3', f'DEMO_PASSWORD={secrets.token_urlsafe(9)}', sep='\n')" > $@

# Linters and types beside the tests.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j2 lint tests

# The same tests, larger: for the night.
test-slow: $(VENV)/.dev
	@SLOW=1 $(MAKE) --no-print-directory -j2 lint tests

PYTEST = $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	DEBUG=1 $(BIN)/mypy .

tests: $(VENV)/.dev
	$(PYTEST)
	TEST_DATABASE=postgres $(PYTEST) tests/annotate tests/judging tests/results tests/api tests/fuzz/test_pages.py tests/test_access.py tests/test_blinding.py tests/test_trail.py tests/test_trail_page.py

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

lock: $(VENV)/.dev
	$(BIN)/pip-compile -q --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-annotate -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --extra dev --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-annotate -o requirements-dev.txt pyproject.toml
	sed -i 's/+cpu$$//' requirements.txt requirements-dev.txt

# Asks an advisory service about every locked package. Fails if one has a known weakness, or could not be looked up.
audit-lock: $(VENV)/audit/bin/pip-audit
	$< --strict --no-deps --disable-pip --progress-spinner off -r requirements-dev.txt

$(VENV)/audit/bin/pip-audit: | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/pip install -q --disable-pip-version-check pip-audit==2.10.1

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about 2 GB, a minute or a few …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): about 2 GB, a minute or a few …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) var .env
