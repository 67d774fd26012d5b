"""The recorded runs: what was taken stands where it belongs, and the same code gives the same record."""

import re

import msgspec
import pytest
from msgspec.structs import replace

from engine.conformance.case import Case
from engine.conformance.cases import CASES
from engine.conformance.results import Verdict
from engine.conformance.sequence import status
from engine.conformance.trace import Kind
from engine.declaration.station import Device
from engine.diagrams.sequence import Arrow, Remark
from engine.diagrams.sequence_svg import Moment, pieces
from engine.dossier.evidence import play_all, play_one, profiles_of, simulated
from engine.dossier.evidence_pages import PARTICIPANTS, moments
from engine.dossier.transitions import all_transitions
from engine.station_file import load


def case(name):
    (found,) = (each for each in CASES if each.name == name)
    return found


def test_the_same_code_gives_the_same_record():
    """Every case, whichever processes play it: what may happen in either order always happens in the same one."""
    one, other = play_all("full", CASES, 1), play_all("full", CASES, 2)
    assert [run.result.name for run in one] == [run.result.name for run in other]
    differing = [
        run.result.name
        for run, again in zip(one, other, strict=True)
        if msgspec.json.encode(run) != msgspec.json.encode(again)
    ]
    assert not differing


def test_what_the_machines_did_stands_between_the_messages_that_led_to_it():
    run = play_one("full", case("003"))
    names = [line.name for line in run.result.trace if line.kind is Kind.CALL or line.kind is Kind.STIMULUS]
    assert names.index("plug-in") < names.index("StartTransaction")
    entered = {each.target: each for each in run.taken if each.address == "connector/1"}
    charging = entered["Charging"]
    line = run.result.trace[charging.place]
    assert (line.name, line.detail["status"]) == ("StatusNotification", "Charging")
    (transition,) = (each for each in all_transitions() if each.id == charging.id)
    assert transition.labels == ("B3",)
    assert run.result.verdict is Verdict.PASSED


def test_what_the_rig_does_stands_after_the_messages_that_it_waited_for():
    """In virtual time much happens at the same time; the papers showed the rig first, and then all messages."""
    run = play_one("full", case("003"))
    shown = [
        line.detail.get("status") or line.name for line in run.result.trace if line.kind is not Kind.RESULT
    ]
    order = [
        "ChangeConfiguration",
        "plug-in",
        "Preparing",
        "swipe",
        "Authorize",
        "StartTransaction",
        "Charging",
    ]
    assert [each for number, each in enumerate(shown) if each not in shown[:number]] == order
    asking = next(each for each in run.taken if (each.address, each.target) == ("authorization/1", "asking"))
    assert run.result.trace[asking.place].name == "Authorize"


def test_what_a_case_declares_is_recorded():
    run = play_one("ac-smart", case("032_2-resumed"))
    assert run.declares == case("032_2-resumed").declares
    assert run.result.verdict is Verdict.PASSED


def test_a_case_fails_where_the_station_does_other_than_it_must():
    async def run(bed):
        """Wait for something that will not come."""
        await bed.plug_in()
        await bed.expect(status("Charging"))

    found = play_one("full", Case(id="999", title="", profile="Core", run=run))
    assert found.result.verdict is Verdict.FAILED
    assert found.result.trace[found.result.deviates_at].detail["status"] == "Preparing"
    assert sum(moment.is_bad for moment in moments(found)) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("044_1", r"^the station sends no FirmwareStatusNotification \("),
        ("062", r"^the station takes no DataTransfer \("),
        ("008_1", "^the station does not announce the profile LocalAuthListManagement$"),
        ("049", "^the station cannot be declared as the case needs it: keys.ConnectorPhaseRotation"),
        ("073", r"^the station has no key AuthorizationKey \("),
    ],
)
def test_what_the_declaration_does_not_offer_does_not_apply(name, why):
    result = play_one("ac-smart", case(name)).result
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert re.search(why, result.reason)


def test_what_is_offered_and_wrong_stays_a_failure():
    """The AC SMART offers GetConfiguration, without a key that the standard requires."""
    result = play_one("ac-smart", case("019")).result
    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith("GetConfiguration of SupportedFeatureProfiles")


def test_profiles_follow_from_the_messages_where_no_key_tells_them():
    station = load("ac-smart")
    assert station.keys.find("SupportedFeatureProfiles") is None
    assert set(profiles_of(station)) == {"Core", "FirmwareManagement", "Reservation", "SmartCharging"}


def test_real_hardware_is_simulated():
    station = load("full")
    real = Device(driver="modbus", parameters={"device": "/dev/ttyS9"})
    found = simulated(replace(station, drivers=(real, *station.drivers[1:])))
    assert [each.driver for each in found.drivers] == ["simulated"] * len(station.drivers)
    assert found.drivers[1:] == station.drivers[1:]


def test_a_long_sequence_is_in_pieces_with_the_participants_on_top():
    sent = [Moment(f"{n}", Arrow("Station", "CSMS", "StatusNotification " + "x" * n)) for n in range(100)]
    found = list(pieces(PARTICIPANTS, sent, 300))
    assert len(found) > 3
    for piece in found:
        assert float(piece.split('height="')[1].split("pt")[0]) <= 306
        assert all(f">{name}</text>" in piece for name in PARTICIPANTS)
    assert sum(piece.count("<polygon") for piece in found) == 100


def test_a_text_that_is_higher_than_a_piece_goes_on_in_the_next():
    text = " ".join(f"word{number}" for number in range(2000))
    found = list(pieces(PARTICIPANTS, [Moment("", Remark("Station", text))], 200))
    assert len(found) > 2
    assert all(f"word{number}" in "".join(found) for number in range(2000))
