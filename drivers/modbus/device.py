"""A device on a Modbus line, spoken to by the names of its register map."""

import math
from collections.abc import Collection, Mapping

import trio

from drivers.modbus.client import ModbusClient
from drivers.modbus.errors import ILLEGAL_ADDRESS, ExceptionReplyError
from drivers.modbus.frames import Function
from drivers.register_map import Block, RegisterMap, Write, plan, registers_of, value_of
from drivers.registers import Register, Value, encode

ASK_AGAIN_S = 30.0
"""After which a device is asked once more for what it refused: one that is just starting may refuse everything."""
READS = {
    "holding": Function.READ_HOLDING_REGISTERS,
    "input": Function.READ_INPUT_REGISTERS,
    "coil": Function.READ_COILS,
    "discrete": Function.READ_DISCRETE_INPUTS,
}


class MappedDevice:
    """One device.

    Args:
        client: The line that it is on.
        unit: Its address there.
        registers: Its map.
    """

    def __init__(self, client: ModbusClient, unit: int, registers: RegisterMap) -> None:
        self.client = client
        self.unit = unit
        self.map = registers
        self._apart: set[Register] = set()
        """Neighbours that the device refused to give by one request."""
        self._refused: set[Register] = set()
        """Registers that the device does not have."""
        self._connections = 0
        self._ask_again_at = -math.inf
        self._beats_at = -math.inf

    async def read(self, names: Collection[str]) -> dict[str, Value]:
        """Read values; those that the device does not have are None.

        Raises:
            ModbusError: It did not answer, or refuses for another reason than a wrong address.
        """
        quantities = [self.map.values[name] for name in names]
        self._forget_what_may_have_changed()
        words: dict[Register, tuple[int, ...]] = {}
        while True:
            wanted = registers_of(quantities, self._refused) - words.keys()
            if not wanted:
                break
            for block in plan(wanted, self.map.bus, self._apart):
                if not await self._read_block(block, words):
                    break
        return {name: value_of(self.map.values[name], words) for name in names}

    async def act(self, action: str, arguments: Mapping[str, float] | None = None) -> None:
        """Tell the device to do something.

        Raises:
            ModbusError: Whether it was told is unknown.
        """
        declared, given = self.map.actions[action], arguments or {}
        assert given.keys() == declared.arguments.keys(), f"{action}: {sorted(given)}"
        for name, allowed in declared.arguments.items():
            assert allowed.min <= given[name] <= allowed.max, f"{action}: {name} is {given[name]}"
        for write in declared.writes:
            await self.write(write, given)

    async def beat(self) -> None:
        """Write the heartbeat, if there is one and it is due.

        Raises:
            ModbusError: Whether it was written is unknown.
        """
        heartbeat = self.map.heartbeat
        if heartbeat is not None and trio.current_time() >= self._beats_at:
            for write in heartbeat.writes:
                await self.write(write, {})
            self._beats_at = trio.current_time() + heartbeat.period_s

    async def write(self, write: Write, arguments: Mapping[str, float]) -> None:
        """Write one register.

        Raises:
            ModbusError: Whether it was written is unknown.
        """
        value = arguments[write.value] if isinstance(write.value, str) else write.value
        # Never more than was asked for.
        raw = math.floor(value / write.register.scale)
        words = encode(write.register, raw)
        if write.register.table == "coil":
            function = Function.WRITE_COIL
        else:
            function = Function.WRITE_REGISTER if len(words) == 1 else Function.WRITE_REGISTERS
        await self.client.write(self.unit, function, write.register.address, words)

    def _forget_what_may_have_changed(self) -> None:
        """It may be another device now, or have started meanwhile."""
        now = trio.current_time()
        if self._connections != self.client.connections or now >= self._ask_again_at:
            self._connections, self._ask_again_at = self.client.connections, now + ASK_AGAIN_S
            self._apart.clear()
            self._refused.clear()

    async def _read_block(self, block: Block, words: dict[Register, tuple[int, ...]]) -> bool:
        """Put what ``block`` holds into ``words``; False if the plan has to be made anew."""
        try:
            values = await self.client.read(self.unit, READS[block.table], block.address, block.count)
        except ExceptionReplyError as error:
            if error.code != ILLEGAL_ADDRESS:
                raise
            (self._apart if len(block.registers) > 1 else self._refused).update(block.registers)
            return False
        for register in block.registers:
            start = register.address - block.address
            words[register] = values[start : start + register.words]
        return True
