# The commands of README.md, for those who have make. PYTHON may be any interpreter with the `dev` group installed.
PYTHON ?= .venv/bin/python

.PHONY: setup check check-all bench fmt golden constraints clean

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --upgrade pip
	.venv/bin/pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

check:                  ## style, types, tests (tests/test_house.py runs ruff and mypy too: here they come first)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest

check-all:              ## the slow tests too, and 2000 generated models for each property of the agreement tests
	MODELCHECK_EXAMPLES=2000 $(PYTHON) -m pytest -m "slow or not slow"

bench:                  ## our counts and times beside SPIN's (needs spin and gcc for the second half of the table)
	$(PYTHON) benchmarks/bench.py

fmt:
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

golden:                 ## write what the tool prints now into tests/golden and the documents; read the diff
	$(PYTHON) -m pytest --update-golden tests/test_golden.py tests/test_documents.py

constraints:            ## the versions last tested: names and numbers only
	$(PYTHON) -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==[0-9][^ ]*$$' > constraints.txt

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
