"""The implementation against the oracle, second by second, over generated cases and those that once failed.

``STATECHARGE_ORACLE=100000`` sets how many cases are played, ``STATECHARGE_ORACLE_SEED`` where they begin. A failure
prints its seed and the shrunk case, which belongs into ``corpus/``.
"""

import os
from pathlib import Path
from random import Random

import msgspec
import pytest

from tests.smart_charging.generated import case_of
from tests.smart_charging.judge import complaint
from tests.smart_charging.oracle import Case
from tests.smart_charging.shrinking import shrunk

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
CASES = int(os.environ.get("STATECHARGE_ORACLE", "1500"))
SEED = int(os.environ.get("STATECHARGE_ORACLE_SEED", "1"))
BATCHES = max(10, CASES // 1000)
"""A batch is a test, which the timeout of tests must leave alone on a busy machine."""


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_implementation_agrees_with_the_oracle_at_every_second(batch):
    count = CASES // BATCHES
    first = SEED + batch * count
    for seed in range(first, first + count):
        case = case_of(Random(seed))
        if complaint(case):
            small = shrunk(case, lambda candidate: bool(complaint(candidate)))
            text = msgspec.json.format(msgspec.json.encode(small), indent=1).decode()
            pytest.fail(f"seed {seed}: {complaint(small)}\n{text}")


@pytest.mark.parametrize("file", CORPUS, ids=[file.stem for file in CORPUS])
def test_what_once_failed_fails_no_more(file):
    assert not complaint(msgspec.json.decode(file.read_bytes(), type=Case))
