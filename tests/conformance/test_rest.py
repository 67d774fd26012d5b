"""Between two cases a station is brought to where the first one began, however it was left."""

from contextlib import suppress
from datetime import timedelta

import pytest
import trio

from engine.conformance.case import Deviation
from engine.conformance.cases import CASES
from engine.conformance.cases.basic_authentication import credentials
from engine.conformance.dialogue import becomes
from engine.conformance.rest import bring_to_rest
from engine.conformance.sequence import status
from engine.conformance.stimuli import CutPower, PlugIn
from engine.conformance.trace import Notes
from engine.conformance.verdict import Stage, judge, settle
from engine.conformance.virtual import VirtualRig
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    BootNotificationConf,
    ChangeAvailability,
    ChargePointErrorCode,
    GetConfiguration,
    GetLocalListVersion,
    IdTagInfo,
    RegistrationStatus,
    ReserveNow,
    Reset,
    SendLocalList,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.conformance.laboratory import laboratory


@pytest.fixture
async def lab(tmp_path, autojump_clock):
    async with laboratory(tmp_path) as lab:
        yield lab


async def every_status(lab):
    """What the station now says of connector 0 and each connector."""
    bed = lab.bed()
    await bed.restart()
    return [entry.payload["status"] for entry in (await bed.boot())[1:]]


async def preparing(bed):
    await bed.plug_in()


async def authorized(bed):
    await bed.authorize()


async def charging(bed):
    await bed.charge()


async def charging_everywhere(bed):
    await bed.charge("A", 1)
    await bed.charge("B", 2)


async def unplugged_at_the_vehicle(bed):
    await bed.configure(StopTransactionOnEVSideDisconnect="false", UnlockConnectorOnEVSideDisconnect="false")
    await bed.charge()
    await bed.unplug(1, "vehicle")


async def locked_in(bed):
    await bed.configure(StopTransactionOnEVSideDisconnect="true", UnlockConnectorOnEVSideDisconnect="false")
    await bed.charge()
    await bed.unplug(1, "vehicle")


async def faulted(bed):
    await bed.charge()
    await bed.raise_fault(ChargePointErrorCode.OVER_VOLTAGE)


async def faulted_altogether(bed):
    for connector in bed.every:
        await bed.raise_fault(ChargePointErrorCode.GROUND_FAILURE, connector)


async def jammed(bed):
    await bed.jam_lock()
    await bed.plug_in()
    await bed.swipe()


async def silent_meter(bed):
    await bed.charge()
    await bed.silence_meter()


async def out_of_service(bed):
    await bed.withdraw(2)


async def out_of_service_altogether(bed):
    await bed.ask(ChangeAvailability(connector_id=0, type="Inoperative"), "Accepted")


async def out_of_service_later(bed):
    await bed.charge()
    await bed.ask(ChangeAvailability(connector_id=1, type="Inoperative"), "Scheduled")


async def reserved(bed):
    expiry = bed.now() + timedelta(hours=9)
    await bed.ask(ReserveNow(connector_id=1, expiry_date=expiry, id_tag="H", reservation_id=7), "Accepted")


async def reserved_by_a_script(bed):
    expiry = bed.now() + timedelta(hours=9)
    await bed.ask(ReserveNow(connector_id=2, expiry_date=expiry, id_tag="H", reservation_id=4711), "Accepted")


async def offline(bed):
    await bed.charge()
    await bed.cut_link()
    await trio.sleep(100)
    await bed.swipe()
    await trio.sleep(5)


async def in_the_dark(bed):
    await bed.charge()
    await bed.cut_power()


async def resetting(bed):
    await bed.ask(Reset(type="Hard"), "Accepted")


def answer_boot(bed, registration):
    """Let the Central System answer BootNotification so, and ask for the next one late."""
    answer = BootNotificationConf(status=registration, current_time=bed.now(), interval=500)
    bed.csms.override("BootNotification", lambda _: answer)


async def rejected(bed):
    answer_boot(bed, RegistrationStatus.REJECTED)
    await bed.cut_power()
    await trio.sleep(60)


async def pending(bed):
    answer_boot(bed, RegistrationStatus.PENDING)
    await bed.cut_power()
    await trio.sleep(60)


async def authorized_for_a_day(bed):
    """Only a restart ends it before."""
    await bed.configure(ConnectionTimeOut="86400")
    await bed.authorize()


async def refused(bed):
    bed.know("CARD", AuthorizationStatus.INVALID)
    await bed.plug_in()
    await bed.swipe()


LEFT = [
    *(preparing, authorized, charging, charging_everywhere, unplugged_at_the_vehicle, locked_in, faulted),
    *(faulted_altogether, jammed, silent_meter, out_of_service, out_of_service_altogether),
    *(
        out_of_service_later,
        reserved,
        reserved_by_a_script,
        offline,
        in_the_dark,
        resetting,
        rejected,
        pending,
        refused,
    ),
    authorized_for_a_day,
]


@pytest.mark.parametrize("leave", LEFT, ids=[leave.__name__ for leave in LEFT])
async def test_every_connector_is_available_again(lab, autojump_clock, leave):
    bed = lab.bed()
    await leave(bed)
    await bring_to_rest(bed)
    assert await every_status(lab) == ["Available"] * 3


@pytest.mark.parametrize("leave", LEFT, ids=[leave.__name__ for leave in LEFT])
async def test_then_a_case_can_begin(lab, autojump_clock, leave):
    """With what it needs: nothing is plugged in, nothing comes late, and the card is accepted."""
    bed = lab.bed()
    await leave(bed)
    await bring_to_rest(bed)
    fresh = lab.bed()
    await fresh.quiet(10)
    await fresh.charge(connector=1)
    await fresh.charge("OTHER", connector=2)


async def test_every_key_has_its_value_again(lab, autojump_clock):
    bed = lab.bed()
    await bed.configure(ConnectionTimeOut="7", MeterValuesSampledData="Voltage", LocalAuthListEnabled="false")
    await bring_to_rest(bed)
    found = await lab.csms.call(GetConfiguration())
    assert {each.key: each.value for each in found.configuration_key} == {
        name: key.value for name, key in lab.declared.keys.items()
    }


async def test_a_key_that_counts_after_a_reboot_has_its_value_again_too(tmp_path, autojump_clock):
    """Where nobody can cut the power. What it was set to in a case counted since that case restarted the station."""
    async with laboratory(tmp_path, "[keys]\nMeterValueSampleInterval = { reboot = true }\n") as lab:
        notes = Notes(lab.now, lambda: len(lab.csms.transcript))
        stage = Stage(lab.csms, NoSwitch(lab.station), notes, lab.declared, 2, 0.001)
        verdicts = []
        for name in ("014", "021-counts", "003"):
            bed = stage.bed()
            (played,) = (case for case in CASES if case.name == name)
            verdicts.append((await judge(stage, played, bed)).verdict)
            assert await settle(stage, bed) == ""
        await every_status(lab)  # after a restart: nothing waits for one
        found = await lab.csms.call(GetConfiguration(key=("MeterValueSampleInterval",)))

    assert verdicts == ["passed", "not applicable", "passed"]
    (shown,) = found.configuration_key
    assert shown.value == lab.declared.keys["MeterValueSampleInterval"].value


@pytest.mark.parametrize("is_interrupted", [False, True])
async def test_no_charge_point_is_left_with_a_password_that_only_a_case_knows(
    tmp_path, autojump_clock, is_interrupted
):
    """The case ends before it sets the old one back: something else comes, or the run is interrupted."""
    (update,) = (case for case in CASES if case.name == "073")
    async with laboratory(tmp_path, update.declares) as lab:
        bed, scope = lab.bed(), trio.CancelScope()
        old = credentials(bed)

        async def end():
            await becomes(lambda: len(lab.csms.upgrades) > 1, 60)
            if is_interrupted:
                scope.cancel()
            else:
                await lab.rig.do(PlugIn(1))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            with scope, suppress(Deviation):
                await update.run(bed)
                pytest.fail("the case came to its end")
        await trio.sleep(60)

    assert credentials(bed) == old


class NoSwitch(VirtualRig):
    """A rig that cannot cut the power."""

    def can(self, kind):
        return kind is not CutPower


async def test_the_local_list_is_empty_again(lab, autojump_clock):
    bed = lab.bed()
    await bed.configure(LocalAuthListEnabled="true")
    entry = AuthorizationData(id_tag="CARD", id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED))
    await bed.ask(
        SendLocalList(list_version=5, update_type="Full", local_authorization_list=(entry,)), "Accepted"
    )
    await bring_to_rest(bed)
    await lab.bed().configure(LocalAuthListEnabled="true")
    assert (await lab.csms.call(GetLocalListVersion())).list_version == 0


async def test_the_cache_is_empty_again(lab, autojump_clock):
    keys = {"AuthorizationCacheEnabled": "true", "LocalPreAuthorize": "true"}
    bed = lab.bed()
    await bed.configure(**keys)
    await bed.authorize()
    await bring_to_rest(bed)
    fresh = lab.bed()
    await fresh.configure(**keys)
    await fresh.authorize()  # asks the Central System


async def test_every_transaction_is_stopped_as_a_central_system_does(lab, autojump_clock):
    bed = lab.bed()
    await bed.charge("A", 1)
    await bed.charge("B", 2)
    await bring_to_rest(bed)
    assert [transaction.reason for transaction in lab.csms.ledger.values()] == ["Remote", "Remote"]


async def test_what_was_not_taken_is_delivered_before_the_next_case(lab, autojump_clock):
    """The case ends while the station waits to send its StopTransaction once more."""
    bed = lab.bed()
    await bed.configure(TransactionMessageAttempts="3", TransactionMessageRetryInterval="200")
    await bed.charge()
    lab.csms.override("StopTransaction", refuse)
    await bed.unplug()
    await lab.csms.wait_for_request("StopTransaction")
    await bring_to_rest(bed)
    rest = len(lab.csms.transcript)
    await trio.sleep(2000)
    assert "StopTransaction" not in {entry.action for entry in lab.csms.transcript[rest:]}


async def refuse(_request):
    return CallError(ErrorCode.INTERNAL_ERROR)


async def test_a_restart_that_takes_its_time_is_waited_for(lab, autojump_clock):
    """As of a station that answers for a while before it is gone."""

    class Late(type(lab.rig)):
        async def do(self, stimulus):
            nursery.start_soon(self.do_later, stimulus)

        async def do_later(self, stimulus):
            await trio.sleep(90)
            await super().do(stimulus)

    async with trio.open_nursery() as nursery:
        bed = lab.bed(Late(lab.station))
        await bed.cut_power()
        await bring_to_rest(bed)
        await lab.bed().quiet(200)


async def test_after_a_lost_link_the_station_dials_as_fast_as_before(lab, autojump_clock):
    """A station that waits ever longer would make every case longer than the one before."""
    for _ in range(5):
        bed = lab.bed()
        await bed.cut_link()
        await bed.quiet(30)
        await bed.restore_link()
        began = trio.current_time()
        await bed.until(lambda: bool(lab.csms.identities), "a connection", 300)
        await bring_to_rest(bed)
    assert trio.current_time() - began < 60


async def test_a_station_that_does_not_come_to_rest_is_told_with_where_it_is(lab, autojump_clock):
    bed = lab.bed()
    await bed.raise_fault(ChargePointErrorCode.OVER_VOLTAGE)
    bed.faults.clear()  # nobody remembers it
    await bed.expect(status("Faulted", error_code="OverVoltage"))
    with pytest.raises(Deviation, match=r"^between two cases connector 1 is Faulted; expected is Available"):
        await bring_to_rest(bed)
