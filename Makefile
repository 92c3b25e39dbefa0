# Every target does its own set-up and can be run twice in a row.
SHELL := /bin/bash
PY := .venv/bin/python
# Compiled once, also where the environment says otherwise: every test of the command line imports it anew.
export PYTHONDONTWRITEBYTECODE :=
BY_FILE := --dist loadfile --no-loadscope-reorder
FAST := not local and not engine and not performance and not nightly and not samples

.PHONY: help setup python ministack demo test test-unit test-properties test-integration test-samples test-nightly lint bench clean

help:            ## Show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

python:          ## Make .venv from the lock file
	@tools/setup.sh python

ministack: python ## Install the second emulator of AWS that the tests ask
	@tools/setup.sh ministack

setup:           ## Install all that the local target needs: packages, engine, images
	@tools/setup.sh python packages engine_and_images

demo: setup      ## Deploy a sample application on the local target and leave it running
	@tools/demo.sh

lint: python     ## Style, types, layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# The timed tests run alone, the rest side by side, a file at a time: two that compute, or three that also wait for
# machines. What those cover, the others have covered. AUTODEPLOY_SEED=N draws the same samples again.
test: setup ministack lint ## All tests, with coverage
	$(PY) -m pytest tests/performance -m performance
	$(PY) -m pytest tests -m "$(FAST)" -n 2 $(BY_FILE) --in-memory --cov --cov-report=term:skip-covered --cov-fail-under=90
	$(PY) -m pytest tests -m "(local or engine) and not nightly and not performance" -n 3 $(BY_FILE) --durations=15

test-unit: ministack   ## Tests that need no container engine and no Pulumi engine
	$(PY) -m pytest tests -m "$(FAST)" -n 2 $(BY_FILE) --in-memory --ignore tests/properties

test-properties: python ## The design document's properties on the pure view
	$(PY) -m pytest tests/properties -m "not local and not engine" --hypothesis-profile exploring --hypothesis-show-statistics

test-integration: setup ## End to end on the local target
	$(PY) -m pytest tests -m "(local or engine) and not nightly and not performance" -n 3 $(BY_FILE)

test-samples: setup    ## Build and boot every sample repository (one of them: pytest -m samples -k NAME)
	$(PY) -m pytest tests/integration/test_samples.py -n 2

test-nightly: setup    ## What is too long for every day: every point at which something may be killed
	$(PY) -m pytest tests/properties -m "$(FAST)" -n 2 $(BY_FILE) --hypothesis-profile exploring
	$(PY) -m pytest tests -m nightly --durations=10

bench: setup     ## Seconds per stage, and the ratios that we hold ourselves to
	@PYTHONPATH=tests $(PY) tools/bench.py

clean:           ## Remove what was made in this checkout; caches outside of it stay
	rm -rf .venv .make build dist
