# Every target does its own set-up, in .venv beside this file; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV ?= .venv
# The versions to install; the gate also runs with the oldest NumPy and SciPy
CONSTRAINTS ?= constraints.txt
BIN = $(VENV)/bin
# One thread for each process: the matrices are small, and two processes at a time use the cores better
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo lab test bench lint audit assignments build check-build lessons site course dev clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: course  ## build an assignment, take in a class, grade it, show the grades
	@$(BIN)/dlcourse demo demo

lab: course  ## open JupyterLab on the lessons
	@$(BIN)/dlcourse lab

test: dev  ## the test-suite, doctests included
	$(BIN)/python -m pytest -n 2 --dist loadscope

lessons: dev  ## run every lesson and compare its outputs
	$(BIN)/python -m pytest -o addopts= -p nbval --nbval notebooks -n 2 --dist loadscope

bench: dev  ## the speed table, side by side with PyTorch where it is installed
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.explorers
	$(BIN)/python -m benchmarks.grading

lint: dev  ## ruff on sources and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --exclude '*.ipynb' .

audit: dev  ## grade the grader: mistakes rejected and named, right variants accepted
	$(BIN)/dlcourse audit

assignments: course  ## write the assignments with their solutions into the nbgrader course
	$(BIN)/python -m autograder.build assignments

build: dev  ## build lessons and assignments from their text sources
	$(BIN)/python -m autograder.build lessons
	$(BIN)/python -m autograder.build assignments

check-build: dev  ## the guards: what is built is what a fresh build gives
	$(BIN)/python -m autograder.build check

site: $(VENV)/.docs  ## the lessons, the API and the guides as web pages, in docs/_build/html
	$(BIN)/python -m sphinx -q -E -a -W --keep-going -d docs/_build/doctrees -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

course: $(VENV)/.grading  ## install what a student and an instructor need

dev: $(VENV)/.dev  ## install what the tests need besides

clean:  ## remove the environment, the demonstration and the site
	rm -rf $(VENV) demo docs/_build docs/lessons docs/api

# The extra after the dot. uv installs in seconds; where it cannot be had pip does the same in minutes
$(VENV)/.%: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: expected Python 3.11 or newer, got `$(PYTHON) --version`; choose one with: make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "error: could not make $(VENV) (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Installing dlcourse[$*] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) uv && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python -c $(CONSTRAINTS) -e '.[$*]' || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[$*]'
	@touch $@
