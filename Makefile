# Every target does its own set-up. PYTHON chooses the interpreter (3.11 or newer), VENV the environment's folder.
export PYTHON ?= python3
export VENV ?= .venv
BIN = "$(VENV)/bin"
# One thread for each process: the matrices are small, and two processes at a time use the cores better
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-slow soak mutation mutants fuzz search bench lint audit lite-audit assignments build check-build lessons site lite lite-test course docs dev constraints clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: course  ## build an assignment, take in a class, grade it, show the grades
	@$(BIN)/dlcourse demo demo

lab: course  ## open JupyterLab on the lessons
	@$(BIN)/dlcourse lab

test: dev  ## the tests, doctests included; all but the slow ones
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow"

# They wait half of the time, for browsers and for limits; the files whose tests share nothing are dealt out one by one
test-slow: dev  ## the slow tests: browsers, attacks, whole classes, PostgreSQL, the wheel
	$(BIN)/python -m pytest -n 4 --dist loadscope -m slow

soak: dev  ## a class of SIZE (1000), a tenth of it hostile: honest scores stay, memory stays flat, nothing is left behind
	$(BIN)/python -m tests.soak $(SIZE)

mutation: dev  ## whether a test notices each small change of the judging code you changed; ASK=--all: of all of it
	$(BIN)/python -m tests.mutation $(ASK)

fuzz: dev  ## hostile frames, cells, notebooks, times and pages at random, for MINUTES=60
	$(BIN)/python -m tests.fuzz $(or $(MINUTES),60)

search: dev  ## the property tests with other examples in each run, 2,000 instead of 100; the gate's are always the same
	$(BIN)/python -m pytest -n 2 -m "hypothesis and not slow" --hypothesis-profile search $(ASK)

mutants: dev  ## whether the exercises' cases notice each single edit of a right answer; ASK=<slug>: of one topic
	$(BIN)/dlcourse audit --mutants $(ASK)

lessons: dev  ## run every lesson and compare its outputs
	$(BIN)/python -m pytest -o addopts= -p nbval --nbval notebooks -n $(or $(WORKERS),2) --dist loadscope

bench: dev  ## the speed table and how time and memory grow, beside PyTorch; the explorers, and grading a class
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.explorers
	$(BIN)/python -m benchmarks.grading

lint: dev  ## ruff on sources and notebooks, mypy on the code that judges and grades
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: dev  ## grade the grader: mistakes rejected and named, right variants accepted
	$(BIN)/dlcourse audit

lite-audit: dev  ## the audit in WebAssembly, under Node: what a browser's Python makes of every exercise
	$(BIN)/python -m tests.wasm tests/wasm_audit.py $(ASK)

assignments: course  ## write the assignments with their solutions into the nbgrader course
	$(BIN)/python -m autograder.build assignments

build: dev  ## build lessons and assignments from their text sources
	$(BIN)/python -m autograder.build lessons
	$(BIN)/python -m autograder.build assignments

check-build: dev  ## the guards: what is built is what a fresh build gives
	$(BIN)/python -m autograder.build check

site: docs  ## the lessons, the API and the guides as web pages, in docs/_build/html; make site lite: linked with the tab
	$(BIN)/python -m sphinx -q -E -a -W --keep-going $(if $(filter lite,$(MAKECMDGOALS)),-t lite) -d docs/_build/doctrees -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

lite:  ## the course in a browser tab, in docs/_build/html/lite; LITE_PYODIDE=DIR takes Pyodide from a folder
	@.ci/install lite
	$(BIN)/python -m autograder.build lite

lite-test: dev  ## the course in a browser tab with every lesson; the gate runs some of them
	LITE_LESSONS=all $(BIN)/python -m pytest -m slow tests/test_lite.py

course:  ## install what a student and an instructor need
	@.ci/install grading

docs:
	@.ci/install docs

dev:  ## install what the tests need besides
	@.ci/install dev

constraints: dev  ## pin the versions in constraints.txt again; UPGRADE=--upgrade takes the newest
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11.0 --extra dev --no-annotate $(UPGRADE) \
		--custom-compile-command "make constraints" --output-file constraints.txt pyproject.toml .ci/constraints.in

clean:  ## remove the environment, the demonstration and the site
	rm -rf "$(VENV)" demo docs/_build docs/lessons docs/api
