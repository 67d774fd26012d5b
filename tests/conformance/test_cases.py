"""Every test case on a station of its own, declared as the case needs it, in virtual time."""

import pytest
import trio

from engine.conformance.cases import CASES
from engine.conformance.trial import attempt
from tests.conformance.laboratory import laboratory


@pytest.mark.parametrize("case", CASES, ids=[f"TC_{case.name}" for case in CASES])
async def test_our_station_passes(case, tmp_path, autojump_clock):
    """A case that is not applicable is a failure here, for the station is declared for it."""
    async with laboratory(tmp_path, case.declares) as lab:
        began = trio.current_time()
        await attempt(case, lab.bed())
        assert trio.current_time() - began <= case.lasts_s
