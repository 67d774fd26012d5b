# Two commands do everything: `make demo` and `make test`. Each sets up .venv first, and may be repeated.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test soak lint docs clean

demo: .venv/ready
	$(BIN)/statecharge demo

test: .venv/ready
	$(BIN)/python -m pytest

# 10,000 sessions in virtual time; the suite plays 1,000 of them.
soak: .venv/ready
	STATECHARGE_SOAK=10000 $(BIN)/python -m pytest tests/scenarios/test_soak.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m engine.diagrams.pages --check
	$(BIN)/python -m tests.conformance.report --check

# The generated pages: docs/machines/*.md, docs/conformance.md
docs: .venv/ready
	$(BIN)/python -m engine.diagrams.pages
	$(BIN)/python -m tests.conformance.report

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv out state .pytest_cache .mypy_cache .ruff_cache .hypothesis
