"""The Modbus client in virtual time: whatever happens on the line, no register is ever taken for another."""

from itertools import pairwise

import pytest
import trio
from msgspec.structs import replace
from trio.testing import memory_stream_pair

from drivers.modbus.client import ClientSettings, ModbusClient, silence_of
from drivers.modbus.errors import BadFrameError, DisconnectedError, ExceptionReplyError, NoResponseError
from drivers.modbus.frames import Framing, Function
from tests.peers.modbus_memory import LOST, SPOILT, MemoryDevices, Reply

ONCE = ClientSettings(timeout_s=0.5, retries=0, late_window_s=0.5)


@pytest.fixture
def devices(nursery: trio.Nursery) -> MemoryDevices:
    return MemoryDevices(nursery, echoes_addresses=True)


def client_of(devices: MemoryDevices, settings: ClientSettings = ONCE) -> ModbusClient:
    return ModbusClient(devices.connect, Framing.RTU, settings)


async def holding(client: ModbusClient, address: int, count: int = 1, unit: int = 1) -> tuple[int, ...]:
    return await client.read(unit, Function.READ_HOLDING_REGISTERS, address, count)


async def test_registers_are_read(devices, autojump_clock):
    assert await holding(client_of(devices), 5, 3) == (5, 6, 7)


async def test_registers_of_the_other_table_are_read(devices, autojump_clock):
    devices.device(1)["input"][5] = 77
    assert await client_of(devices).read(1, Function.READ_INPUT_REGISTERS, 5, 1) == (77,)


async def test_bits_are_read_as_many_as_asked_for(devices, autojump_clock):
    devices.device(1)["coil"].update({0: 1, 1: 0, 2: 1})
    assert await client_of(devices).read(1, Function.READ_COILS, 0, 3) == (1, 0, 1)


@pytest.mark.parametrize(
    ("function", "values", "written"),
    [
        (Function.WRITE_COIL, (1,), [(1, "coil", 9, 1)]),
        (Function.WRITE_REGISTER, (16,), [(1, "holding", 9, 16)]),
        (Function.WRITE_REGISTERS, (1, 2), [(1, "holding", 9, 1), (1, "holding", 10, 2)]),
    ],
)
async def test_values_are_written(devices, function, values, written, autojump_clock):
    await client_of(devices).write(1, function, 9, values)
    assert devices.writes == written


async def test_a_reply_may_come_in_pieces(devices, autojump_clock):
    devices.replies.append(Reply(chunk_size=1))
    assert await holding(client_of(devices), 300, 4) == (300, 301, 302, 303)


async def test_silence_is_told_at_the_time_out(devices, autojump_clock):
    devices.replies.append(LOST)
    begin = trio.current_time()
    with pytest.raises(NoResponseError):
        await holding(client_of(devices), 1)
    assert 0.5 <= trio.current_time() - begin < 0.51


async def test_a_wrong_check_sum_is_told_at_once(devices, autojump_clock):
    devices.replies.append(SPOILT)
    begin = trio.current_time()
    with pytest.raises(BadFrameError):
        await holding(client_of(devices), 1)
    assert trio.current_time() - begin < 0.01


async def test_reading_is_tried_again(devices, autojump_clock):
    devices.replies.extend([LOST, SPOILT])
    assert await holding(client_of(devices, replace(ONCE, retries=2)), 9) == (9,)


async def test_a_register_is_written_again(devices, autojump_clock):
    devices.replies.append(LOST)
    client = client_of(devices, replace(ONCE, retries=1))
    await client.write(1, Function.WRITE_REGISTER, 9, (16,))
    assert devices.writes == [(1, "holding", 9, 16)]


async def test_a_coil_is_not_written_again(devices, autojump_clock):
    devices.replies.append(LOST)
    with pytest.raises(NoResponseError):
        await client_of(devices, replace(ONCE, retries=2)).write(1, Function.WRITE_COIL, 9, (1,))
    assert len(devices.requests) == 1


async def test_a_refusal_is_told_at_once_with_its_code(devices, autojump_clock):
    devices.replies.append(Reply(exception=6))
    with pytest.raises(ExceptionReplyError) as caught:
        await holding(client_of(devices, replace(ONCE, retries=2)), 9)
    assert caught.value.code == 6
    assert len(devices.requests) == 1


@pytest.mark.parametrize(
    "edit",
    [
        lambda frame: b"\x02" + frame[1:],
        lambda frame: frame[:1] + b"\x04" + frame[2:],
        lambda frame: frame[:2] + b"\x02" + frame[3:5],
    ],
    ids=["another device", "another function", "fewer registers"],
)
async def test_a_reply_to_something_else_is_refused(devices, edit, autojump_clock):
    devices.replies.append(Reply(edit=edit))
    with pytest.raises(BadFrameError):
        await holding(client_of(devices), 9, 2)


async def test_an_echo_of_another_value_is_refused(devices, autojump_clock):
    devices.replies.append(Reply(edit=lambda frame: frame[:4] + b"\x00\x07"))
    with pytest.raises(BadFrameError):
        await client_of(devices).write(1, Function.WRITE_REGISTER, 9, (16,))


@pytest.mark.parametrize("late_s", [0.1, 0.3, 0.49, 0.6, 0.95])
async def test_the_reply_to_a_cancelled_request_is_taken_for_no_other(devices, late_s, autojump_clock):
    client = client_of(devices)
    devices.replies.append(Reply(after_s=late_s))
    with trio.move_on_after(0.05):
        await holding(client, 100, 2)
    assert await holding(client, 200, 2) == (200, 201)
    assert await holding(client, 300, 2) == (300, 301)


@pytest.mark.parametrize("late_s", [0.51, 0.7, 0.99])
async def test_a_reply_after_the_time_out_is_taken_for_no_other(devices, late_s, autojump_clock):
    client = client_of(devices)
    devices.replies.append(Reply(after_s=late_s))
    with pytest.raises(NoResponseError):
        await holding(client, 100, 2)
    assert await holding(client, 200, 2) == (200, 201)


async def test_the_reply_that_follows_noise_is_taken_for_no_other(devices, autojump_clock):
    client = client_of(devices)
    devices.replies.append(Reply(noise=b"\x01\x83\x02\xff\xff\x00"))
    with pytest.raises(BadFrameError):
        await holding(client, 100, 2)
    assert await holding(client, 200, 2) == (200, 201)


async def test_a_late_reply_that_has_come_is_not_waited_for_any_longer(devices, autojump_clock):
    client = client_of(devices)
    devices.replies.append(Reply(after_s=0.1))
    with trio.move_on_after(0.05):
        await holding(client, 100)
    begin = trio.current_time()
    await holding(client, 200)
    assert trio.current_time() - begin < 0.1


async def test_what_lies_on_the_line_before_a_request_is_dropped(nursery, autojump_clock):
    near, far = memory_stream_pair()

    async def connect() -> trio.abc.Stream:
        return near

    await far.send_all(bytes.fromhex("0103020007f986"))
    client = ModbusClient(connect, Framing.RTU, ONCE)
    with pytest.raises(NoResponseError):
        await holding(client, 1)


async def test_tasks_are_served_in_the_order_of_asking(devices, nursery, autojump_clock):
    client, got = client_of(devices), []

    async def ask(number: int) -> None:
        got.append((number, await holding(client, number)))

    async with trio.open_nursery() as askers:
        for number in range(20):
            askers.start_soon(ask, number)
    assert sorted(got) == [(number, (number,)) for number in range(20)]


async def test_a_lost_line_is_told_at_once(devices, autojump_clock):
    client = client_of(devices)
    await holding(client, 1)
    devices.unplug()
    begin = trio.current_time()
    with pytest.raises(DisconnectedError):
        await holding(client, 1)
    assert trio.current_time() - begin < 0.01


async def test_a_line_that_is_back_is_opened_again(devices, autojump_clock):
    client = client_of(devices)
    await holding(client, 1)
    devices.unplug()
    with pytest.raises(DisconnectedError):
        await holding(client, 1)
    devices.plugged = True
    assert await holding(client, 7) == (7,)
    assert client.connections == 2


async def test_a_line_that_stays_away_is_tried_at_growing_intervals(nursery, autojump_clock):
    tried: list[float] = []

    async def connect() -> trio.abc.Stream:
        tried.append(trio.current_time())
        raise OSError("no such port")

    client = ModbusClient(connect, Framing.RTU, ONCE)
    while len(tried) < 8:
        with pytest.raises(DisconnectedError):
            await holding(client, 1)
        await trio.sleep(0.05)
    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0], abs=0.06)


async def test_a_line_that_is_not_opened_in_time_is_given_up(nursery, autojump_clock):
    client = ModbusClient(trio.sleep_forever, Framing.RTU, ONCE)
    with pytest.raises(DisconnectedError):
        await holding(client, 1)
    assert trio.current_time() >= ONCE.connect_timeout_s


def test_the_pause_on_a_line_follows_its_speed():
    assert silence_of(9600, 10) == pytest.approx(0.003646, abs=1e-6)
    assert silence_of(115_200, 10) == 0.00175
