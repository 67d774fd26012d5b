"""A Central System that sends what it should not, while a vehicle charges. OCPP-J 1.6, 4.1 and 4.2.

Whatever it is, the vehicle goes on charging and its samples go on arriving.
"""

import pytest

from tests.peers.drivers import station

ANSWERED = {
    "an unknown action": ('[2,"1","MakeCoffee",{}]', "1", "NotImplemented"),
    "an action in the wrong case": ('[2,"2","reset",{}]', "2", "NotImplemented"),
    "an action that only a station sends": ('[2,"3","Heartbeat",{}]', "3", "NotSupported"),
    "an element too few": ('[2,"4","Reset"]', "4", "FormationViolation"),
    "an element too many": ('[2,"5","Reset",{"type":"Soft"},{}]', "5", "FormationViolation"),
    "an action that is no string": ('[2,"6",7,{}]', "6", "FormationViolation"),
    "a payload that is no object": ('[2,"7","Reset",["Soft"]]', "7", "FormationViolation"),
    "a member of the wrong type": ('[2,"8","Reset",{"type":1}]', "8", "TypeConstraintViolation"),
    "a value that is not in the enumeration": (
        '[2,"9","Reset",{"type":"Gentle"}]',
        "9",
        "PropertyConstraintViolation",
    ),
    "a member too few": ('[2,"10","Reset",{}]', "10", "OccurenceConstraintViolation"),
    "a member too many": (
        '[2,"11","Reset",{"type":"Soft","delay":1}]',
        "11",
        "FormationViolation",
    ),
    "an id of 37 characters": (f'[2,"{"x" * 37}","Reset",{{"type":"Soft"}}]', "x" * 37, "FormationViolation"),
}

IGNORED = {
    "nothing": "",
    "no JSON": "Reset!",
    "half of a frame": '[2,"1","Reset",{"ty',
    "no array": '{"2":"Reset"}',
    "an empty array": "[]",
    "an id that is no string": '[2,1,"Reset",{"type":"Soft"}]',
    "a message type that does not exist": '[9,"1","Reset",{"type":"Soft"}]',
    "an answer to no CALL": '[3,"1",{"status":"Accepted"}]',
    "an error to no CALL": '[4,"1","GenericError","",{}]',
    "many brackets": "[" * 100_000,
}


@pytest.fixture
async def charging(csms, tmp_path, quick):
    """A station that charges a vehicle."""
    async with station(csms.url, tmp_path / "state", quick) as box:
        await csms.until_available()
        await box.begin_charging(csms)
        yield box


async def still_charges(csms, box):
    """Energy flows, and the transaction is the one it was."""
    state = await box.state()
    assert state["machines"]["connector/1"]["state"] == "Charging"
    assert state["hardware"]["1"]["contactor"] is True
    assert state["machines"]["transaction/1"]["data"]["transaction_id"] == 1
    assert len(csms.calls("BootNotification")) == len(csms.calls("StartTransaction")) == 1


async def sends_the_next_sample(csms):
    csms.forget()
    await csms.until_call("MeterValues", transactionId=1)


async def test_a_bad_call_is_answered_with_the_error_that_fits(csms, charging):
    for what, (text, call_id, code) in ANSWERED.items():
        await csms.send_text(text)
        assert (await csms.until("error", id=call_id))["code"] == code, what
        await still_charges(csms, charging)
    await sends_the_next_sample(csms)


async def test_what_cannot_be_answered_is_ignored(csms, charging):
    for text in IGNORED.values():
        await csms.send_text(text)
        await still_charges(csms, charging)
    # Frames are taken in order, so with the answer to this one the others were dealt with.
    await csms.call("GetConfiguration", key=["HeartbeatInterval"])
    assert not [event for event in csms.events if event["event"] in {"error", "disconnected"}]
    await still_charges(csms, charging)
    await sends_the_next_sample(csms)


async def test_a_binary_frame_is_ignored(csms, charging):
    await csms.send_bytes(b'[2,"1","Reset",{"type":"Soft"}]')
    await csms.call("GetConfiguration", key=["HeartbeatInterval"])
    await still_charges(csms, charging)
    await sends_the_next_sample(csms)

    assert not [event for event in csms.events if event["event"] in {"error", "disconnected"}]


async def test_a_huge_frame_closes_the_connection_and_it_is_opened_again(csms, charging):
    csms.forget()
    await csms.send_spaces(10_000_000)
    assert (await csms.until("disconnected"))["code"] == 1009
    await csms.until("connected")
    await still_charges(csms, charging)
    await sends_the_next_sample(csms)


async def test_calls_that_nobody_waits_for_are_all_answered(csms, charging):
    """OCPP-J 4.1.1 has one CALL in flight; who sends many at once still gets an answer to each."""
    for number in range(40):
        await csms.send_text(f'[2,"flood {number}","RemoteStopTransaction",{{"transactionId":99}}]')
    for number in range(40):
        await csms.until("answer", id=f"flood {number}")
    await still_charges(csms, charging)
    await sends_the_next_sample(csms)
