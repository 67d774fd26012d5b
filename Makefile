# Two commands do everything: `make demo` and `make test`. Each sets up .venv first, and may be repeated.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test bench bench-quick soak conformance dossier tours mutate lint docs site clean

demo: .venv/ready
	$(BIN)/statecharge demo

# A process for each core; a file of tests stays together. What each test takes of the machines is recorded, for the
# dossier.
TESTS = out/tests.json
test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist loadfile --durations 15 -p engine.dossier.recorder --transitions $(TESTS)

# What the suite plays in part, played in full: 10,000 sessions, a power cut at every write of a day, 1000 readings by
# Modbus on a line that is slow and faulty, and explorations to their end. SEED=2 plays other sessions. About half an hour.
SEED ?= 1
soak: .venv/ready
	STATECHARGE_SOAK=10000 STATECHARGE_SEED=$(SEED) STATECHARGE_EVERY_WRITE=1 \
		$(BIN)/python -m pytest -rP tests/scenarios/test_soak.py tests/scenarios/test_power_cut_day.py
	STATECHARGE_MODBUS_SOAK_VALUES=1000 $(BIN)/python -m pytest -rP tests/drivers/test_modbus_lines.py -k no_wrong_value
	$(BIN)/statecharge explore full --states 60000 --jobs $$(nproc)

# Every test case of the certification programme against our own station in another process: out/conformance/report.html
conformance: .venv/ready
	STATECHARGE_CONFORMANCE=full $(BIN)/python -m pytest -rP -o faulthandler_timeout=0 tests/system/test_conformance_command.py -k our_own_station_passes

# Test scripts that cover states, transitions and pairs of them: played in virtual time, then against our own stations in
# other processes over a real network, STATECHARGE_JOBS at once (10) at STATECHARGE_SPEED (6). Half an hour or so.
tours: .venv/ready
	$(BIN)/statecharge tours full --out out/tours --run
	STATECHARGE_CONFORMANCE=full $(BIN)/python -m pytest -rP -o faulthandler_timeout=0 tests/system/test_conformance_command.py -k tours

# The papers of the AC SMART and of the station that has everything, with the last run of `make test` if it was of this
# code: out/dossier/ac-smart/index.html, dossier.pdf beside it. A few minutes.
dossier: .venv/ready
	for station in ac-smart full; do \
		$(BIN)/statecharge dossier $$station --out out/dossier/$$station $$(test -f $(TESTS) && echo --tests $(TESTS)) && \
		$(BIN)/statecharge dossier --verify out/dossier/$$station || exit 1; \
	done

# Small faults in every machine, and which suite catches them; hours for all of them.
mutate: .venv/ready
	nice $(BIN)/statecharge mutate

# Eight figures beside the alternative, into benchmarks/RESULTS.md; some ten minutes on a machine that does nothing else.
bench: .venv/ready
	$(BIN)/python -m benchmarks --out benchmarks/RESULTS.md

# The same with less of everything, under a minute, on the terminal: whether it still runs, and its order of magnitude.
bench-quick: .venv/ready
	$(BIN)/python -m benchmarks --quick

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs/_ext/statecharge_docs
	$(BIN)/python -m engine.diagrams.pages --check
	$(BIN)/python -m tests.conformance.report --check

# The generated pages: docs/machines/*.md, docs/conformance.md
docs: .venv/ready
	$(BIN)/python -m engine.diagrams.pages
	$(BIN)/python -m tests.conformance.report

# The site, for people: out/site/index.html. Every warning is an error. (`make docs` writes pages that are checked in.)
site: .venv/ready
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet --builder html docs out/site
	PYTHONPATH=docs/_ext $(BIN)/python -m statecharge_docs.links out/site

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv out state .pytest_cache .mypy_cache .ruff_cache .hypothesis
