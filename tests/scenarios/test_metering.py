"""Meter values as the Central System sees them: sampled, clock-aligned, and with StopTransaction (facts 5.7)."""

import itertools
from datetime import datetime, timedelta

import pytest
import trio
from msgspec.structs import replace

from engine.store import Store
from machines.vocabulary.ocpp import (
    BootNotificationConf,
    ChangeConfiguration,
    HeartbeatConf,
    RegistrationStatus,
)
from machines.vocabulary.settings import Recovery
from tests.lab import Lab

REGISTER, INTERVAL = "Energy.Active.Import.Register", "Energy.Active.Import.Interval"


@pytest.fixture
async def lab(tmp_path):
    """All of OCPP 1.6, with two connectors; not yet powered."""
    return Lab(tmp_path, "full")


async def configure(lab, **keys):
    """What each ChangeConfiguration is answered."""
    answers = [
        await lab.csms.call(ChangeConfiguration(key=name, value=value)) for name, value in keys.items()
    ]
    return [answer.status.value for answer in answers]


async def stopped(lab):
    """Stop the running transaction by its card; the payload of its StopTransaction."""
    lab.swipe()
    return await lab.until("StopTransaction")


def samples(payloads):
    """Every meter value: when, context, and value by measurand and phase."""
    found = []
    for value in itertools.chain.from_iterable(payload["meterValue"] for payload in payloads):
        (context,) = {sampled["context"] for sampled in value["sampledValue"]}
        values = {(s["measurand"], s.get("phase")): s["value"] for s in value["sampledValue"]}
        found.append((datetime.fromisoformat(value["timestamp"]), context, values))
    return found


def each_once(payloads):
    """``payloads`` without those that were sent again, the very same, after a power cut (decision DL10)."""
    return [payload for place, payload in enumerate(payloads) if payload not in payloads[:place]]


def data(stop):
    """The transactionData of a StopTransaction, as ``samples`` has it."""
    return samples([{"meterValue": stop["transactionData"]}])


def registers(found):
    return [int(values[REGISTER, None]) for _, _, values in found]


def contexts(found):
    return [context for _, context, _ in found]


def gaps_s(found):
    times = [at for at, _, _ in found]
    return [(after - before).total_seconds() for before, after in itertools.pairwise(times)]


def is_on_grid(at, interval_s):
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (at - midnight) % timedelta(seconds=interval_s) == timedelta(0)


# Sampled


async def test_tc_070_sampled_values_with_every_measurand_that_is_declared(lab, autojump_clock):
    """Spacing exact, context Sample.Periodic, all measurands and phases, location EV only with SoC, format Raw."""
    items = lab.station.keys.find("MeterValuesSampledData").items
    plain = [item for item in items if item.count(".L") == 0]
    async with lab.powered():
        await configure(lab, MeterValuesSampledData=",".join(plain), MeterValueSampleInterval="30")
        transaction_id = await lab.charge()
        await trio.sleep(3 * 30 + 15)
        payloads = lab.calls("MeterValues")

    assert len(payloads) == 3
    assert {payload["transactionId"] for payload in payloads} == {transaction_id}
    assert {payload["connectorId"] for payload in payloads} == {1}
    found = samples(payloads)
    assert gaps_s(found) == [30.0, 30.0]
    for _, context, values in found:
        assert context == "Sample.Periodic"
        assert {measurand for measurand, _ in values} == set(plain)
        phases = {phase for measurand, phase in values if measurand == "Current.Import"}
        assert phases == {"L1", "L2", "L3"}
    for sampled in itertools.chain(*(value["sampledValue"] for p in payloads for value in p["meterValue"])):
        assert (sampled.get("location") == "EV") == (sampled["measurand"] == "SoC")
        assert sampled.get("format", "Raw") == "Raw"


async def test_tc_070_an_empty_list_means_the_register(lab, autojump_clock):
    async with lab.powered():
        await configure(lab, MeterValuesSampledData="", MeterValueSampleInterval="30")
        await lab.charge()
        await trio.sleep(3 * 30 + 15)
        found = samples(lab.calls("MeterValues"))

    assert [set(values) for _, _, values in found] == [{(REGISTER, None)}] * 3
    assert registers(found) == sorted(registers(found))


@pytest.mark.parametrize("item", ["Voltage.L2-N", "Current.Import.L3", "Power.Offered.L1"])
async def test_an_item_with_a_phase_reports_that_phase(lab, item, autojump_clock):
    async with lab.powered():
        await configure(lab, MeterValuesSampledData=item, MeterValueSampleInterval="30")
        await lab.charge()
        await trio.sleep(40)
        ((_, _, values),) = samples(lab.calls("MeterValues"))

    assert [f"{measurand}.{phase}" for measurand, phase in values] == [item]


async def test_a_new_sample_interval_counts_at_once(lab, autojump_clock):
    """A running transaction is sampled at the new distance, or not at all."""
    async with lab.powered():
        await configure(lab, MeterValueSampleInterval="600")
        await lab.charge()
        await trio.sleep(30)
        await configure(lab, MeterValueSampleInterval="20")
        await trio.sleep(70)
        assert gaps_s(samples(lab.calls("MeterValues"))) == [20.0, 20.0]
        await configure(lab, MeterValueSampleInterval="0")
        await trio.sleep(600)

    assert len(lab.calls("MeterValues")) == 3


async def test_new_measurands_count_from_the_next_sample(lab, autojump_clock):
    async with lab.powered():
        await configure(lab, MeterValuesSampledData=REGISTER, MeterValueSampleInterval="30")
        await lab.charge()
        await trio.sleep(40)
        await configure(lab, MeterValuesSampledData="Frequency,Temperature")
        await trio.sleep(30)
        first, second = samples(lab.calls("MeterValues"))

    assert set(first[2]) == {(REGISTER, None)}
    assert set(second[2]) == {("Frequency", None), ("Temperature", None)}


LISTS = ("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData")


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize(
    "value", ["Nonsense", "RPM", "Energy.Active.Export.Register", "Voltage.L9", "Voltage,Nonsense"]
)
async def test_what_is_unknown_or_not_measurable_is_rejected(lab, key, value, autojump_clock):
    async with lab.powered():
        assert await configure(lab, **{key: value}) == ["Rejected"]


@pytest.mark.parametrize("key", LISTS)
async def test_a_list_is_no_longer_than_its_max_length(lab, key, autojump_clock):
    declared = sorted(lab.station.keys.find(key).items, key=len)
    async with lab.powered():
        assert await configure(lab, **{key: ",".join(declared[:20])}) == ["Accepted"]
        assert await configure(lab, **{key: ",".join(declared[:21])}) == ["Rejected"]


async def test_the_energies_per_interval_add_up_even_over_a_power_cut(lab, autojump_clock):
    lab.recover(Recovery.RESUME)
    async with lab.powered():
        await configure(
            lab,
            MeterValuesSampledData=f"{REGISTER},{INTERVAL}",
            MeterValueSampleInterval="60",
            StopTxnSampledData=INTERVAL,
        )
        await lab.charge()
        await trio.sleep(150)
    async with lab.powered():
        await lab.until_status("Charging")
        await trio.sleep(150)
        stop = await stopped(lab)
    found = samples(each_once(lab.calls("MeterValues")))
    energies = [int(values[INTERVAL, None]) for _, _, values in found]
    (start,) = lab.calls("StartTransaction")

    assert len(energies) == 4
    assert sum(energies) == registers(found)[-1] - start["meterStart"]
    collected = [int(values[INTERVAL, None]) for _, _, values in data(stop)]
    assert sum(collected) == stop["meterStop"] - start["meterStart"]


# Clock-aligned


async def test_tc_071_clock_aligned_values(lab, autojump_clock):
    """Timestamps on the grid, context Sample.Clock, all measurands of MeterValuesAlignedData."""
    items = "Energy.Active.Import.Register,Voltage,Current.Offered"
    async with lab.powered():
        await trio.sleep(17)
        await configure(lab, MeterValuesAlignedData=items, MeterValueSampleInterval="0")
        transaction_id = await lab.charge()
        await configure(lab, ClockAlignedDataInterval="90")
        await trio.sleep(280)
        payloads = [payload for payload in lab.calls("MeterValues") if payload["connectorId"] == 1]

    found = samples(payloads)
    assert len(found) == 3
    assert {payload["transactionId"] for payload in payloads} == {transaction_id}
    assert all(is_on_grid(at, 90) for at, _, _ in found)
    assert gaps_s(found) == [90.0, 90.0]
    for _, context, values in found:
        assert context == "Sample.Clock"
        assert {measurand for measurand, _ in values} == set(items.split(","))


async def test_aligned_values_of_every_connector_without_a_transaction(lab, autojump_clock):
    lab.declare(clock_aligned_data_interval=60)
    async with lab.powered():
        await trio.sleep(130)
        payloads = lab.calls("MeterValues")

    assert [payload["connectorId"] for payload in payloads] == [1, 2, 1, 2]
    assert not any("transactionId" in payload for payload in payloads)
    assert all(is_on_grid(at, 60) for at, _, _ in samples(payloads))


async def test_no_aligned_values_before_the_station_is_accepted(lab, autojump_clock):
    lab.declare(clock_aligned_data_interval=60)
    lab.csms.override(
        "BootNotification",
        lambda _: BootNotificationConf(
            status=RegistrationStatus.PENDING, current_time=lab.now(), interval=20
        ),
    )
    async with lab.powered(until_accepted=False):
        await trio.sleep(300)
        assert not lab.calls("MeterValues")
        lab.csms.override("BootNotification", None)
        await lab.until("MeterValues")


async def test_aligned_values_are_kept_while_offline_and_delivered_in_order(lab, autojump_clock):
    lab.declare(clock_aligned_data_interval=60)
    async with lab.powered():
        lab.cut_link()
        await trio.sleep(600)
        assert not lab.calls("MeterValues")
        lab.restore_link()
        await trio.sleep(125)
        found = samples(payload for payload in lab.calls("MeterValues") if payload["connectorId"] == 2)

    assert len(found) >= 11
    assert set(gaps_s(found)) == {60.0}


async def test_a_new_aligned_interval_counts_at_once(lab, autojump_clock):
    async with lab.powered():
        await configure(lab, ClockAlignedDataInterval="3600")
        await trio.sleep(30)
        await configure(lab, ClockAlignedDataInterval="20")
        await trio.sleep(45)
        assert len(lab.calls("MeterValues")) == 2 * 2
        await configure(lab, ClockAlignedDataInterval="0")
        await trio.sleep(7200)

    assert len(lab.calls("MeterValues")) == 2 * 2


@pytest.mark.parametrize("jump_s", [-1000, -400, -3, 3, 400, 1000])
async def test_a_clock_that_is_set_shifts_no_grid(lab, jump_s, autojump_clock):
    """The Central System was wrong by so much; from the next heartbeat on it is right."""
    lab.declare(clock_aligned_data_interval=300)
    wrong = timedelta(seconds=-jump_s)
    lab.csms.override(
        "BootNotification",
        lambda _: BootNotificationConf(
            status=RegistrationStatus.ACCEPTED,
            current_time=lab.now() + timedelta(days=1) + wrong,
            interval=100,
        ),
    )
    lab.csms.override(
        "Heartbeat",
        lambda _: HeartbeatConf(current_time=lab.now() + timedelta(days=1)),
    )
    async with lab.powered():
        await trio.sleep(2 * 3600)
        found = samples(payload for payload in lab.calls("MeterValues") if payload["connectorId"] == 1)

    assert all(is_on_grid(at, 300) for at, _, _ in found)
    assert len({at for at, _, _ in found}) == len(found)
    assert set(gaps_s(found)[1:]) == {300.0}
    assert (lab.now() + timedelta(days=1) - found[-1][0]).total_seconds() < 301


async def test_an_empty_aligned_list_reports_nothing(lab, autojump_clock):
    """Decision M3."""
    lab.declare(clock_aligned_data_interval=60, meter_values_aligned_data=())
    async with lab.powered():
        await trio.sleep(300)

    assert not lab.calls("MeterValues")


# With StopTransaction


async def test_without_the_lists_there_is_no_transaction_data(lab, autojump_clock):
    async with lab.powered():
        await configure(lab, MeterValueSampleInterval="30", ClockAlignedDataInterval="30")
        await lab.charge()
        await trio.sleep(100)
        stop = await stopped(lab)

    assert "transactionData" not in stop


async def test_transaction_data_has_begin_samples_grid_and_end(lab, autojump_clock):
    """Each with its own measurands; begin and end with those of both lists."""
    async with lab.powered():
        await configure(
            lab,
            MeterValueSampleInterval="40",
            ClockAlignedDataInterval="60",
            StopTxnSampledData=REGISTER,
            StopTxnAlignedData="Voltage.L1-N",
        )
        await lab.charge()
        await trio.sleep(130)
        stop = await stopped(lab)
    found = data(stop)
    (start,) = lab.calls("StartTransaction")
    register, voltage = {(REGISTER, None)}, {("Voltage", "L1-N")}
    periodic = [one for one in found if one[1] == "Sample.Periodic"]
    clock = [one for one in found if one[1] == "Sample.Clock"]

    assert contexts(found)[0] == "Transaction.Begin"
    assert contexts(found)[-1] == "Transaction.End"
    assert [set(found[0][2]), set(found[-1][2])] == [register | voltage] * 2
    assert registers([found[0], found[-1]]) == [start["meterStart"], stop["meterStop"]]
    assert found[0][0] == datetime.fromisoformat(start["timestamp"])
    assert [set(values) for _, _, values in periodic] == [register] * 3
    assert gaps_s(periodic) == [40.0, 40.0]
    assert [set(values) for _, _, values in clock] == [voltage] * 2
    assert all(is_on_grid(at, 60) for at, _, _ in clock)
    assert [at for at, _, _ in found] == sorted(at for at, _, _ in found)


async def test_transaction_data_of_a_transaction_that_was_never_online(lab, autojump_clock):
    """Delivered when the connection is back; the samples went before."""
    lab.declare(
        stop_txn_sampled_data=(REGISTER,),
        meter_value_sample_interval=60,
        local_pre_authorize=True,
        allow_offline_tx_for_unknown_id=True,
    )
    async with lab.powered():
        lab.cut_link()
        lab.connector().plug_in()
        await trio.sleep(2)
        lab.swipe()
        await trio.sleep(305)
        lab.swipe()
        await trio.sleep(3600)
        lab.restore_link()
        stop = await lab.until("StopTransaction")

    assert contexts(data(stop)) == ["Transaction.Begin", *["Sample.Periodic"] * 5, "Transaction.End"]
    assert registers(data(stop))[1:-1] == registers(samples(lab.calls("MeterValues")))


@pytest.mark.parametrize("recovery", [Recovery.END, Recovery.RESUME])
async def test_a_power_cut_loses_nothing_that_was_collected(lab, recovery, autojump_clock):
    """And the end is read after it."""
    lab.recover(recovery)
    lab.declare(stop_txn_sampled_data=(REGISTER,), meter_value_sample_interval=60)
    async with lab.powered():
        await lab.charge()
        await trio.sleep(190)
    before = registers(samples(lab.calls("MeterValues")))
    await trio.sleep(1000)
    async with lab.powered():
        if recovery is Recovery.RESUME:
            await lab.until_status("Charging")
            await trio.sleep(70)
            lab.swipe()
        stop = await lab.until("StopTransaction")
    after = [] if recovery is Recovery.END else registers(samples(each_once(lab.calls("MeterValues"))))[3:]
    (start,) = lab.calls("StartTransaction")

    assert len(before) == 3
    assert registers(data(stop)) == [start["meterStart"], *before, *after, stop["meterStop"]]
    assert contexts(data(stop))[0] == "Transaction.Begin"
    assert contexts(data(stop))[-1] == "Transaction.End"


async def test_what_was_collected_is_kept_until_the_stop_is_answered(lab, autojump_clock):
    lab.declare(stop_txn_sampled_data=(REGISTER,), meter_value_sample_interval=60)

    def kept():
        store = Store(lab.directory)
        collected = store.collected(1)
        store.close()
        return len(collected)

    async with lab.powered():
        await lab.charge()
        await trio.sleep(190)
        lab.cut_link()
        lab.swipe()
        await trio.sleep(5)
    assert kept() == 5
    lab.is_linked = True
    async with lab.powered():
        stop = await lab.until("StopTransaction")
        await trio.sleep(5)

    assert len(data(stop)) == 5
    assert kept() == 0


async def test_transaction_data_is_capped_by_leaving_out_every_so_many(lab, autojump_clock):
    """StopTransactionMaxMeterValues: begin and end stay, what is between is even."""
    lab.declare(
        stop_txn_sampled_data=(REGISTER,), meter_value_sample_interval=10, stop_transaction_max_meter_values=7
    )
    async with lab.powered():
        await lab.charge()
        await trio.sleep(205)
        stop = await stopped(lab)
    found = data(stop)

    assert contexts(found) == ["Transaction.Begin", *["Sample.Periodic"] * 5, "Transaction.End"]
    assert gaps_s(found[1:-1]) == [40.0] * 4
    assert [registers(found)[0], registers(found)[-1]] == [
        lab.calls("StartTransaction")[0]["meterStart"],
        stop["meterStop"],
    ]


async def test_what_is_collected_is_bounded(lab, autojump_clock):
    """The declared ``collected_max``, here for some three hundred samples."""
    lab.limit(collected_max=20)
    lab.declare(
        stop_txn_sampled_data=(REGISTER,),
        meter_value_sample_interval=60,
        stop_transaction_max_meter_values=1000,
    )
    async with lab.powered():
        await lab.charge()
        await trio.sleep(5 * 3600)
        stop = await stopped(lab)
    found = data(stop)

    assert 10 <= len(found) - 2 <= 20
    assert contexts(found)[0] == "Transaction.Begin"
    assert contexts(found)[-1] == "Transaction.End"
    assert len(set(gaps_s(found[1:-2]))) == 1


async def test_a_stop_with_more_data_than_a_frame_holds_is_delivered_with_less(lab, autojump_clock):
    lab.limit(frame_size_max=16_384)
    lab.declare(
        stop_txn_sampled_data=("Voltage", "Current.Import", "Power.Active.Import"),
        meter_value_sample_interval=10,
        stop_transaction_max_meter_values=1000,
    )
    async with lab.powered():
        await lab.charge()
        await trio.sleep(3600)
        stop = await stopped(lab)
        await trio.sleep(5)
        assert lab.states()["delivery"] == "idle"

    assert 4 < len(stop["transactionData"]) < 50
    assert contexts(data(stop))[-1] == "Transaction.End"


async def test_the_lists_may_change_during_a_transaction(lab, autojump_clock):
    """What is collected follows at once; with both empty again there is no transactionData."""
    async with lab.powered():
        await configure(lab, MeterValueSampleInterval="30")
        await lab.charge()
        await configure(lab, StopTxnSampledData=REGISTER)
        await trio.sleep(65)
        await configure(lab, StopTxnSampledData="Frequency")
        await trio.sleep(30)
        found = data(await stopped(lab))
        lab.connector().unplug()
        await lab.until_status("Available")
        await lab.charge()
        await trio.sleep(65)
        await configure(lab, StopTxnSampledData="")
        stop = await stopped(lab)

    assert [set(values) for _, _, values in found] == [
        *[{(REGISTER, None)}] * 2,
        *[{("Frequency", None)}] * 2,
    ]
    assert "transactionData" not in stop


async def test_meter_values_that_are_not_declared_are_not_sent(lab, autojump_clock):
    """And nothing else is missing for it."""
    settings = lab.station.settings
    sends = settings.sends - {"MeterValues"}
    lab.station = replace(lab.station, settings=replace(settings, sends=sends))
    lab.declare(
        stop_txn_sampled_data=(REGISTER,), meter_value_sample_interval=30, clock_aligned_data_interval=30
    )
    async with lab.powered():
        await lab.charge()
        await trio.sleep(100)
        stop = await stopped(lab)

    assert not lab.calls("MeterValues")
    assert len(data(stop)) == 5


async def test_a_silent_meter_costs_no_more_than_its_samples(lab, autojump_clock):
    lab.declare(stop_txn_sampled_data=(REGISTER,), meter_value_sample_interval=30)
    async with lab.powered():
        await lab.charge()
        await trio.sleep(35)
        lab.connector().meter_silence(True)
        await trio.sleep(60)
        lab.connector().meter_silence(False)
        await trio.sleep(30)
        stop = await stopped(lab)

    assert contexts(data(stop)) == [
        *("Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End")
    ]


CONNECTORS = 16


async def test_every_connector_of_a_large_station_reports_every_point(tmp_path, autojump_clock):
    """What all of them are told at once is no endless loop."""
    file = tmp_path / "large.toml"
    connector = """
        [[connectors]]
        number = {}
        cable = "socket"
        has_lock = true
        current_max_a = 16
        current_min_a = 6
        phases = 1
        voltage_v = 230
        driver = "simulated"
    """
    connectors = "".join(connector.format(number) for number in range(1, CONNECTORS + 1))
    keys = 'ConnectorPhaseRotation = { default = ["1.Unknown"] }'
    reader = '[[readers]]\ndriver = "simulated"\nconnectors = [1]\n'
    file.write_text(f'extends = "full"\n[keys]\n{keys}\n{connectors}\n{reader}')
    lab = Lab(tmp_path / "state", str(file))
    async with lab.powered():
        await configure(lab, ClockAlignedDataInterval="60")
        await trio.sleep(130)
        reported = [payload["connectorId"] for payload in lab.calls("MeterValues")]

    assert sorted(reported) == sorted([*range(1, CONNECTORS + 1)] * 2)
