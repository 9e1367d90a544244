# Ebb's front door. `make up` starts the assistant; `make test` runs the whole suite.
# Needs git, make, python3 with venv, and a network.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up chat train test lint check validate stories services pytest bench mutants clean

UV := .tools/bin/uv
UV_VERSION := 0.13.9
PY := .venv/bin/python
EBB := .venv/bin/ebb
PORT ?= 5005
export RASA_TELEMETRY_ENABLED := false
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
# pyenv's Python 3.10 counts as installed even where pyenv's shims are not on the path.
PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)
export PATH := $(PATH):$(subst $() ,:,$(wildcard $(PYENV)/versions/3.10.*/bin))

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

up: .venv/run ## install, train if the training data changed, start the assistant
	@$(EBB) train --if-changed
	@$(EBB) serve --port $(PORT)

chat: .venv/run ## talk to the assistant in this terminal
	@$(EBB) train --if-changed
	@$(EBB) chat

train: .venv/run ## train a model
	@$(EBB) train

test: lint check validate stories pytest ## install everything and run the whole test suite

lint: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

check: .venv/dev
	$(EBB) knowledge check
	$(EBB) knowledge prove

validate: .venv/dev
	@mkdir -p .ebb
	.venv/bin/rasa data validate --fail-on-warnings > .ebb/validate.log 2>&1 || { cat .ebb/validate.log; exit 1; }

stories: .venv/dev
	@$(EBB) train --if-changed
	.venv/bin/rasa test core --stories data/stories --out .ebb/results --fail-on-prediction-errors > .ebb/stories.log 2>&1 || { tail -50 .ebb/stories.log; exit 1; }
	@$(PY) -c 'import json; r = json.load(open(".ebb/results/story_report.json"))["conversation_accuracy"]; print("stories: %(correct)s of %(total)s right" % r)'

# PostgreSQL and Redis are needed to break them on purpose; the assistant needs neither.
services: .venv/dev ## install what the tests need from Debian, where it is missing
	@$(PY) tests/faults/programs.py >/dev/null && exit 0; \
	packages="$$(sed 's/#.*//' debian-packages.txt | xargs)"; \
	if [ "$$(id -u)" = 0 ]; then as=""; else as="sudo -n"; fi; \
	if command -v apt-get >/dev/null && $$as true 2>/dev/null; then \
		echo "Installing $$packages ..."; \
		$$as apt-get update -qq >/dev/null \
		&& $$as env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
			apt-get install -y -qq --no-install-recommends $$packages >/dev/null \
		|| echo "apt-get could not install them" >&2; \
	fi; \
	missing="$$($(PY) tests/faults/programs.py | xargs)"; \
	if [ -n "$$missing" ]; then \
		echo "The tests need $$missing, and make could not install them." >&2; \
		echo "Fix: sudo apt-get install -y --no-install-recommends $$packages" >&2; \
		exit 1; \
	fi

pytest: .venv/dev services
	@$(EBB) train --if-changed
	$(PY) -m pytest

bench: .venv/run ## measure speed; prints the machine and the versions
	@$(EBB) train --if-changed
	$(PY) benchmarks/run.py

mutants: .venv/dev ## break 200 rows of the triage tables and see that each is noticed
	$(PY) tests/unit/triage/mutants.py

clean: ## remove what was installed, trained and kept
	rm -rf .venv .tools models .rasa .ebb

$(UV):
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/run: $(UV) pyproject.toml uv.lock
	@echo "Installing Ebb (about a minute the first time) ..."
	$(UV) sync --quiet --frozen --inexact --no-dev --compile-bytecode
	$(PY) -m compileall -q ebb actions
	@touch $@

.venv/dev: .venv/run
	$(UV) sync --quiet --frozen --compile-bytecode
	@touch $@
