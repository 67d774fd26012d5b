"""Verdicts on charge points of other makes: what OCPP leaves open is no deviation, and whatever is wrong is one."""

import pytest
import trio
from msgspec.structs import replace

from engine.conformance.bed import stamp
from engine.conformance.case import Deviation, NotApplicable
from engine.conformance.cases import CASES
from engine.conformance.cases.configuration import REQUIRED
from engine.conformance.declared import Declared, Key
from engine.conformance.stimuli import CutPower, PlugIn, Swipe
from engine.conformance.trial import attempt
from engine.conformance.well_formed import problem_of
from engine.csms_book import RECEIVED, SENT, Entry
from tests.conformance.laboratory import EPOCH
from tests.conformance.other_make import ACCEPTED, KEYS, OtherMake

BY_NAME = {case.name: case for case in CASES}


@pytest.fixture
async def other():
    async with trio.open_nursery() as nursery:
        other = OtherMake(nursery)
        await other.connect()
        yield other
        nursery.cancel_scope.cancel()


def play(other, name):
    return BY_NAME[name].run(other.bed())


def starts_remotely(other):
    """An answer to RemoteStartTransaction: it starts."""

    async def start(id_tag):
        await other.start(id_tag)
        await other.tell_status("Charging")

    def answer(payload):
        other.soon(start, payload["idTag"])
        return ACCEPTED

    return answer


def charges(other):
    """React to a vehicle and a card: charge; return where the number of the transaction will be."""
    transactions = []

    async def start():
        await other.tell("Authorize", idTag="CARD")
        transactions.append(await other.start())
        await other.tell_status("Charging")

    other.reactions |= {PlugIn: other.prepare, Swipe: start}
    return transactions


# Answers


async def test_no_composite_schedule_is_a_deviation(autojump_clock, other):
    other.answers["GetCompositeSchedule"] = "InternalError"
    other.reactions[PlugIn] = other.prepare
    other.answers["RemoteStartTransaction"] = starts_remotely(other)
    with pytest.raises(Deviation, match="GetCompositeSchedule"):
        await play(other, "059")


@pytest.mark.parametrize(
    ("name", "action"),
    [("040_1", "ChangeConfiguration"), ("031", "UnlockConnector")],
)
async def test_who_does_not_offer_the_action_has_not_given_its_status(autojump_clock, other, name, action):
    other.answers[action] = {"status": "NotSupported"}
    await play(other, name)
    other.answers[action] = "NotSupported"
    with pytest.raises(Deviation, match="NotSupported"):
        await play(other, name)


@pytest.mark.parametrize("answer", [{"status": "NotSupported"}, "NotSupported"])
async def test_a_list_may_be_refused_by_status_or_by_error(autojump_clock, other, answer):
    other.answers["SendLocalList"] = answer
    await play(other, "043_1")


def keys_that_are(value):
    """An answer to GetConfiguration: whatever is asked for is so."""

    def answer(payload):
        named = payload.get("key", ["Any"])
        return {"configurationKey": [{"key": key, "readonly": True, "value": value} for key in named]}

    return answer


@pytest.mark.parametrize(
    ("name", "key"), [("019", "GetConfigurationMaxKeys"), ("043_3", "SendLocalListMaxLength")]
)
@pytest.mark.parametrize("value", ["", "many"])
async def test_a_number_that_is_none_is_a_deviation(autojump_clock, other, name, key, value):
    other.answers["GetConfiguration"] = keys_that_are(value)
    with pytest.raises(Deviation, match=key):
        await play(other, name)


async def test_a_list_that_takes_more_than_anybody_sends_is_not_filled(autojump_clock, other):
    other.answers["GetConfiguration"] = keys_that_are("2147483647")
    with pytest.raises(NotApplicable, match="SendLocalListMaxLength is 2147483647"):
        await play(other, "043_3")


# Names of keys are the same whatever the case of their letters (1.3, CiString)


async def test_a_key_is_found_however_it_is_spelt(autojump_clock, other):
    keys = {**KEYS, "ConnectionTimeout": Key("75", is_readonly=False)}
    other.declared = Declared(keys=keys)
    bed = other.bed()
    await bed.configure(ConnectionTimeOut="15")
    assert bed.connection_time_out_s == 75
    assert any(entry.payload.get("value") == "15" for entry in other.csms.transcript)


async def test_required_keys_are_found_however_they_are_spelt(autojump_clock, other):
    shown = {name.upper(): min(access) for name, access in REQUIRED["Core"].items()}
    values = {"SUPPORTEDFEATUREPROFILES": "Core", "GETCONFIGURATIONMAXKEYS": "50"}

    def answer(payload):
        named = [key.upper() for key in payload.get("key", shown)]
        found = [{"key": key, "readonly": shown[key], "value": values.get(key, "1")} for key in named]
        return {"configurationKey": found}

    other.answers["GetConfiguration"] = answer
    await play(other, "019")


# What is on its way


async def test_ids_of_calls_may_begin_anew_with_every_connection(autojump_clock, other):
    """As of OCPP-J 1.6 before its erratum: unique within a connection."""
    transactions = charges(other)
    bed = other.bed()
    for _ in range(3):
        await other.tell("Heartbeat")
    bed.sequence.pass_over()
    other.disconnect()
    await trio.sleep(1)
    await other.connect()
    assert await bed.charge() == transactions[0]


# Times


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:30Z",
        "2026-01-01T00:00:30z",
        "2026-01-01t00:00:30.5Z",
        "2026-01-01T00:00:30.123456789Z",
        "2026-01-01T02:00:30+02:00",
        "2026-01-01T02:00:30+0200",
        "2025-12-31T19:00:30-05:00",
    ],
)
def test_a_moment_may_be_written_as_iso_8601_has_it(text):
    payload = {"transactionId": 1, "meterStop": 0, "timestamp": text}
    entry = Entry(EPOCH, RECEIVED, "OTHER-1", 2, "1", "StopTransaction", payload)
    assert problem_of(entry) is None
    assert abs(stamp(entry) - EPOCH).total_seconds() == pytest.approx(30, abs=1)


# Power


def interrupted(other, *after, reason="PowerLoss"):
    """React to a power cut: boot, and tell what is in ``after``: statuses, or StopTransaction."""
    transactions = charges(other)

    async def come_back():
        await trio.sleep(10)
        await other.boot("Available", "Preparing")
        for each in after:
            if each == "StopTransaction":
                await other.stop(transactions[0], reason=reason)
            else:
                await other.tell_status(each)

    other.reactions[CutPower] = come_back


@pytest.mark.parametrize(
    "after", [["StopTransaction", "Finishing"], ["Finishing", "StopTransaction"], ["StopTransaction"]]
)
async def test_after_a_power_failure_the_order_of_stop_and_finishing_is_free(autojump_clock, other, after):
    interrupted(other, *after)
    await attempt(BY_NAME["032_2"], other.bed())


async def test_an_interrupted_transaction_that_is_never_ended_is_a_deviation(autojump_clock, other):
    interrupted(other, "Finishing")
    with pytest.raises(Deviation, match="StopTransaction"):
        await attempt(BY_NAME["032_2"], other.bed())


def reset(other, *after):
    """React to Reset: boot, and tell what is in ``after``."""
    interrupted(other, *after, reason="HardReset")

    def answer(_payload):
        other.soon(other.reactions[CutPower])
        return ACCEPTED

    other.answers["Reset"] = answer


@pytest.mark.parametrize("after", [["StopTransaction", "Finishing"], ["Finishing", "StopTransaction"]])
async def test_after_a_hard_reset_the_order_of_stop_and_finishing_is_free(autojump_clock, other, after):
    reset(other, *after)
    await attempt(BY_NAME["015"], other.bed())


# Firmware


UPDATES = {
    "installed-before-the-boot": ["Installed", "boot Available Available"],
    "installed-after-the-boot": ["boot Available Available", "Installed"],
    "in-service-when-it-is-installed": ["boot Available Unavailable", "Installed", "1 Available"],
    "out-of-service-altogether": ["0 Unavailable", "boot Unavailable Unavailable", "Installed", "both"],
}
"""What comes of an update from Installing on: firmware statuses, statuses of a connector, and boots with statuses."""


async def update_as(other, steps):
    """Tell of an update."""
    other.declared = replace(other.declared, files="http://files.example")

    async def update():
        for value in ("Downloading", "Downloaded", "Installing"):
            await other.tell("FirmwareStatusNotification", status=value)
        for step in steps:
            match step.split():
                case "boot", *statuses:
                    await other.boot(*statuses)
                case ("both",):
                    await other.tell_status("Available", 1)
                    await other.tell_status("Available", 0)
                case number, value:
                    await other.tell_status(value, int(number))
                case (value,):
                    await other.tell("FirmwareStatusNotification", status=value)

    def answer(_payload):
        other.soon(update)
        return {}

    other.answers["UpdateFirmware"] = answer
    bed = other.bed()
    await BY_NAME["044_1"].run(bed)
    await bed.quiet(3)


@pytest.mark.parametrize("steps", UPDATES.values(), ids=UPDATES)
async def test_connectors_may_be_out_of_service_until_an_update_is_installed(autojump_clock, other, steps):
    await update_as(other, steps)


async def test_they_must_be_in_service_again(autojump_clock, other):
    with pytest.raises(Deviation, match="Available"):
        await update_as(other, ["boot Available Unavailable", "Installed"])


async def test_an_update_must_be_installed(autojump_clock, other):
    with pytest.raises(Deviation, match="Installed"):
        await update_as(other, ["boot Available Available"])


# Passwords


async def reconnects(other, password):
    """Let the next change of a key be followed by a connection with that password."""

    async def anew():
        other.disconnect()
        await trio.sleep(1)
        other.password = password
        await other.connect()

    def answer(_payload):
        other.soon(anew)
        return ACCEPTED

    other.password = b"password"
    other.disconnect()
    await trio.sleep(1)
    await other.connect()
    other.answers["ChangeConfiguration"] = answer


@pytest.mark.parametrize("password", [None, b"password"])
async def test_a_new_password_must_be_presented(autojump_clock, other, password):
    """Neither none nor the old one."""
    await reconnects(other, password)
    with pytest.raises(Deviation, match="password"):
        await play(other, "073")
    changes = [e for e in other.csms.transcript if e.action == "ChangeConfiguration" and e.direction == SENT]
    assert len(changes) == 1
