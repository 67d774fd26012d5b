"""A Modbus device in memory: a Trio task at the other end of a stream, for tests in virtual time.

Written from the specification alone, so that it shares no mistake with pymodbus.
"""

import struct
from collections import deque
from collections.abc import Callable

import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, memory_stream_pair

Tables = dict[str, dict[int, int]]
"""By table (``holding``, ``input``, ``coil``, ``discrete``) and address."""

READS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES = {5: "coil", 6: "holding", 16: "holding"}


def check_sum(frame: bytes) -> bytes:
    """Check sum of a message (Modbus over Serial Line 1.02, section 6.2.2)."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)


class Reply:
    """What becomes of one reply: the default is a good one at once."""

    def __init__(
        self,
        *,
        after_s: float = 0.0,
        lost: bool = False,
        spoilt: bool = False,
        exception: int = 0,
        noise: bytes = b"",
        chunk_size: int = 1000,
        edit: Callable[[bytes], bytes] = lambda frame: frame,
    ) -> None:
        self.after_s = after_s
        self.lost = lost
        self.spoilt = spoilt
        self.exception = exception
        self.noise = noise
        self.chunk_size = chunk_size
        self.edit = edit
        """Changes the message before its check sum."""


LOST, SPOILT = Reply(lost=True), Reply(spoilt=True)


class MemoryDevices:
    """Devices on one line over RTU, by unit.

    A register that was never set answers with its own address if ``echoes_addresses``, else exception 2.
    """

    def __init__(self, nursery: trio.Nursery, *, echoes_addresses: bool = False) -> None:
        self._nursery = nursery
        self._echoes_addresses = echoes_addresses
        self.units: dict[int, Tables] = {}
        self.replies: deque[Reply] = deque()
        """Of the requests to come, in order; then all are good."""
        self.silent: set[int] = set()
        """Units that do not answer."""
        self.requests: list[tuple[int, int, int]] = []
        """Unit, function and address of every request that came."""
        self.writes: list[tuple[int, str, int, int]] = []
        """Unit, table, address and value, in order."""
        self.plugged = True
        self._ends: list[trio.StapledStream[MemorySendStream, MemoryReceiveStream]] = []

    def device(self, unit: int) -> Tables:
        """The tables of ``unit``, which is there from now on."""
        return self.units.setdefault(unit, {"coil": {}, "discrete": {}, "holding": {}, "input": {}})

    async def connect(self) -> trio.abc.Stream:
        """A line to the devices, as a client opens it."""
        await trio.lowlevel.checkpoint()
        if not self.plugged:
            raise OSError("no such port")
        near, far = memory_stream_pair()
        self._ends.append(far)
        self._nursery.start_soon(self._serve, far)
        return near

    def unplug(self) -> None:
        """Let the port vanish."""
        self.plugged = False
        for end in self._ends:
            end.send_stream.close()
        self._ends.clear()

    async def _serve(self, line: trio.abc.Stream) -> None:
        heard = b""
        try:
            async for chunk in line:
                heard += chunk
                while (size := _size(heard)) <= len(heard):
                    request, heard = heard[:size], heard[size:]
                    assert check_sum(request[:-2]) == request[-2:]
                    await self._answer(line, request[:-2])
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # unplugged

    async def _answer(self, line: trio.abc.Stream, request: bytes) -> None:
        unit, function, address = struct.unpack(">BBH", request[:4])
        self.requests.append((unit, function, address))
        reply = self.replies.popleft() if self.replies else Reply()
        if unit in self.silent or (unit not in self.units and not self._echoes_addresses) or reply.lost:
            return
        exception = reply.exception
        body = b""
        if not exception:
            try:
                body = self._carry_out(unit, function, address, request)
            except KeyError:
                exception = 2
        frame = reply.edit(bytes([unit, function | 0x80, exception]) if exception else request[:2] + body)
        await trio.sleep(reply.after_s)
        wire = reply.noise + frame + (b"??" if reply.spoilt else check_sum(frame))
        for start in range(0, len(wire), reply.chunk_size):
            await line.send_all(wire[start : start + reply.chunk_size])
            await trio.sleep(0.003 if reply.chunk_size < len(wire) else 0)

    def _carry_out(self, unit: int, function: int, address: int, request: bytes) -> bytes:
        tables = self.device(unit)
        if function in READS:
            count = int.from_bytes(request[4:6], "big")
            values = [self._value(tables[READS[function]], at) for at in range(address, address + count)]
            if function >= 3:
                return struct.pack(f">B{count}H", 2 * count, *values)
            packed = sum(bool(value) << bit for bit, value in enumerate(values))
            size = -(-count // 8)
            return bytes([size]) + packed.to_bytes(size, "little")
        table = WRITES[function]
        if function == 16:
            values = list(struct.unpack(f">{request[6] // 2}H", request[7:]))
        else:
            values = [int.from_bytes(request[4:6], "big")]
        for at, value in enumerate(values, address):
            written = int(value == 0xFF00) if table == "coil" else value
            tables[table][at] = written
            self.writes.append((unit, table, at, written))
        return request[2:6]

    def _value(self, table: dict[int, int], address: int) -> int:
        return table.get(address, address) if self._echoes_addresses else table[address]


def _size(heard: bytes) -> int:
    """Size of the request that begins ``heard``; more than there is while that is unknown."""
    if len(heard) < 8:
        return 8
    return 9 + heard[6] if heard[1] == 16 else 8
