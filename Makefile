# Short names for what the scripts do. ./run and ./test work without make.

PYTHON := .venv/bin/python
SET_UP := . ops/setup.sh && set_up test
LOCK := $(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: run test lint fmt lock test-bare dev

run:
	@./run

test:
	@./test

dev:
	@$(SET_UP)

lint: dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	SECRET_KEY=lint-only DATABASE_URL=postgres://nobody@127.0.0.1:1/none BREADMATE_ENV=test $(PYTHON) -W ignore manage.py makemigrations --check --dry-run
	$(PYTHON) -m djlint templates --check --lint --quiet

fmt: dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
	$(PYTHON) -m djlint templates --reformat --quiet || true

lock: dev
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-embedded.in -o requirements-embedded.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

test-bare:
	@tests/bare/run.sh
