"""The local authorization list and the cache as the Central System sees them: TC_042, TC_043, TC_061; facts 5.3, 8."""

import pytest
import trio

from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    AuthorizeConf,
    ChangeConfiguration,
    ClearCache,
    GetLocalListVersion,
    IdTagInfo,
    SendLocalList,
    StopTransactionConf,
    UpdateType,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab

FULL, DIFFERENTIAL = UpdateType.FULL, UpdateType.DIFFERENTIAL
ACCEPTED, BLOCKED = AuthorizationStatus.ACCEPTED, AuthorizationStatus.BLOCKED


@pytest.fixture
async def lab(tmp_path):
    """All of OCPP 1.6, not yet powered."""
    return Lab(tmp_path, "full")


def said(tag, status=ACCEPTED):
    return AuthorizationData(id_tag=tag, id_tag_info=IdTagInfo(status=status) if status else None)


async def send(lab, version, update_type, *entries):
    conf = await lab.csms.call(
        SendLocalList(list_version=version, update_type=update_type, local_authorization_list=entries or None)
    )
    return conf.status


async def version_of(lab):
    return (await lab.csms.call(GetLocalListVersion())).list_version


async def change(lab, key, value):
    conf = await lab.csms.call(ChangeConfiguration(key=key, value=value))
    assert conf.status == "Accepted"


def cached(lab):
    """What the cache knows: tags and statuses, from the oldest to the latest."""
    book = lab.running.charge_point.machines["authorization_cache"].data.book
    return [(entry.id_tag, entry.status) for entry in book.entries]


# The list


async def test_the_version_of_a_list_that_is_off_is_minus_1(lab, autojump_clock):
    """TC_042_1."""
    async with lab.powered():
        await change(lab, "LocalAuthListEnabled", "false")
        assert await version_of(lab) == -1


async def test_a_station_without_a_list_does_not_support_it(tmp_path, autojump_clock):
    """TC_042_1 and TC_043_1 of the AC SMART, which does not declare the messages."""
    lab = Lab(tmp_path)
    async with lab.powered():
        for request in (GetLocalListVersion(), SendLocalList(list_version=1, update_type=FULL)):
            answer = await lab.csms.call(request)
            assert isinstance(answer, CallError)
            assert answer.code is ErrorCode.NOT_SUPPORTED


async def test_the_version_of_an_empty_list_is_0(lab, autojump_clock):
    """TC_042_2."""
    async with lab.powered():
        assert await send(lab, 1, FULL) == "Accepted"
        assert await version_of(lab) == 0


async def test_a_full_and_a_differential_update_are_accepted(lab, autojump_clock):
    """TC_043."""
    async with lab.powered():
        assert await send(lab, 1, FULL, said("A"), said("B")) == "Accepted"
        assert await send(lab, 2, DIFFERENTIAL, said("C"), said("A", None)) == "Accepted"
        assert await version_of(lab) == 2


async def test_an_update_of_a_list_that_is_off_is_not_supported(lab, autojump_clock):
    """TC_043_1."""
    async with lab.powered():
        await change(lab, "LocalAuthListEnabled", "false")
        assert await send(lab, 1, FULL, said("A")) == "NotSupported"


async def test_an_update_that_is_older_than_the_list_is_a_version_mismatch(lab, autojump_clock):
    """TC_043_2."""
    async with lab.powered():
        assert await send(lab, 2, FULL, said("A")) == "Accepted"
        assert await version_of(lab) == 2
        assert await send(lab, 5, DIFFERENTIAL, said("B")) == "Accepted"
        assert await version_of(lab) == 5
        assert await send(lab, 4, DIFFERENTIAL, said("C")) == "VersionMismatch"
        assert await version_of(lab) == 5


async def test_an_update_that_cannot_be_applied_fails(lab, autojump_clock):
    """TC_043_3: one entry more than SendLocalListMaxLength; the list stays as it was."""
    lab.declare(send_local_list_max_length=2)
    async with lab.powered():
        assert await send(lab, 2, FULL, said("A")) == "Accepted"
        assert await send(lab, 3, FULL, said("B"), said("C"), said("D")) == "Failed"
        assert await version_of(lab) == 2


async def test_the_list_survives_a_power_cut(lab, autojump_clock):
    """3.5.2: at any time after the answer."""
    async with lab.powered():
        assert await send(lab, 7, FULL, said("A", BLOCKED)) == "Accepted"
    async with lab.powered():
        assert await version_of(lab) == 7
        book = lab.running.charge_point.machines["local_list"].data.book
        assert [(entry.id_tag, entry.status) for entry in book.entries] == [("A", BLOCKED)]


async def test_a_list_that_was_switched_off_and_on_is_still_there(lab, autojump_clock):
    async with lab.powered():
        await send(lab, 7, FULL, said("A"))
        await change(lab, "LocalAuthListEnabled", "false")
        await change(lab, "LocalAuthListEnabled", "true")
        assert await version_of(lab) == 7


async def test_an_answer_that_contradicts_the_list_is_reported(lab, autojump_clock):
    """3.5.2: StatusNotification for connector 0 with errorCode LocalListConflict, once for each answer."""
    async with lab.powered():
        await send(lab, 1, FULL, said("CARD", BLOCKED))
        lab.swipe("card")
        report = await lab.until("StatusNotification", connectorId=0, errorCode="LocalListConflict")
        await trio.sleep(10)

    assert report["status"] == "Available"
    assert len([one for one in lab.calls("StatusNotification") if one["errorCode"] != "NoError"]) == 1


# The cache


async def test_what_every_answer_says_is_cached(lab, autojump_clock):
    """5.3: of Authorize, StartTransaction and StopTransaction; the latest counts."""
    lab.csms.override("StopTransaction", lambda _: StopTransactionConf(id_tag_info=IdTagInfo(status=BLOCKED)))
    async with lab.powered():
        lab.swipe()
        await lab.until("Authorize")
        await trio.sleep(1)
        assert cached(lab) == [("CARD", ACCEPTED)]
        lab.connector().plug_in()
        await lab.until_status("Charging")
        await trio.sleep(60)
        lab.swipe()
        await lab.until("StopTransaction")
        await trio.sleep(1)
        assert cached(lab) == [("CARD", BLOCKED)]


async def test_what_the_list_has_is_not_cached(lab, autojump_clock):
    async with lab.powered():
        await send(lab, 1, FULL, said("CARD", BLOCKED))
        lab.swipe()
        await lab.until("Authorize")
        await trio.sleep(1)
        assert cached(lab) == []


async def test_the_cache_survives_a_power_cut(lab, autojump_clock):
    lab.csms.override("Authorize", lambda _: AuthorizeConf(id_tag_info=IdTagInfo(status=BLOCKED)))
    async with lab.powered():
        lab.swipe()
        await lab.until("Authorize")
        await trio.sleep(1)
    async with lab.powered():
        assert cached(lab) == [("CARD", BLOCKED)]


async def test_clear_cache_forgets_what_was_learnt_for_good(lab, autojump_clock):
    """5.4, TC_061."""
    async with lab.powered():
        lab.swipe()
        await lab.until("Authorize")
        await trio.sleep(1)
        assert cached(lab)
        assert (await lab.csms.call(ClearCache())).status == "Accepted"
        assert not cached(lab)
    async with lab.powered():
        assert not cached(lab)


async def test_a_cache_that_is_off_is_not_cleared(lab, autojump_clock):
    async with lab.powered():
        await change(lab, "AuthorizationCacheEnabled", "false")
        assert (await lab.csms.call(ClearCache())).status == "Rejected"


async def test_a_cache_has_room_for_as_many_as_declared(lab, autojump_clock):
    """``cache_size_max``: the oldest goes."""
    lab.limit(cache_size_max=2)
    async with lab.powered():
        for card in ("ONE", "TWO", "THREE"):
            lab.swipe(card)
            await lab.until("Authorize", idTag=card)
            await trio.sleep(1)
            lab.swipe(card)
            await lab.until_status("Available")
        assert [tag for tag, _ in cached(lab)] == ["TWO", "THREE"]
