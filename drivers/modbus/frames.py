"""Modbus requests as bytes and bytes as replies, with the messages and framers of pymodbus.

The only module that knows pymodbus: its interface changes from one minor version to the next. Nothing here waits.

A reply over RTU carries neither a number nor the address that was read, so all that a reply can tell is compared
with the request: device, function, number of values, and the echo of a write.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from drivers.modbus.errors import BadFrameError, ExceptionReplyError

REGISTERS_MAX = 125
"""Registers in one reply (Modbus Application Protocol 1.1b3, section 6.3)."""
UNITS = range(1, 248)
"""Addresses of devices on a serial line. Over TCP 0 and 255 mean the device that has the connection."""


class Framing(StrEnum):
    """How a message stands on the line."""

    RTU = "rtu"
    """Device, message, check sum. Also over TCP, through a converter."""
    TCP = "tcp"
    """Header with a transaction number."""


class Function(IntEnum):
    """Function codes in use."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_COIL = 5
    WRITE_REGISTER = 6
    WRITE_REGISTERS = 16


REPEATABLE = frozenset(Function) - {Function.WRITE_COIL}
"""Functions that may be sent again when no reply came. A coil may be a push button."""
BITS = frozenset({Function.READ_COILS, Function.READ_DISCRETE_INPUTS})

PDUS: dict[Function, type[ModbusPDU]] = {
    Function.READ_COILS: bits.ReadCoilsRequest,
    Function.READ_DISCRETE_INPUTS: bits.ReadDiscreteInputsRequest,
    Function.READ_HOLDING_REGISTERS: registers.ReadHoldingRegistersRequest,
    Function.READ_INPUT_REGISTERS: registers.ReadInputRegistersRequest,
    Function.WRITE_COIL: bits.WriteSingleCoilRequest,
    Function.WRITE_REGISTER: registers.WriteSingleRegisterRequest,
    Function.WRITE_REGISTERS: registers.WriteMultipleRegistersRequest,
}


class Request(Struct, frozen=True, kw_only=True):
    """One request to one device."""

    unit: int
    """Address of the device."""
    function: Function
    address: int
    """Of the first register or coil, from 0."""
    count: int = 1
    """How many are read."""
    values: tuple[int, ...] = ()
    """What is written, 0..65535 each; 0 or 1 for a coil."""

    @property
    def is_write(self) -> bool:
        """Whether the request changes something."""
        return self.function >= Function.WRITE_COIL

    @property
    def reply_size(self) -> int:
        """Bytes of the reply over RTU, if the device does not refuse."""
        if self.is_write:
            return 8
        return 5 + (-(-self.count // 8) if self.function in BITS else 2 * self.count)


class Codec:
    """Encodes requests and decodes what comes back.

    Args:
        framing: How a message stands on the line.
    """

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._framer = (FramerRTU if framing is Framing.RTU else FramerSocket)(DecodePDU(False))

    def encode(self, request: Request, transaction: int) -> bytes:
        """The bytes of ``request``. ``transaction`` is its number over TCP, 1..65535, and 0 over RTU."""
        pdu = PDUS[request.function](dev_id=request.unit, address=request.address, transaction_id=transaction)
        if request.function is Function.WRITE_COIL:
            pdu.bits = [bool(request.values[0])]
        elif request.is_write:
            pdu.registers = list(request.values)
            pdu.count = len(request.values)
        else:
            pdu.count = request.count
        return self._framer.buildFrame(pdu)

    def decode(self, received: bytearray, request: Request, transaction: int) -> tuple[int, ...] | None:
        """Take the reply to ``request`` out of ``received``.

        Returns:
            The values read, those written, or None while more bytes are needed.

        Raises:
            BadFrameError: It is a reply to something else, or spoilt.
            ExceptionReplyError: The device refuses.
        """
        try:
            used, pdu = self._framer.handleFrame(bytes(received), request.unit, transaction)
        except ModbusException as error:
            raise BadFrameError(f"unit {request.unit}: {error}") from error
        del received[:used]
        if pdu is None:
            if used and self._framing is Framing.RTU:
                raise BadFrameError(f"unit {request.unit}: wrong check sum, or another device answered")
            return None
        return _values_of(pdu, request, transaction)


def _values_of(pdu: ModbusPDU, request: Request, transaction: int) -> tuple[int, ...]:
    """The values in ``pdu``, if it answers ``request``."""
    where = f"unit {request.unit}"
    if pdu.dev_id != request.unit or pdu.transaction_id != transaction:
        raise BadFrameError(f"{where}: the reply is that of unit {pdu.dev_id}, number {pdu.transaction_id}")
    if pdu.function_code & 0x7F != request.function:
        raise BadFrameError(f"{where}: function {request.function} was answered by {pdu.function_code}")
    if pdu.isError():
        raise ExceptionReplyError(request.function, pdu.exception_code)
    if request.is_write:
        return _echo_of(pdu, request)
    if request.function in BITS:
        # Whole bytes are transferred, the last one filled up.
        if not request.count <= len(pdu.bits) < request.count + 8:
            raise BadFrameError(f"{where}: {request.count} bits were answered by {len(pdu.bits)}")
        return tuple(int(bit) for bit in pdu.bits[: request.count])
    if len(pdu.registers) != request.count:
        raise BadFrameError(f"{where}: {request.count} registers were answered by {len(pdu.registers)}")
    return tuple(pdu.registers)


def _echo_of(pdu: ModbusPDU, request: Request) -> tuple[int, ...]:
    written: tuple[int, ...] = request.values
    if request.function is Function.WRITE_REGISTERS:
        is_echo = pdu.count == len(written)
    elif request.function is Function.WRITE_COIL:
        is_echo = tuple(int(bit) for bit in pdu.bits[:1]) == written
    else:
        is_echo = tuple(pdu.registers) == written
    if not is_echo or pdu.address != request.address:
        raise BadFrameError(f"unit {request.unit}: the echo is not what was written to {request.address}")
    return written
