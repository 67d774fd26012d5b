"""Every test case one after the other on one station, as on one that cannot be made anew.

Its cards have other idTags than the cases call them, and its reader writes them in lower case.
"""

from collections import defaultdict

from engine.conformance.cards import shown_by
from engine.conformance.case import Deviation, NotApplicable
from engine.conformance.cases import CASES
from engine.conformance.rest import bring_to_rest
from engine.conformance.trial import attempt
from tests.conformance.laboratory import laboratory
from tests.conformance.shown import CARDS, Watched, id_tags_in

LISTED = {"A", "B", "C", *(f"TAG-{number}" for number in range(200))}
"""Nobody's: a local list is filled with them."""
AS_DECLARED = '[csms]\nauthorization_key_file = "password"\n'


async def test_every_case_has_the_same_verdict_on_one_station(tmp_path, autojump_clock):
    """But for those that are about another station."""
    found, shown, declared = {}, defaultdict(set), defaultdict(set)
    async with laboratory(tmp_path, AS_DECLARED, CARDS) as lab:
        for case in CASES:
            rig = Watched(lab.rig, str.lower)
            bed = lab.bed(rig)
            try:
                await attempt(case, bed)
            except (Deviation, NotApplicable) as error:
                found[case.name] = f"{type(error).__name__}: {error}"
            else:
                shown[case.id] |= rig.shown
                declared[case.id] |= {CARDS[name] for name in shown_by(case, bed.connectors)}
            await bring_to_rest(bed)

    expected = {case.name for case in CASES if case.declares and case.declares != AS_DECLARED}
    assert {name: text for name, text in found.items() if name not in expected} == {}
    assert found.keys() == expected
    assert all(text.startswith("NotApplicable") for text in found.values())
    # Of an id with variants, one of them shows what it says.
    assert shown == declared
    # On the wire is what the cards have; nobody there knows how a case calls them.
    on_the_wire = id_tags_in(entry.wire for entry in lab.csms.transcript) - LISTED
    assert {id_tag.casefold() for id_tag in on_the_wire} == {id_tag.casefold() for id_tag in CARDS.values()}
    assert id_tags_in(entry.payload for entry in lab.csms.transcript) - LISTED == set(CARDS)
