"""Names for idTags: what is said and heard of them on the wire."""

import json

import pytest

from engine.csms import Csms
from engine.id_tags import NO_NAMES, IdTagNames
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    Authorize,
    IdTagInfo,
    SendLocalList,
    StartTransaction,
    UpdateType,
)
from tests.engine.test_csms import MIDNIGHT, connect, now

__all__ = ["connect"]

NAMES = IdTagNames({"CARD": "04A1B2C3D4", "GROUP": "Team 1", "OTHER": "FRIEND"})


def heard(frame):
    return json.loads(NAMES.frame_heard(json.dumps(frame)))


def said(frame):
    return json.loads(NAMES.frame_said(json.dumps(frame)))


@pytest.mark.parametrize(
    ("id_tag", "name"),
    [
        ("04A1B2C3D4", "CARD"),
        ("04a1b2c3d4", "CARD"),
        ("FRIEND", "OTHER"),
        ("04A1B2C3D5", "04A1B2C3D5"),
        # What reads like a name is not the card of that name.
        ("CARD", "?CARD"),
        ("card", "?card"),
    ],
)
def test_an_id_tag_is_heard_by_its_name(id_tag, name):
    frame = [2, "CARD", "Authorize", {"idTag": id_tag}]
    assert heard(frame) == [2, "CARD", "Authorize", {"idTag": name}]


def test_names_that_changed_places_are_heard_so():
    names = IdTagNames({"CARD": "OTHER", "OTHER": "CARD"})
    assert (names.name("OTHER"), names.name("card")) == ("CARD", "OTHER")
    assert (names.id_tag("CARD"), names.id_tag("OTHER")) == ("OTHER", "CARD")


def test_id_tags_are_said_wherever_they_stand():
    entry = {"idTag": "CARD", "idTagInfo": {"status": "Accepted", "parentIdTag": "GROUP"}}
    frame = [
        2,
        "1",
        "SendLocalList",
        {"listVersion": 1, "localAuthorizationList": [entry, {"idTag": "FRIEND"}]},
    ]
    known = {"idTag": "04A1B2C3D4", "idTagInfo": {"status": "Accepted", "parentIdTag": "Team 1"}}
    assert said(frame)[3]["localAuthorizationList"] == [known, {"idTag": "FRIEND"}]


def test_nothing_else_is_changed():
    """Not the value of a key, nor what is no text."""
    frame = [2, "1", "ChangeConfiguration", {"key": "CARD", "value": "CARD", "idTag": 7, "parentIdTag": None}]
    assert said(frame) == frame


@pytest.mark.parametrize(
    "frame",
    [
        '[2, "1",  "Heartbeat", {}]',
        '[2, "1", "Authorize", {"idTag" : "04B2"}]',
        '[2, "1", "Authorize", {"idTag": "04A1B2C3D4"}',
        '{"x": ' * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_has_no_name_stays_as_it_came_to_the_byte(frame):
    assert NAMES.frame_heard(frame) is frame


def test_without_names_no_frame_is_read():
    frame = '[2,"1","Authorize",{"idTag":"CARD"}]'
    assert NO_NAMES.frame_heard(frame) is frame
    assert NO_NAMES.frame_said(frame) is frame


async def test_a_central_system_speaks_of_names_and_the_wire_of_id_tags(connect, nursery, autojump_clock):
    csms = Csms(now, names=NAMES, refused_tags=["OTHER"])
    station = await connect(csms)
    info = (await station.ask(Authorize(id_tag="friend"))).id_tag_info
    assert info.status is AuthorizationStatus.INVALID
    start = StartTransaction(connector_id=1, id_tag="04a1b2c3d4", meter_start=0, timestamp=MIDNIGHT)
    await station.ask(start)
    assert csms.ledger[1].started.id_tag == "CARD"

    accepted = IdTagInfo(status=AuthorizationStatus.ACCEPTED, parent_id_tag="GROUP")
    entries = (AuthorizationData(id_tag="CARD", id_tag_info=accepted),)
    await csms.call(
        SendLocalList(list_version=1, update_type=UpdateType.FULL, local_authorization_list=entries)
    )  # which this station does not take

    calls = [entry for entry in csms.transcript if entry.kind == 2]
    (listed,) = calls[2].wire["localAuthorizationList"]
    assert [entry.payload.get("idTag") for entry in calls[:2]] == ["OTHER", "CARD"]
    assert [entry.wire.get("idTag") for entry in calls[:2]] == ["friend", "04a1b2c3d4"]
    assert listed == {"idTag": "04A1B2C3D4", "idTagInfo": {"status": "Accepted", "parentIdTag": "Team 1"}}
    assert calls[2].payload["localAuthorizationList"][0]["idTag"] == "CARD"
