"""Every test case one after the other on one station, as on one that cannot be made anew."""

from engine.conformance.case import Deviation, NotApplicable
from engine.conformance.cases import CASES
from engine.conformance.rest import bring_to_rest
from engine.conformance.trial import attempt
from tests.conformance.laboratory import laboratory

AS_DECLARED = '[csms]\nauthorization_key_file = "password"\n'


async def test_every_case_has_the_same_verdict_on_one_station(tmp_path, autojump_clock):
    """But for those that are about another station."""
    found = {}
    async with laboratory(tmp_path, AS_DECLARED) as lab:
        for case in CASES:
            bed = lab.bed()
            try:
                await attempt(case, bed)
            except (Deviation, NotApplicable) as error:
                found[case.name] = f"{type(error).__name__}: {error}"
            await bring_to_rest(bed)

    expected = {case.name for case in CASES if case.declares and case.declares != AS_DECLARED}
    assert {name: text for name, text in found.items() if name not in expected} == {}
    assert found.keys() == expected
    assert all(text.startswith("NotApplicable") for text in found.values())
