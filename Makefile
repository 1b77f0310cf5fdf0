# Short names for what the scripts do. ./run and ./test work without make.

PYTHON := .venv/bin/python
SET_UP := . ops/setup.sh && set_up test
LOCK := $(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: run test test-deep test-faults lint fmt lock k8s test-bare image-check clients-check dev bench rush film guide-pictures backup-db backups restore restore-drill doctor

run:
	@./run

test:
	@./test

dev:
	@$(SET_UP)

# All checks run even when one fails: one look shows everything there is to mend.
CHECKS := check-code check-format check-types check-imports check-migrations check-templates check-deployment check-house
.PHONY: $(CHECKS)

lint: dev
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

check-code:
	$(PYTHON) -m ruff check .

check-format:
	$(PYTHON) -m ruff format --check .

check-types:
	$(PYTHON) -m mypy

check-imports:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

# Needs no database: what cannot be asked there is left out with a warning.
check-migrations:
	BREADMATE_ENV=test DATABASE_URL=postgres://nobody@127.0.0.1:1/none $(PYTHON) -W ignore manage.py makemigrations --check --dry-run

check-templates:
	$(PYTHON) -m djlint templates --lint --quiet

# Image, compose and manifests, strictly and offline: a typo in any of them fails here.
MANIFESTS := .run/manifests
check-deployment:
	@mkdir -p $(MANIFESTS)
	.venv/bin/hadolint Dockerfile
	$(PYTHON) -m check_jsonschema -q --builtin-schema vendor.compose-spec compose.yaml
	$(PYTHON) -m check_jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(PYTHON) -m check_jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/bin/kubectl kustomize k8s/overlays/dev > $(MANIFESTS)/dev.yaml
	.venv/bin/kubectl kustomize k8s/overlays/prod > $(MANIFESTS)/prod.yaml
	$(PYTHON) -m kubernetes_validate --quiet --strict -k 1.33 $(MANIFESTS)/dev.yaml $(MANIFESTS)/prod.yaml k8s/breadmate.yaml k8s/overlays/prod/secret.example.yaml

# The rules of the house that no linter knows: facades, relations, docstrings, made documents.
check-house:
	$(PYTHON) -m pytest tests/architecture -q

fmt: dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

lock: dev
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-embedded.in -o requirements-embedded.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

# Of one shop, see docs/operations.md. BACKUP_DIR and BACKUP_KEY come from the environment or the shop's own settings.
backup-db:
	@$(PYTHON) -m breadmate.backup now

backups:
	@$(PYTHON) -m breadmate.backup list

restore:
	@. ops/setup.sh && set_up run && $(PYTHON) -m breadmate.backup restore $(if $(REPLACE),--replace) $(if $(INTO),--into "$(INTO)")

restore-drill:
	@$(PYTHON) -m breadmate.backup drill

doctor:
	@$(PYTHON) manage.py doctor

k8s: dev
	$(PYTHON) -m breadmate.deploy

# Bounded, on this machine only; see docs/performance.md.
bench: dev
	$(PYTHON) -m bench.menu
	$(PYTHON) -m bench.checkout
	$(PYTHON) -m bench.noon
	$(PYTHON) -m bench.payments

# A whole busy day on a shop of its own, ten minutes at 20 orders a second unless told otherwise: make rush RATE=5 MINUTES=3
RATE := 20
MINUTES := 10
rush: dev
	$(PYTHON) -m bench.rush --rate $(RATE) --minutes $(MINUTES)

# The film of one order in the READMEs, taken in a browser on a shop of its own.
film: dev
	$(PYTHON) -m tests.e2e.film docs/images/order.gif

# The pictures of the staff's guide, as the browser tests see the pages, the back office after some sales; needs chromium.
guide-pictures: dev
	SCREENSHOTS=.run/pictures $(PYTHON) -m pytest --randomly-dont-reorganize tests/e2e/test_kitchen.py tests/e2e/test_counter.py tests/e2e/test_back_office.py
	$(PYTHON) -m tests.e2e.guide .run/pictures docs/images

# Ten times as many and longer ways through the shop's money as ./test takes; see CONTRIBUTING.md.
test-deep: dev
	BREADMATE_TEST_DEEP=1 $(PYTHON) -m pytest tests/money

# Every fault of docs/reliability.md and whatever else is marked "long": a lost disk, an update and back, the proving room.
test-faults: dev
	BREADMATE_TEST_FAULTS=1 $(PYTHON) -m pytest tests/faults -m long
	BREADMATE_TEST_FAULTS=1 $(PYTHON) -m pytest tests/up tests/e2e tests/blackbox -m long

# Makes clients for Python and TypeScript and orders with both; needs the Internet and npm.
clients-check: dev
	@tests/clients/run.sh

test-bare:
	@tests/bare/run.sh

image-check: dev
	@tests/image/run.sh
