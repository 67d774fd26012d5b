"""Who may start and stop: facts 5.1, 5.2, 5.4, 5.5, in virtual time on the declaration with every key."""

from datetime import timedelta

import pytest
import trio
from msgspec.structs import force_setattr, replace

from machines.delivery import thinning
from machines.vocabulary.hardware import CableChanged, HardwareReported
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    ChangeConfiguration,
    IdTagInfo,
    RemoteStartTransaction,
    SendLocalList,
    StartTransactionConf,
    UnlockConnector,
    UpdateType,
)
from tests.lab import EPOCH, Lab

ACCEPTED, INVALID, BLOCKED = (
    AuthorizationStatus.ACCEPTED,
    AuthorizationStatus.INVALID,
    AuthorizationStatus.BLOCKED,
)


@pytest.fixture
async def lab(tmp_path):
    """The declaration with every message and every key."""
    return Lab(tmp_path, "full")


async def know(lab, **tags):
    """Send the local list: idTag=(status, parentIdTag, hours until it expires)."""
    entries = tuple(
        AuthorizationData(
            id_tag=tag,
            id_tag_info=IdTagInfo(
                status=status,
                parent_id_tag=parent,
                expiry_date=None if hours is None else EPOCH + timedelta(hours=hours),
            ),
        )
        for tag, (status, parent, hours) in tags.items()
    )
    conf = await lab.csms.call(
        SendLocalList(list_version=1, update_type=UpdateType.FULL, local_authorization_list=entries)
    )
    assert conf.status == "Accepted"


async def present(lab, tag="CARD"):
    """Plug in, show a card and see what comes of it."""
    lab.connector().plug_in()
    await trio.sleep(1)
    lab.swipe(tag)
    await trio.sleep(10)
    return lab.states()["transaction/1"] == "running"


@pytest.mark.parametrize(
    ("pre_authorize", "entry", "asks"),
    [
        (True, (ACCEPTED, None, None), False),
        (True, (ACCEPTED, None, 1), False),
        (True, (ACCEPTED, None, -1), True),
        (True, (BLOCKED, None, None), True),
        (True, None, True),
        (False, (ACCEPTED, None, None), True),
    ],
)
async def test_online_the_list_saves_authorize_only_for_valid_tags(
    lab, autojump_clock, pre_authorize, entry, asks
):
    """Steps 2 and 3: LocalPreAuthorize, valid, not expired; else Authorize is sent, and its answer counts."""
    lab.declare(local_pre_authorize=pre_authorize, authorization_cache_enabled=False)
    async with lab.powered():
        if entry is not None:
            await know(lab, CARD=entry)
        assert await present(lab)

    assert bool(lab.calls("Authorize")) is asks


@pytest.mark.parametrize(
    ("offline", "unknown", "entry", "starts"),
    [
        (True, False, (ACCEPTED, None, None), True),
        (True, False, (ACCEPTED, None, -1), False),
        (False, False, (ACCEPTED, None, None), False),
        (False, True, (ACCEPTED, None, None), False),
        (True, True, None, True),
        (True, False, None, False),
        (False, True, None, True),
        (True, True, (BLOCKED, None, None), False),
        (True, True, (ACCEPTED, None, -1), False),
    ],
)
async def test_offline_the_station_decides_by_itself(lab, autojump_clock, offline, unknown, entry, starts):
    """Steps 4 to 7."""
    lab.declare(
        local_authorize_offline=offline,
        allow_offline_tx_for_unknown_id=unknown,
        authorization_cache_enabled=False,
    )
    async with lab.powered():
        if entry is not None:
            await know(lab, CARD=entry)
        lab.cut_link()
        await trio.sleep(1)
        assert await present(lab) is starts
        lab.restore_link()
        await trio.sleep(300)

    assert len(lab.csms.ledger) == int(starts)


async def test_a_tag_once_accepted_is_accepted_offline(lab, autojump_clock):
    """The cache learns from Authorize and StartTransaction."""
    lab.declare(local_authorize_offline=True, authorization_cache_enabled=True)
    async with lab.powered():
        await lab.charge()
        lab.swipe()
        await lab.until_status("Finishing")
        lab.connector().unplug()
        lab.cut_link()
        await trio.sleep(5)
        assert await present(lab)


async def test_a_station_that_was_never_accepted_serves_nobody_offline(lab, autojump_clock):
    """Facts section 4: such a transaction may never be delivered."""
    lab.declare(allow_offline_tx_for_unknown_id=True)
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(5)
        assert not await present(lab)


async def test_no_answer_to_authorize_is_like_being_offline(lab, autojump_clock):
    """3.5: by the keys for offline."""
    lab.declare(allow_offline_tx_for_unknown_id=True, authorization_cache_enabled=False)
    lab.csms.override("Authorize", lambda _: None)
    async with lab.powered():
        await present(lab)
        assert lab.states()["transaction/1"] == "idle"
        await lab.until_status("Charging")


async def test_a_group_known_to_the_list_stops_without_authorize(lab, autojump_clock):
    """Facts 5.2: the list goes before the question; another group is refused without one."""
    async with lab.powered():
        await know(
            lab,
            MOTHER=(ACCEPTED, "FAMILY", None),
            CHILD=(ACCEPTED, "FAMILY", None),
            OTHER=(ACCEPTED, "OTHERS", None),
        )
        lab.csms.override(
            "Authorize",
            lambda _: AuthorizeConf(id_tag_info=IdTagInfo(status=ACCEPTED, parent_id_tag="FAMILY")),
        )
        await lab.charge("MOTHER")
        asked = len(lab.calls("Authorize"))
        lab.swipe("OTHER", (1,))
        await trio.sleep(5)
        assert lab.states()["transaction/1"] == "running"
        lab.swipe("CHILD", (1,))
        stop = await lab.until("StopTransaction")

    assert stop["idTag"] == "CHILD"
    assert len(lab.calls("Authorize")) == asked


async def test_a_group_stops_offline_too(lab, autojump_clock):
    """Facts 5.2: offline by list and cache only."""
    async with lab.powered():
        await know(lab, MOTHER=(ACCEPTED, "FAMILY", None), CHILD=(ACCEPTED, "FAMILY", None))
        lab.declare(local_pre_authorize=True)
        lab.csms.override(
            "Authorize",
            lambda _: AuthorizeConf(id_tag_info=IdTagInfo(status=ACCEPTED, parent_id_tag="FAMILY")),
        )
        await lab.charge("MOTHER")
        lab.cut_link()
        await trio.sleep(5)
        lab.swipe("UNKNOWN", (1,))
        await trio.sleep(5)
        assert lab.states()["transaction/1"] == "running"
        lab.swipe("CHILD", (1,))
        await trio.sleep(5)
        assert lab.states()["transaction/1"] == "idle"


async def test_an_empty_parent_id_tag_makes_no_group(lab, autojump_clock):
    """Decision AU4: a Central System that sends parentIdTag for everybody, empty for who has none.

    There used to be a transaction that any other card stopped.
    """
    info = IdTagInfo(status=ACCEPTED)
    force_setattr(info, "parent_id_tag", "")
    lab.csms.override("Authorize", lambda _: AuthorizeConf(id_tag_info=info))
    lab.csms.override("StartTransaction", lambda _: StartTransactionConf(transaction_id=5, id_tag_info=info))
    async with lab.powered():
        await lab.charge("A")
        asked = len(lab.calls("Authorize"))
        lab.swipe("B", (1,))
        await trio.sleep(10)
        assert lab.states()["transaction/1"] == "running"

    told = [e.payload for e in lab.csms.transcript if e.action == "Authorize" and e.kind == 3]
    assert {one["idTagInfo"]["parentIdTag"] for one in told} == {""}
    assert len(lab.calls("Authorize")) == asked, "TC_068"


async def test_remote_start_asks_where_the_key_says_so(lab, autojump_clock):
    """TC_010, TC_023_5: AuthorizeRemoteTxRequests; a refusal starts nothing."""
    lab.declare(authorize_remote_tx_requests=True, authorization_cache_enabled=False)
    lab.csms.override(
        "Authorize",
        lambda request: AuthorizeConf(
            id_tag_info=IdTagInfo(status=INVALID if request.id_tag == "BAD" else ACCEPTED)
        ),
    )
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        assert (
            await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="BAD"))
        ).status == "Accepted"
        await trio.sleep(5)
        assert lab.states()["transaction/1"] == "idle"
        assert (await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="OK"))).status == "Accepted"
        await lab.until_status("Charging")

    assert [call["idTag"] for call in lab.calls("Authorize")] == ["BAD", "OK"]


async def test_a_second_card_while_authorize_is_pending_waits_in_vain(lab, autojump_clock):
    """One question at a time; a double swipe of the same card is one."""

    async def slow(request: Authorize) -> AuthorizeConf:
        await trio.sleep(10)
        return lab.csms.usual_answer(request)

    lab.csms.override("Authorize", slow)
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe("FIRST")
        await trio.sleep(2)
        lab.swipe("FIRST")
        lab.swipe("SECOND")
        await lab.until_status("Charging")

    assert [call["idTag"] for call in lab.calls("Authorize")] == ["FIRST"]


async def test_one_reader_serves_two_connectors(lab, autojump_clock):
    """The card goes to the vehicle that waits, and to its own transaction when it is shown again."""
    async with lab.powered():
        lab.connector(2).plug_in()
        await lab.until_status("Preparing", 2)
        lab.swipe("A")
        await lab.until_status("Charging", 2)
        lab.connector(1).plug_in()
        await lab.until_status("Preparing", 1)
        lab.swipe("B")
        await lab.until_status("Charging", 1)
        lab.swipe("A")
        await lab.until_status("Finishing", 2)
        assert lab.states()["transaction/1"] == "running"


def refusing(_):
    return StartTransactionConf(transaction_id=5, id_tag_info=IdTagInfo(status=BLOCKED))


@pytest.mark.parametrize("stops", [True, False])
async def test_an_allowance_may_be_drawn_after_a_start_that_is_not_accepted(lab, autojump_clock, stops):
    """MaxEnergyOnInvalidId: so much and not noticeably more, then as StopTransactionOnInvalidId says."""
    lab.declare(stop_transaction_on_invalid_id=stops)
    lab.csms.override("StartTransaction", refusing)
    async with lab.powered():
        await lab.csms.call(ChangeConfiguration(key="MaxEnergyOnInvalidId", value="500"))
        began = lab.connector().register_wh
        await lab.charge()
        await trio.sleep(60)
        assert lab.connector().state().contactor
        await trio.sleep(3600)
        drawn = lab.connector().register_wh - began
        assert 500 <= drawn < 530
        if stops:
            assert lab.calls("StopTransaction")[0]["reason"] == "DeAuthorized"
        else:
            assert lab.statuses()[-1] == "SuspendedEVSE"
            assert not lab.calls("StopTransaction")


async def test_the_cable_of_a_refused_user_is_kept_until_the_card_is_shown(lab, autojump_clock):
    """5.4 facts: DeAuthorized keeps the cable; a stranger does not get it."""
    lab.csms.override("StartTransaction", refusing)
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("Finishing")
        await trio.sleep(5)
        lab.swipe("STRANGER")
        await trio.sleep(5)
        assert lab.connector().state().locked
        lab.swipe()
        await trio.sleep(5)
        assert not lab.connector().state().locked
        lab.connector().unplug()
        await lab.until_status("Available")


async def test_a_kept_cable_is_not_let_go_by_a_request_for_another_connector(lab, autojump_clock):
    """TC_031: NotSupported for a connector that does not exist. There used to be a cable that it let go."""
    lab.csms.override("StartTransaction", refusing)
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("Finishing")
        await trio.sleep(5)
        assert (await lab.csms.call(UnlockConnector(connector_id=9))).status == "NotSupported"
        await trio.sleep(5)
        assert lab.connector().state().locked


@pytest.mark.parametrize("is_kept", [True, False], ids=["while it is kept", "while it charges"])
async def test_a_cable_that_a_lock_does_not_hold_leaves_the_connector_to_the_next_user(
    lab, autojump_clock, is_kept
):
    """Decision T9: nothing is kept that is not there, and the lock opens.

    There used to be an Available connector with a closed lock, where everybody was refused.
    """
    lab.declare(unlock_connector_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        if is_kept:
            lab.connector().unplug("vehicle")
            await lab.until_status("Finishing")
            await trio.sleep(5)
            assert lab.states()["connector_lock/1"] == "kept"
        # Torn out: the lock says that it is closed, and there is no cable.
        await lab.running.deliver(HardwareReported(1, CableChanged(False)))
        await lab.until_status("Available")
        await trio.sleep(5)
        assert not lab.connector().state().locked
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="NEXT"))
        assert answer.status == "Accepted"
        await trio.sleep(1)

    assert [stop["reason"] for stop in lab.calls("StopTransaction")] == ["EVDisconnected"]


async def test_a_kept_cable_opens_on_unlock_connector(lab, autojump_clock):
    """TC_005_2: EV side disconnected, UnlockConnectorOnEVSideDisconnect=false."""
    lab.declare(unlock_connector_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        lab.connector().unplug("vehicle")
        stop = await lab.until("StopTransaction")
        await trio.sleep(5)
        assert stop["reason"] == "EVDisconnected"
        assert lab.connector().state().locked
        conf = await lab.csms.call(UnlockConnector(connector_id=1))
        assert conf.status == "Unlocked"
        lab.connector().unplug("station")
        await lab.until_status("Available")


async def test_a_transaction_outlives_the_vehicle_where_the_key_says_so(lab, autojump_clock):
    """TC_005_3, 5.5: StopTransactionOnEVSideDisconnect=false: SuspendedEV, and on again."""
    lab.declare(stop_transaction_on_ev_side_disconnect=False)
    async with lab.powered():
        await lab.charge()
        lab.connector().unplug("vehicle")
        await lab.until_status("SuspendedEV")
        await trio.sleep(600)
        assert lab.connector().state().locked
        assert not lab.connector().state().contactor
        assert not lab.calls("StopTransaction")


@pytest.mark.parametrize(("is_emergency", "reason"), [(False, "Local"), (True, "EmergencyStop")])
async def test_a_button_stops(lab, autojump_clock, is_emergency, reason):
    """5.6 facts: no idTag is known."""
    async with lab.powered():
        await lab.charge()
        lab.connector().press_stop(is_emergency=is_emergency)
        stop = await lab.until("StopTransaction")

    assert stop["reason"] == reason
    assert "idTag" not in stop


@pytest.mark.parametrize(
    ("size", "left_out"), [(0, 0), (499, 0), (500, 1), (749, 1), (750, 3), (874, 3), (875, 7)]
)
def test_thinning(size, left_out):
    """Decision DL2, with room for 1000."""
    assert thinning(size, 1000) == left_out


def test_thinning_ends_where_the_room_does():
    assert thinning(1000, 1000) == float("inf")
    assert all(thinning(size, 1000) < float("inf") for size in range(1000))


async def test_where_authorize_is_not_declared_a_card_keeps_nobody_from_charging(lab, autojump_clock):
    """A station that is started by an app alone: the Central System cannot be asked, and no answer is waited for."""
    settings = lab.station.settings
    lab.station = replace(lab.station, settings=replace(settings, sends=settings.sends - {"Authorize"}))
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe("CARD", (1,))
        await trio.sleep(10)
        answer = await lab.csms.call(RemoteStartTransaction(connector_id=1, id_tag="APP"))
        assert answer.status == "Accepted"
        await lab.until_status("Charging")

    assert [start["idTag"] for start in lab.calls("StartTransaction")] == ["APP"]
    assert not lab.calls("Authorize")
