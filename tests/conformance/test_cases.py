"""Every test case on a station of its own, declared as the case needs it, in virtual time."""

import pytest
import trio

from engine.conformance.cards import shown_by
from engine.conformance.cases import CASES
from engine.conformance.trial import attempt
from tests.conformance.laboratory import laboratory
from tests.conformance.shown import Watched


@pytest.mark.parametrize("case", CASES, ids=[f"TC_{case.name}" for case in CASES])
async def test_our_station_passes(case, tmp_path, autojump_clock):
    """A case that is not applicable is a failure here, for the station is declared for it."""
    async with laboratory(tmp_path, case.declares) as lab:
        began = trio.current_time()
        rig = Watched(lab.rig)
        await attempt(case, lab.bed(rig))
        assert trio.current_time() - began <= case.lasts_s
        assert rig.shown <= set(shown_by(case, lab.declared.connectors))
