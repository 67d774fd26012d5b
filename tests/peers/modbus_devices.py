"""Devices that pymodbus' own server plays, in a thread, on a pseudo-terminal or over TCP, with faults on demand.

No other program is needed: the server gets the master of a pseudo-terminal as its serial port, and the station
opens the slave by a symbolic link that stays where it is. Unplugging closes the master.
"""

import asyncio
import os
import queue
import random
import sys
import threading
import tty
import types
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Self

import serial
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

GUARD_S = 60
BITS_SIZE = 32_000
READ_CODES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


class _Master(serial.Serial):
    """A port of pyserial that is a file open already: ``ptm://x/NUMBER``."""

    def open(self) -> None:
        self.fd = int(self.portstr.rsplit("/", 1)[1])
        os.set_blocking(self.fd, False)
        self.pipe_abort_read_r = self.pipe_abort_read_w = None
        self.pipe_abort_write_r = self.pipe_abort_write_w = None
        self.is_open = True

    def _reconfigure_port(self, force_update: bool = False) -> None:
        pass

    def read(self, size: int = 1) -> bytes:
        try:
            return os.read(self.fd, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise serial.SerialException(str(error)) from error

    def write(self, data: bytes) -> int:
        return os.write(self.fd, data) if data else 0

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.fd)


def register_handler() -> None:
    """Teach pyserial to take the master of a pseudo-terminal for a port."""
    serial.protocol_handler_packages[:] = ["serial.urlhandler"]
    module = types.ModuleType("serial.urlhandler.protocol_ptm")
    module.Serial = _Master
    sys.modules["serial.urlhandler.protocol_ptm"] = module


class PymodbusDevices:
    """A context manager; within it the server runs.

    Args:
        units: Addresses of the devices.
        link: Where the pseudo-terminal shall be found; None means TCP, on a port that the system chooses.
        registers: How many registers each table has, from 0.
    """

    def __init__(self, units: Sequence[int], link: Path | None = None, registers: int = 30_000) -> None:
        self.units = tuple(units)
        self.link = link
        self.port = 0
        self._registers = registers
        self._master = self._slave = -1
        # Faults
        self.lose = 0
        """Replies to come that get lost."""
        self.spoil = 0
        """Replies to come with a wrong check sum."""
        self.delay_s = 0.0
        """How long every reply takes."""
        self.refuse: dict[int, ExcCodes] = {}
        """Exceptions by address of the request."""
        self.chaos: random.Random | None = None
        """With it 5 % of the replies are lost, 5 % spoilt, and a delay is anything up to ``delay_s``."""
        self.silent: set[int] = set()
        """Units that do not answer."""

    def __enter__(self) -> Self:
        started: queue.Queue[BaseException | None] = queue.Queue()
        if self.link is not None:
            register_handler()
            self._master, self._slave = os.openpty()
            tty.setraw(self._master)
            tty.setraw(self._slave)
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        error = started.get(timeout=GUARD_S)
        if error is not None:
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        if self.link is not None:
            self.link.unlink(missing_ok=True)  # first: the number of the terminal is another one's soon
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(GUARD_S)
        assert not self._thread.is_alive()
        if self.link is not None:
            os.close(self._slave)

    def set(self, unit: int, table: str, address: int, values: Sequence[int]) -> None:
        """Let registers hold other values."""
        content: Any = [bool(value) for value in values] if table in ("coil", "discrete") else list(values)
        self._call(self._server.async_setValues(unit, READ_CODES[table], address, content))

    def get(self, unit: int, table: str, address: int, count: int = 1) -> list[int]:
        """What registers hold now."""
        return list(self._call(self._server.async_getValues(unit, READ_CODES[table], address, count)))

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(GUARD_S)

    async def _serve(self, started: "queue.Queue[BaseException | None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            devices = [self._device(unit) for unit in self.units]
            if self.link is None:
                self._server: Any = ModbusTcpServer(
                    devices, address=("127.0.0.1", 0), trace_packet=self._trace
                )
            else:
                self._server = ModbusSerialServer(
                    devices, framer=FramerType.RTU, port=f"ptm://x/{self._master}", trace_packet=self._trace
                )
                serial.protocol_handler_packages[:] = ["serial.urlhandler"]
            await self._server.serve_forever(background=True)
            if self.link is None:
                self.port = self._server.transport.sockets[0].getsockname()[1]
        except BaseException as error:
            started.put(error)
            raise
        started.put(None)
        await self._stopping.wait()
        await self._server.shutdown()

    def _device(self, unit: int) -> SimDevice:
        def bits() -> SimData:
            return SimData(0, values=[False] * BITS_SIZE, datatype=DataType.BITS)

        def registers() -> SimData:
            return SimData(0, values=[0] * self._registers, datatype=DataType.REGISTERS)

        return SimDevice(unit, ([bits()], [bits()], [registers()], [registers()]), action=self._act)

    async def _act(
        self, function: int, start: int, address: int, count: int, registers: Any, values: Any
    ) -> ExcCodes | None:
        if self.delay_s:
            share = self.chaos.random() if self.chaos else 1.0
            await asyncio.sleep(share * self.delay_s)
        return self.refuse.get(address)

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if not data or not sending:
            # A request that is dropped here would stay in the buffer, and be answered with the next one.
            return data
        unit = data[0] if self.link is not None else data[6]
        if unit not in self.units or unit in self.silent:
            # The server refuses requests to a unit that is not there; a line is silent then.
            return b""
        if self.chaos:
            fault = self.chaos.random()
            self.lose, self.spoil = int(fault < 0.05), int(0.05 <= fault < 0.1)
        if self.lose:
            self.lose -= 1
            return b""
        if self.spoil:
            self.spoil -= 1
            return data[:-1] + bytes([data[-1] ^ 0xFF])
        return data
