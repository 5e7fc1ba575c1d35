# Minsheng 民生快递. Needs Python >= 3.11 and make; everything else is installed into .venv (and node_modules, for tests).
PYTHON ?= python3
PORT ?= 8000
TICKETS ?= 300
BIN := .venv/bin
SQL := .venv/migrations.sql
PEERS := tests/wechat/peers
.DEFAULT_GOAL := help
# Where an installation lies is read by the locale: with plain C Python would not start in a folder with a Chinese name.
ifneq (,$(filter C POSIX,$(LC_ALL)))
export LC_ALL := C.UTF-8
endif
.PHONY: help install demo simulate test test-long lint docs fmt bench drills lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("需要 Python 3.11 或更新的版本；可用 make PYTHON=/path/to/python3 指定") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

# npm writes this file last: an installation that was cut short is begun again.
$(PEERS)/node_modules/.package-lock.json: .venv/.dev $(PEERS)/package.json $(PEERS)/package-lock.json $(PEERS)/.npmrc
	$(BIN)/npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund
	@touch $@

install: .venv/.run  ## installs what running needs into .venv

demo: .venv/.run  ## installs, then serves the demo county on http://127.0.0.1:8000 (PORT=…)
	@exec $(BIN)/o2o demo --port $(PORT)

simulate: .venv/.run  ## in a second terminal: plays county life against the running demo (TICKETS=…)
	@$(BIN)/o2o simulate --tickets $(TICKETS)

lint: .venv/.dev  ## style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	@# Not a pipe: make sees only how its last command ended, and squawk finds nothing wrong with nothing.
	$(BIN)/alembic upgrade head --sql > $(SQL)
	@grep -q 'CREATE TABLE' $(SQL) || { echo '没有可检查的迁移：$(SQL) 里没有建表语句' >&2; exit 1; }
	$(BIN)/squawk $(SQL)

test: lint $(PEERS)/node_modules/.package-lock.json  ## lint and all tests, as CI runs them
	$(BIN)/python -m pytest -n auto

test-long: .venv/.dev  ## 1,000 random lives of tickets against the model, and crowds of 50 on 200 tickets (half an hour)
	LIVES=1000 CROWDS=200 $(BIN)/python -m pytest -s tests/lives

docs: .venv/.dev  ## writes the documents that are made of the code's tables
	$(BIN)/python -m docs.tables

fmt: .venv/.dev  ## formats and mends what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev  ## speed beside the floors, as ratios
	$(BIN)/python -m bench

drills: .venv/.dev  ## storm, kill -9, database away, real messages, each on a demo of its own (about half an hour)
	$(BIN)/python -m tests.drills

lock: .venv/.dev  ## writes requirements.txt and requirements-dev.txt anew
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --exclude-newer "$$(date -d '3 days ago' +%F)" -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --exclude-newer "$$(date -d '3 days ago' +%F)" -o requirements-dev.txt

clean:  ## removes what make made; the data in .o2o stays
	rm -rf .venv $(PEERS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
