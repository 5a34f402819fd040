# The commands that a newcomer needs: `make grade SUBMISSION=path`, `make check` and `make test`.
SHELL := /bin/sh
BIN := .venv/bin
SUBMISSION ?=
ARGS ?=

# Byte code is kept between runs, also where the shell says otherwise: most tests start Python.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: grade check test test-browser lint unit format images engine doctor env dev corpus hostile fuzz bench clean

grade: env engine
ifeq ($(SUBMISSION),)
	@echo "No SUBMISSION given: grading three bundled labelled solutions." >&2
	@$(BIN)/python scripts/pack_examples.py build/examples
	@$(BIN)/grade $(ARGS) build/examples/reference.zip build/examples/mediocre.zip build/examples/poor.zip
else
	@$(BIN)/grade $(ARGS) "$(SUBMISSION)"
endif

# What needs no Docker and is quick: run it after each change. `make test` has all unit tests.
check: lint unit

unit: dev
	$(BIN)/pytest -m "not slow" -n auto --dist worksteal tests/unit

test: dev engine
	@$(BIN)/grade images
	$(BIN)/pytest -m "not docker" -n auto --dist loadfile
	$(BIN)/pytest -m docker

test-browser: dev
	@scripts/bootstrap.sh browser
	$(BIN)/pytest tests/browser

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

corpus: dev engine
	$(BIN)/python scripts/corpus.py

# atheris steers the decoder's fuzzing; there is one for Linux only
fuzz: dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	$(BIN)/python scripts/fuzz.py $(if $(filter Linux,$(shell uname -s)),--coverage 300)

hostile: dev engine
	$(BIN)/python scripts/hostile.py

bench: dev engine
	$(BIN)/python benchmarks/overhead.py

images: env engine
	@$(BIN)/grade images

engine:
	@scripts/bootstrap.sh engine

doctor: env
	@$(BIN)/grade doctor

env:
	@scripts/bootstrap.sh host

dev:
	@scripts/bootstrap.sh dev

clean:
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache
