"""The direction of RS-485 by RTS: what the kernel is asked for, and a port that cannot do it."""

import ctypes
import re

import pytest
from serial import serialposix

from drivers.asyncio_serial import AsyncioPorts
from drivers.serial_port import RS485, TIOCSRS485, SerialSettings, open_port, rs485_request
from tests.peers.modbus_devices import PymodbusDevices


class SerialRs485(ctypes.Structure):
    """``struct serial_rs485`` of linux/serial.h."""

    _fields_ = (
        ("flags", ctypes.c_uint32),
        ("delay_rts_before_send", ctypes.c_uint32),
        ("delay_rts_after_send", ctypes.c_uint32),
        ("padding", ctypes.c_uint32 * 5),
    )


@pytest.fixture
def line(tmp_path):
    with PymodbusDevices([1], tmp_path / "line", registers=10) as devices:
        yield devices


@pytest.mark.parametrize(
    ("mode", "flag"),
    [("rts", serialposix.SER_RS485_RTS_ON_SEND), ("rts_inverted", serialposix.SER_RS485_RTS_AFTER_SEND)],
)
def test_what_is_asked_for_is_what_the_kernel_and_pyserial_know(mode, flag):
    request = rs485_request(mode)
    assert len(request) == ctypes.sizeof(SerialRs485)
    asked = SerialRs485.from_buffer_copy(request)
    assert asked.flags == serialposix.SER_RS485_ENABLED | flag
    assert (asked.delay_rts_before_send, asked.delay_rts_after_send) == (0, 0)
    assert bytes(asked.padding) == bytes(20)
    assert serialposix.TIOCSRS485 == TIOCSRS485


@pytest.mark.parametrize("mode", RS485)
@pytest.mark.parametrize("backend", ["trio", "asyncio"])
async def test_a_port_that_cannot_switch_says_so_and_is_let_go(line, mode, backend):
    ports = AsyncioPorts()
    async with ports.running():
        opener = open_port if backend == "trio" else ports.open_port
        why = f'{line.link}: rs485 = "{mode}": its driver cannot switch the direction by RTS: Inappropriate ioctl'
        with pytest.raises(OSError, match=re.escape(why)):
            await opener(SerialSettings(device=str(line.link), rs485=mode))
        async with await opener(SerialSettings(device=str(line.link))):
            pass
