"""DataTransfer in both directions (4.3, 5.6), and what the station file may declare of it."""

import pytest
import trio
from msgspec.structs import replace

from engine.station_file import StationFileError, load
from machines.vocabulary.ocpp import DataTransfer, DataTransferConf, DataTransferStatus
from machines.vocabulary.settings import VendorMessages
from machines.vocabulary.wire import CallError, DataTransferAsked, ErrorCode
from tests.lab import Lab


@pytest.fixture
async def full(tmp_path):
    """The station that declares DataTransfer, with one vendor who is refused beside the shipped one."""
    lab = Lab(tmp_path, "full")
    refused = VendorMessages(vendor_id="com.example", messages=("Order",), status="Rejected")
    settings = lab.station.settings
    declared = replace(settings, data_transfer=(*settings.data_transfer, refused))
    lab.station = replace(lab.station, settings=declared)
    return lab


@pytest.mark.parametrize(
    ("vendor_id", "message_id", "status", "data"),
    [
        ("nobody", None, "UnknownVendorId", None),
        ("nobody", "Ping", "UnknownVendorId", None),
        ("org.example", "Pong", "UnknownMessageId", None),
        ("org.example", "Ping", "Accepted", "pong"),
        ("ORG.Example", "pING", "Accepted", "pong"),
        ("org.example", None, "Accepted", "pong"),
        ("com.example", "Order", "Rejected", None),
        ("com.example", None, "UnknownMessageId", None),
    ],
)
async def test_what_is_taken_is_what_is_declared(full, autojump_clock, vendor_id, message_id, status, data):
    """5.6, TC_062; vendors and messages are CiStrings."""
    async with full.powered():
        conf = await full.csms.call(DataTransfer(vendor_id=vendor_id, message_id=message_id, data="x"))
    assert conf == DataTransferConf(status=DataTransferStatus(status), data=data)


async def test_a_station_that_does_not_declare_it_does_not_support_it(lab, autojump_clock):
    async with lab.powered():
        answer = await lab.csms.call(DataTransfer(vendor_id="org.example"))
    assert answer.code is ErrorCode.NOT_SUPPORTED


def outcome(lab):
    """How the latest transfer ended, as the bench shows it."""
    return lab.running.view().machines["data_transfer"].data


@pytest.mark.parametrize("status", DataTransferStatus)
async def test_what_the_station_sends_and_what_is_answered(full, autojump_clock, status):
    """4.3: the answer shows in the snapshot."""
    full.csms.override("DataTransfer", lambda _: DataTransferConf(status=status, data="thanks"))
    async with full.powered() as running:
        await running.deliver(DataTransferAsked("org.example", "Ping", "hello"))
        sent = await full.until("DataTransfer")
        await trio.sleep(1)
        assert sent == {"vendorId": "org.example", "messageId": "Ping", "data": "hello"}
        assert (outcome(full).outcome, outcome(full).data) == (status.value, "thanks")


async def test_a_transfer_that_fails_is_not_repeated(full, autojump_clock):
    """Who asked may ask again."""
    full.csms.override("DataTransfer", lambda _: CallError(ErrorCode.INTERNAL_ERROR))
    async with full.powered() as running:
        await running.deliver(DataTransferAsked("org.example"))
        await trio.sleep(3600)
        assert outcome(full).outcome == "failed"
    assert full.calls("DataTransfer") == [{"vendorId": "org.example"}]


async def test_nothing_is_sent_while_offline(full, autojump_clock):
    """Not now, and not later."""
    async with full.powered() as running:
        full.cut_link()
        await trio.sleep(1)
        await running.deliver(DataTransferAsked("org.example"))
        await trio.sleep(1)
        assert outcome(full).outcome == "not sent"
        full.restore_link()
        await trio.sleep(300)
    assert full.calls("DataTransfer") == []


async def test_nothing_is_sent_that_is_not_declared(lab, autojump_clock):
    async with lab.powered() as running:
        await running.deliver(DataTransferAsked("org.example"))
        await trio.sleep(60)
        assert outcome(lab).outcome == "not sent"
    assert lab.calls("DataTransfer") == []


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("messages = []\nstatus = 'Accepted'", "data_transfer.org.messages"),
        ("messages = ['']\nstatus = 'Maybe'", "data_transfer.org.status"),
        ("status = 'Accepted'", "data_transfer.org.messages"),
        ("messages = ['']", "data_transfer.org.status"),
        ("messages = ['']\nstatus = 'Accepted'\ncolour = 'red'", "data_transfer.org.colour"),
    ],
)
def test_a_wrong_vendor_is_refused_with_its_path(tmp_path, table, complaint):
    file = tmp_path / "station.toml"
    file.write_text(f'extends = "full"\n[data_transfer.org]\n{table}\n')
    with pytest.raises(StationFileError) as caught:
        load(file)
    assert [problem.path for problem in caught.value.problems] == [complaint]
