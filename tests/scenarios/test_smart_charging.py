"""Smart charging as the Central System and the vehicle see it (facts 9, hardware facts B2), in virtual time."""

import itertools
from datetime import timedelta

import pytest
import trio
from msgspec.structs import replace

from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    AuthorizeConf,
    ChangeConfiguration,
    ChargingRateUnitType,
    ClearChargingProfile,
    GetCompositeSchedule,
    IdTagInfo,
    MessageTrigger,
    RemoteStartTransaction,
    RemoteStopTransaction,
    StartTransactionConf,
    TriggerMessage,
)
from machines.vocabulary.settings import Installation, Recovery
from machines.vocabulary.wire import CallError, ErrorCode
from tests.lab import Lab
from tests.smart_charging.payloads import decoded, payload

ACCEPTED, REJECTED = "Accepted", "Rejected"


@pytest.fixture
async def lab(tmp_path):
    return Lab(tmp_path, "full")


@pytest.fixture(params=["full", "station.toml"], ids=["full", "ac-smart"])
async def either(request, tmp_path):
    return Lab(tmp_path, request.param)


async def install(lab, purpose, periods, *, in_s=0, **more):
    """Install an absolute profile that starts ``in_s`` from now, unless it is another kind; return the answer."""
    if more.get("kind") != "Relative":
        more = {"start_s": (lab.now() + timedelta(seconds=in_s)).timestamp(), **more}
    return (await lab.csms.call(decoded(payload(purpose, periods, **more)))).status


async def told(lab, seconds=300, connector=1, unit=ChargingRateUnitType.A):
    """Limits by second of the composite schedule."""
    request = GetCompositeSchedule(connector_id=connector, duration=seconds, charging_rate_unit=unit)
    conf = await lab.csms.call(request)
    assert conf.status == ACCEPTED
    return {period.start_period: period.limit for period in conf.charging_schedule.charging_schedule_period}


def offered(lab, connector=1):
    return lab.connector(connector).state().offered_a


async def settle(lab):
    """Let what was offered last stand long enough to be changed."""
    await trio.sleep(6)


# The current follows


async def test_a_limit_takes_effect_at_once(either, autojump_clock):
    async with either.powered():
        await either.charge()
        assert offered(either) == 32
        assert await install(either, "default", {0: 10}) == ACCEPTED
        assert offered(either) == 10


async def test_the_current_follows_the_schedule_at_its_boundaries(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 10, 60: 16, 120: 8})
        seen = []
        for _ in range(140):
            await trio.sleep(1)
            if not seen or seen[-1][1] != offered(lab):
                seen.append((lab.now().timestamp(), offered(lab)))
        assert [current for _, current in seen] == [10, 16, 8]
        assert [after - before for (before, _), (after, _) in itertools.pairwise(seen[1:])] == [60]


async def test_a_pause_is_shown_and_ends(either, autojump_clock):
    async with either.powered():
        await either.charge()
        await settle(either)
        await install(either, "default", {0: 0, 60: 16})
        await either.until_status("SuspendedEVSE")
        assert offered(either) == 0
        assert not either.connector().state().contactor
        await either.until_status("Charging")
        assert offered(either) == 16


async def test_less_than_6_a_is_a_pause(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 5.9})
        await lab.until_status("SuspendedEVSE")
        assert offered(lab) == 0


async def test_after_a_pause_a_vehicle_that_asks_for_nothing_is_suspended(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 0, 60: 16})
        await lab.until_status("SuspendedEVSE")
        lab.connector().pause()
        await lab.until_status("SuspendedEV")
        assert offered(lab) == 16


async def test_a_transaction_that_begins_in_a_pause_begins_suspended(lab, autojump_clock):
    async with lab.powered():
        await install(lab, "default", {0: 0})
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.swipe()
        await lab.until_status("SuspendedEVSE")
        assert offered(lab) == 0


async def test_the_current_rises_no_sooner_than_5_s_after_it_changed(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 10})
        await trio.sleep(2)
        await lab.csms.call(ClearChargingProfile())
        assert offered(lab) == 10
        await trio.sleep(2.9)
        assert offered(lab) == 10
        await trio.sleep(0.2)
        assert offered(lab) == 32


async def test_the_current_falls_at_once_whenever_it_changed(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 20})
        await trio.sleep(1)
        await install(lab, "default", {0: 10})
        assert offered(lab) == 10


async def test_a_schedule_that_changes_faster_than_a_vehicle_is_followed_from_below(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 20, 10: 16, 12: 10, 14: 20, 60: 12})
        await trio.sleep(10.5)
        assert offered(lab) == 10
        await trio.sleep(6)
        assert offered(lab) == 20


async def test_the_operators_key_is_a_limit_too(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 20})
        await lab.csms.call(ChangeConfiguration(key="ConnectorMaximumCurrent", value="13"))
        assert offered(lab) == 13
        assert await told(lab) == {0: 13}


# Transactions


async def test_a_tx_profile_ends_with_its_transaction(either, autojump_clock):
    async with either.powered():
        transaction_id = await either.charge()
        assert await install(either, "tx", {0: 10}, connector=1, transactionId=transaction_id) == ACCEPTED
        assert await told(either) == {0: 10}
        await either.csms.call(RemoteStopTransaction(transaction_id=transaction_id))
        await either.until_status("Finishing")
        assert await told(either) == {0: 32}
        either.connector().unplug()
        await either.until_status("Available")
        await either.charge()
        assert offered(either) == 32


async def test_tc_058_tx_profiles_of_no_or_another_transaction_are_rejected(either, autojump_clock):
    async with either.powered():
        assert await install(either, "tx", {0: 10}, connector=1) == REJECTED
        transaction_id = await either.charge()
        assert await install(either, "tx", {0: 10}, connector=1, transactionId=transaction_id + 1) == REJECTED
        assert offered(either) == 32


async def test_tc_082_a_default_holds_for_the_running_transaction_and_its_end_lets_it_go_on(
    lab, autojump_clock
):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 8})
        assert offered(lab) == 8
        await lab.csms.call(ClearChargingProfile())
        await settle(lab)
        assert offered(lab) == 32
        assert lab.statuses()[-1] == "Charging"


async def test_a_relative_profile_counts_from_the_begin_of_the_transaction(lab, autojump_clock):
    async with lab.powered():
        await install(lab, "default", {0: 10, 60: 16}, kind="Relative")
        await lab.charge()
        assert offered(lab) == 10
        await trio.sleep(50)
        assert offered(lab) == 10
        await trio.sleep(11)
        assert offered(lab) == 16


async def remote_start(lab, profile, tag="CARD"):
    request = decoded(profile).cs_charging_profiles
    start = RemoteStartTransaction(connector_id=1, id_tag=tag, charging_profile=request)
    return (await lab.csms.call(start)).status


@pytest.mark.parametrize("tag", ["CARD", ""], ids=["card", "nobody"])
@pytest.mark.parametrize("is_asked", [False, True])
async def test_tc_059_a_remote_start_brings_its_profile(lab, autojump_clock, is_asked, tag):
    lab.declare(authorize_remote_tx_requests=is_asked)
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        assert await remote_start(lab, payload("tx", {0: 10, 60: 16}, kind="Relative"), tag) == ACCEPTED
        await lab.until_status("Charging")
        assert offered(lab) == 10
        schedule = await told(lab, 100)
        assert schedule[0] == 10
        assert schedule[max(schedule)] == 16


@pytest.mark.parametrize(
    "profile",
    [
        payload("tx", {0: 10}, kind="Relative", transactionId=7),
        payload("default", {0: 10}, kind="Relative"),
        payload("tx", {5: 10}, kind="Relative"),
        payload("tx", {0: -1}, kind="Relative"),
    ],
)
async def test_tc_060_a_remote_start_with_a_wrong_profile_is_rejected(lab, autojump_clock, profile):
    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        assert await remote_start(lab, profile) == REJECTED
        await trio.sleep(10)
        assert not lab.calls("StartTransaction")


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_remote_start_whose_profile_has_no_room_any_more_starts_nothing(
    lab, autojump_clock, is_answered
):
    """While Authorize was pending another one took the place: without its limit the vehicle would have no limit."""
    lab.declare(
        authorize_remote_tx_requests=True,
        allow_offline_tx_for_unknown_id=True,
        max_charging_profiles_installed=1,
    )

    async def answer(_):
        await install(lab, "max", {0: 20}, id_=7)
        info = IdTagInfo(status=AuthorizationStatus.ACCEPTED)
        return AuthorizeConf(id_tag_info=info) if is_answered else CallError(ErrorCode.INTERNAL_ERROR)

    async with lab.powered():
        lab.connector().plug_in()
        await lab.until_status("Preparing")
        lab.csms.override("Authorize", answer)
        assert await remote_start(lab, payload("tx", {0: 10}, kind="Relative")) == ACCEPTED
        await trio.sleep(60)
        assert lab.calls("StartTransaction") == []
        assert offered(lab) == 0


async def test_what_a_remote_start_brought_is_dropped_if_nothing_comes_of_it(lab, autojump_clock):
    async with lab.powered():
        assert await remote_start(lab, payload("tx", {0: 10}, kind="Relative")) == ACCEPTED
        await lab.until_status("Preparing")
        await lab.until_status("Available")
        await lab.charge()
        assert offered(lab) == 32


async def test_it_is_not_for_somebody_else_who_comes_first(lab, autojump_clock):
    async with lab.powered():
        assert await remote_start(lab, payload("tx", {0: 10}, kind="Relative")) == ACCEPTED
        await lab.until_status("Preparing")
        lab.swipe("OTHER", (1,))
        await trio.sleep(5)
        lab.connector().plug_in()
        await lab.until_status("Charging")
        assert lab.calls("StartTransaction")[0]["idTag"] == "OTHER"
        assert offered(lab) == 32


# Composite schedules


async def test_tc_066_the_worked_example(either, autojump_clock):
    async with either.powered():
        transaction_id = await either.charge()
        await install(either, "max", {0: 10}, id_=1, duration=86_400)
        await install(either, "default", {0: 6, 60: 10, 120: 8, 180: 25, 260: 8}, id_=2, duration=300)
        periods = {0: 8, 50: 11, 140: 16, 200: 6, 240: 12}
        await install(either, "tx", periods, id_=3, duration=260, connector=1, transactionId=transaction_id)
        assert list((await told(either, 400)).values()) == [8, 10, 6, 10, 8, 10]


async def test_tc_067_clearing_by_id_by_criteria_and_all(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await install(lab, "max", {0: 10}, id_=1)
        await install(lab, "default", {0: 8}, id_=2)
        await install(lab, "tx", {0: 6}, id_=3, connector=1)
        seen = [await told(lab)]
        for request in (
            ClearChargingProfile(id=3),
            ClearChargingProfile(connector_id=0, stack_level=0, charging_profile_purpose="TxDefaultProfile"),
            ClearChargingProfile(),
        ):
            assert (await lab.csms.call(request)).status == ACCEPTED
            seen.append(await told(lab))
        assert seen == [{0: 6}, {0: 8}, {0: 10}, {0: 32}]
        assert (await lab.csms.call(ClearChargingProfile(id=3))).status == "Unknown"


async def test_a_composite_schedule_of_a_connector_that_does_not_exist_is_rejected(lab, autojump_clock):
    async with lab.powered():
        conf = await lab.csms.call(GetCompositeSchedule(connector_id=9, duration=60))
        assert (conf.status, conf.charging_schedule) == (REJECTED, None)


async def test_more_than_a_week_is_not_told(lab, autojump_clock):
    async with lab.powered():
        conf = await lab.csms.call(GetCompositeSchedule(connector_id=1, duration=2**31 - 1))
        assert conf.charging_schedule.duration == 604_800


# Restarts and connections


async def test_profiles_outlive_a_power_cut(either, autojump_clock):
    async with either.powered():
        await install(either, "default", {0: 10}, id_=1)
        await install(either, "max", {0: 20}, id_=2)
    async with either.powered():
        assert await told(either) == {0: 10}
        await either.charge()
        assert offered(either) == 10


async def test_a_transaction_that_is_resumed_keeps_its_profile(lab, autojump_clock):
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        transaction_id = await lab.charge()
        await install(lab, "tx", {0: 10}, connector=1, transactionId=transaction_id)
    async with lab.powered():
        await trio.sleep(10)
        assert offered(lab) == 10


async def test_while_nobody_knows_the_time_the_least_limit_counts(lab, autojump_clock):
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 16, 5000: 8})
        assert offered(lab) == 16
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(10)
        assert offered(lab) == 8
        lab.restore_link()
        await trio.sleep(300)
        assert offered(lab) == 16


async def put_clock(lab, seconds):
    """The clock of the Central System is put forward by ``seconds``, and tells so."""
    lab.shift(seconds)
    await lab.csms.call(TriggerMessage(requested_message=MessageTrigger.HEARTBEAT))
    await lab.until("Heartbeat")
    await settle(lab)


@pytest.mark.parametrize("seconds", [-3600, 3600], ids=["back", "forward"])
async def test_when_the_clock_is_put_right_a_transaction_is_no_older_nor_younger(
    lab, autojump_clock, seconds
):
    """3.13.3 Relative counts from the begin of the transaction: a back end at the end of daylight saving time."""
    async with lab.powered():
        await lab.charge()
        await install(lab, "default", {0: 10, 1800: 8}, kind="Relative", duration=2400)
        await trio.sleep(600)
        await put_clock(lab, seconds)
        assert offered(lab) == 10
        await trio.sleep(1210)
        assert offered(lab) == 8


async def test_when_the_clock_is_put_back_what_counts_from_its_receipt_still_counts(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await install(lab, "max", {0: 10}, start_s=None)
        await trio.sleep(600)
        await put_clock(lab, -3600)
        assert offered(lab) == 10


async def test_a_relative_profile_goes_on_where_nobody_knows_when_the_transaction_began(lab, autojump_clock):
    """It began before the time was first told, and a run before this one: it is as old as this run at least."""
    lab.recover(Recovery.RESUME)
    lab.give_away("FREE")
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(2)
        lab.connector().plug_in()
        await trio.sleep(20)
        assert offered(lab) == 32
    async with lab.powered(until_accepted=False):
        lab.restore_link()
        await trio.sleep(600)
        await install(lab, "default", {0: 10, 1800: 8}, kind="Relative")
        assert offered(lab) == 10
        await trio.sleep(1210)
        assert offered(lab) == 8


async def test_without_a_connection_the_schedule_goes_on(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await install(lab, "default", {0: 10, 60: 16})
        lab.cut_link()
        await trio.sleep(70)
        assert offered(lab) == 16


# One limit, several connectors


def refused(_request):
    return StartTransactionConf(
        id_tag_info=IdTagInfo(status=AuthorizationStatus.INVALID), transaction_id=4711
    )


async def two(lab, then="Charging"):
    """Both connectors charge, or the second one does ``then``."""
    await lab.charge()
    lab.connector(2).plug_in()
    await lab.until_status("Preparing", 2)
    lab.swipe("OTHER", (2,))
    await lab.until_status(then, 2)
    await settle(lab)


async def test_the_limit_of_the_station_is_shared(lab, autojump_clock):
    async with lab.powered():
        await install(lab, "max", {0: 20})
        await lab.charge()
        assert offered(lab) == 20
        lab.connector(2).plug_in()
        await lab.until_status("Preparing", 2)
        lab.swipe("OTHER", (2,))
        await lab.until_status("Charging", 2)
        assert (offered(lab, 1), offered(lab, 2)) == (10, 10)
        await lab.csms.call(RemoteStopTransaction(transaction_id=max(lab.csms.ledger)))
        await lab.until_status("Finishing", 2)
        await settle(lab)
        assert offered(lab, 1) == 20


async def test_a_transaction_that_may_draw_nothing_any_more_has_no_share(lab, autojump_clock):
    """9.1 StopTransactionOnInvalidId=false: it stays open without energy, until somebody comes for the vehicle."""
    declare_installation(lab, current_max_a=16.0)
    lab.declare(stop_transaction_on_invalid_id=False)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        lab.csms.override("StartTransaction", refused)
        lab.connector(2).plug_in()
        await lab.until_status("Preparing", 2)
        lab.swipe("OTHER", (2,))
        await lab.until_status("SuspendedEVSE", 2)
        await settle(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (16, 0)
        assert await told(lab, 100) == {0: 16}


async def test_a_transaction_that_has_used_up_its_allowance_has_no_share(lab, autojump_clock):
    """9.1 MaxEnergyOnInvalidId: it shares for as long as it may draw."""
    declare_installation(lab, current_max_a=16.0)
    lab.declare(stop_transaction_on_invalid_id=False, max_energy_on_invalid_id=500)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        lab.csms.override("StartTransaction", refused)
        lab.connector(2).plug_in()
        await lab.until_status("Preparing", 2)
        lab.swipe("OTHER", (2,))
        await lab.until_status("Charging", 2)
        await settle(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (8, 8)
        await lab.until_status("SuspendedEVSE", 2)
        await settle(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (16, 0)


async def test_what_the_installation_carries_is_shared_without_any_profile(lab, autojump_clock):
    declare_installation(lab, current_max_a=24.0)
    async with lab.powered():
        await two(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (12, 12)


async def test_where_it_is_too_little_for_two_the_first_one_charges(lab, autojump_clock):
    declare_installation(lab, current_max_a=10.0)
    async with lab.powered():
        await two(lab, "SuspendedEVSE")
        assert (offered(lab, 1), offered(lab, 2)) == (10, 0)
        lab.connector(1).unplug()
        await lab.until_status("Charging", 2)
        assert offered(lab, 2) == 10


async def test_where_it_is_too_little_for_two_they_take_turns(lab, autojump_clock):
    declare_installation(lab, current_max_a=10.0)
    lab.limit(sharing_turn_s=300)
    async with lab.powered():
        await two(lab, "SuspendedEVSE")
        midnight = trio.current_time() - lab.now().timestamp() % 86_400
        seen = []
        for turn in range(1, 5):
            await trio.sleep_until(midnight + turn * 300 - 1)
            seen.append((offered(lab, 1), offered(lab, 2)))
        assert seen == [(10, 0), (0, 10), (10, 0), (0, 10)]
        assert lab.statuses(1)[-4:] == ["Charging", "SuspendedEVSE", "Charging", "SuspendedEVSE"]
        assert lab.statuses(2)[-4:] == ["SuspendedEVSE", "Charging", "SuspendedEVSE", "Charging"]
        schedules = [await told(lab, 400, connector) for connector in (1, 2)]
        boundary = min(second for schedule in schedules for second in schedule if second)
        assert schedules == [
            {0: 0, boundary: 10, boundary + 300: 0},
            {0: 10, boundary: 0, boundary + 300: 10},
        ]


async def test_a_vehicle_that_charges_badly_below_a_rate_takes_turns_instead(lab, autojump_clock):
    declare_installation(lab, current_max_a=16.0)
    async with lab.powered():
        await two(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (8, 8)
        await install(lab, "default", {0: 32}, schedule={"minChargingRate": 10})
        await settle(lab)
        assert (offered(lab, 1), offered(lab, 2)) == (16, 0)
        await trio.sleep(900)
        assert (offered(lab, 1), offered(lab, 2)) == (0, 16)


async def test_after_a_restart_without_the_time_they_take_turns_too(lab, autojump_clock):
    declare_installation(lab, current_max_a=10.0)
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await two(lab, "SuspendedEVSE")
    lab.is_linked = False
    async with lab.powered(until_accepted=False):
        await trio.sleep(20)
        first = (offered(lab, 1), offered(lab, 2))
        await trio.sleep(900)
        assert {first, (offered(lab, 1), offered(lab, 2))} == {(10, 0), (0, 10)}


async def test_the_cable_is_a_limit(lab, autojump_clock):
    connector = lab.connector()
    connector.settings = replace(connector.settings, cable_rating_a=13.0)
    async with lab.powered():
        await lab.charge()
        assert offered(lab) == 13
        assert await told(lab) == {0: 13}
        connector.unplug()
        await lab.until_status("Available")
        connector.settings = replace(connector.settings, cable_rating_a=20.0)
        await lab.charge()
        assert offered(lab) == 20
        assert await told(lab) == {0: 20}


def declare_installation(lab, **limits):
    settings = replace(lab.station.settings, installation=Installation(**limits))
    lab.station = replace(lab.station, settings=settings)


async def test_without_a_connection_for_long_the_current_falls_to_what_is_safe(lab, autojump_clock):
    declare_installation(lab, offline_current_max_a=8.0, offline_after_s=120.0)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        lab.cut_link()
        await trio.sleep(119)
        assert offered(lab) == 32
        await trio.sleep(2)
        assert offered(lab) == 8
        lab.restore_link()
        await trio.sleep(300)
        assert offered(lab) == 32


async def test_a_short_outage_changes_nothing(lab, autojump_clock):
    declare_installation(lab, offline_current_max_a=8.0, offline_after_s=600.0)
    async with lab.powered():
        await lab.charge()
        lab.cut_link()
        await trio.sleep(100)
        lab.restore_link()
        await trio.sleep(1000)
        assert offered(lab) == 32


# Phases: full.toml declares that its three-phase connector can switch to one


def phases(lab):
    """Phases that connector 1 is set to."""
    return lab.running.charge_point.setpoints[1].phases


async def one_phase(lab, *, from_s=0, to_s=None):
    """Allow one phase only, from ``from_s`` on; from ``to_s`` on three again."""
    periods = [{"startPeriod": 0, "limit": 16, "numberPhases": 3}] if from_s else []
    periods.append({"startPeriod": from_s, "limit": 10, "numberPhases": 1})
    if to_s is not None:
        periods.append({"startPeriod": to_s, "limit": 16, "numberPhases": 3})
    assert await install(lab, "default", {}, schedule={"chargingSchedulePeriod": periods}) == ACCEPTED


async def test_a_transaction_begins_on_one_phase_at_once_where_no_more_is_allowed(lab, autojump_clock):
    """The contactor closes no sooner than a second after the phases were switched."""
    seen = []

    def watch(step):
        if 1 in step.setpoints:
            seen.append((trio.current_time(), step.setpoints[1]))

    lab._watch = watch
    async with lab.powered():
        await one_phase(lab)
        await lab.charge()
        await trio.sleep(1)
        assert (offered(lab), phases(lab)) == (10, 1)
        assert lab.connector().state().contactor
        assert lab.statuses() == ["Available", "Preparing", "Charging"]
    switched = next(at for at, setpoint in seen if setpoint.phases == 1)
    closed = next(at for at, setpoint in seen if setpoint.contactor)
    assert closed >= switched + 1


async def test_within_a_transaction_phases_are_switched_with_the_contactor_open(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab)
        assert (offered(lab), phases(lab)) == (0, 3)
        await trio.sleep(1)
        assert not lab.connector().state().contactor
        await trio.sleep(8.5)
        assert phases(lab) == 3
        await trio.sleep(1)
        assert (offered(lab), phases(lab)) == (0, 1)
        await trio.sleep(1)
        assert (offered(lab), phases(lab)) == (10, 1)
        await lab.until_status("Charging")
        assert lab.statuses()[-2:] == ["SuspendedEVSE", "Charging"]


async def test_on_one_phase_a_third_of_the_power_is_offered(lab, autojump_clock):
    """7.31 Power.Offered: the maximum power offered to the vehicle."""
    lab.declare(meter_values_sampled_data=("Power.Offered",), meter_value_sample_interval=60)
    async with lab.powered():
        await one_phase(lab)
        await lab.charge()
        told_of = await lab.until("MeterValues")
    (value,) = told_of["meterValue"][0]["sampledValue"]
    assert float(value["value"]) == 10 * 230


async def test_three_phases_again_wait_until_they_may_be_switched_and_it_charges_meanwhile(
    lab, autojump_clock
):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab, to_s=60)
        await trio.sleep(70)
        assert (offered(lab), phases(lab)) == (16, 1)
        await trio.sleep(230)
        assert (offered(lab), phases(lab)) == (16, 1)
        await trio.sleep(30)
        assert (offered(lab), phases(lab)) == (16, 3)


async def test_one_phase_again_waits_without_energy_until_it_may_be_switched(lab, autojump_clock):
    lab.limit(phase_switch_dwell_s=100)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab, to_s=60)
        await trio.sleep(130)
        assert (offered(lab), phases(lab)) == (16, 3)
        await one_phase(lab)
        await trio.sleep(60)
        assert (offered(lab), phases(lab)) == (0, 3)
        await trio.sleep(60)
        assert (offered(lab), phases(lab)) == (10, 1)


async def test_what_was_withheld_for_other_phases_comes_back_no_sooner_than_5_s_later(lab, autojump_clock):
    lab.limit(phase_switch_dwell_s=100)
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab, to_s=60)
        await trio.sleep(130)
        assert (offered(lab), phases(lab)) == (16, 3)
        await one_phase(lab)
        await trio.sleep(1)
        assert (offered(lab), phases(lab)) == (0, 3)
        await lab.csms.call(ClearChargingProfile())
        await trio.sleep(3.9)
        assert offered(lab) == 0
        await trio.sleep(1.2)
        assert (offered(lab), phases(lab)) == (32, 3)


async def test_when_it_is_offered_again_the_current_stays_for_5_s(lab, autojump_clock):
    """After phases were switched, as after any other change."""
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab)
        await trio.sleep(12)
        assert (offered(lab), phases(lab)) == (10, 1)
        await install(lab, "default", {0: 16}, schedule={"chargingSchedulePeriod": ONE_PHASE_AT_16})
        await trio.sleep(3.5)
        assert offered(lab) == 10
        await trio.sleep(1)
        assert offered(lab) == 16


ONE_PHASE_AT_16 = [{"startPeriod": 0, "limit": 16, "numberPhases": 1}]


async def test_a_transaction_that_ends_while_phases_are_switched_ends(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        await settle(lab)
        await one_phase(lab)
        await trio.sleep(3)
        lab.swipe()
        await lab.until_status("Finishing")
        lab.connector().unplug()
        await lab.until_status("Available")
        await lab.csms.call(ClearChargingProfile())
        await lab.charge()
        assert (offered(lab), phases(lab)) == (32, 3)


async def test_a_station_that_cannot_switch_charges_on_all_phases(lab, autojump_clock):
    lab.declare(connector_switch3to1_phase_supported=False)
    async with lab.powered():
        await one_phase(lab)
        await lab.charge()
        assert (offered(lab), phases(lab)) == (10, 3)
