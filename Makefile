# Two commands to know: `make demo` and `make test`. All they need is Python 3.11 or later.

VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000
export PORT

# The first Python on the PATH that is new enough; PYTHON=… names another one.
PYTHON ?= $(shell for each in python3 python3.12 python3.11 python3.13 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes

# Linting reads the settings but serves nobody.
LINT_ENV := DEBUG=true DATABASE_URL=sqlite://:memory: REDIS_URL=

.DEFAULT_GOAL := help
.PHONY: help demo test bench chaos smoke lint format messages lock install install-dev clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: install ## the product with demo data on http://127.0.0.1:8000 (PORT=… for another port)
	@exec $(PY) -m crm.demo

test: install-dev ## every test on SQLite and on PostgreSQL (ARGS="-k word" for some)
	@exec $(PY) -m pytest --dist=each --tx='2*popen' --max-worker-restart=0 $(ARGS)

bench: install-dev ## what lists, details and logins cost beside plain SQL (SIZE=10k, 100k, 1M; ARGS=…)
	@exec $(PY) -m tests.benchmarks --size $(SIZE) $(ARGS)
SIZE ?= 10k

chaos: install-dev ## break a whole deployment for a few minutes, and look for every acknowledged write (MINUTES=3)
	@exec $(PY) -m tests.chaos --minutes $(MINUTES) $(ARGS)
MINUTES ?= 3

smoke: ## run docs/smoke-tests.md against a running server (BASE=https://crm.example.com)
	@exec env BASE="$(BASE)" $(PYTHON) -m tests.smoke
BASE ?= http://127.0.0.1:8000

lint: install-dev ## style, types, floors, migrations, translations, schema, known holes in dependencies
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(LINT_ENV) $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(LINT_ENV) $(PY) manage.py check
	$(LINT_ENV) $(PY) manage.py makemigrations --check --dry-run
	$(LINT_ENV) $(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(PY) .ci/translations.py check
	$(PY) .ci/audit.py

format: install-dev ## put the code into shape
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

messages: install-dev ## collect new sentences for translation, compile the translated ones
	$(PY) .ci/translations.py update

lock: install-dev ## renew the lock files from pyproject.toml
	$(VENV)/bin/uv pip compile $(LOCK) --output-file requirements.lock pyproject.toml
	$(VENV)/bin/uv pip compile $(LOCK) --output-file requirements-dev.lock --group dev pyproject.toml
LOCK := --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --quiet

install: $(VENV)/installed ## .venv with what the product needs
install-dev: $(VENV)/installed-dev ## .venv with what its development needs too

clean: ## remove .venv and caches (data/ stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps keep a second start fast: pip runs again only when a lock file is newer.
$(VENV)/installed: requirements.lock | $(PY)
	@echo "Installing what the product needs into $(VENV) (once) …"
	@$(PY) $(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock | $(PY)
	@echo "Installing what development needs into $(VENV) (once) …"
	@$(PY) $(INSTALL) -r requirements-dev.lock
	@touch $@
