"""Declared serial lines: the settings of a port, what opens it, and other numbers as declared."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import trio

from drivers.serial_port import SerialSettings, open_port

if TYPE_CHECKING:
    from drivers.asyncio_serial import AsyncioPorts

Table = dict[str, object]


class SerialPorts:
    """The serial ports of a station, each opened by the backend that is declared for it."""

    def __init__(self) -> None:
        self._asyncio: AsyncioPorts | None = None

    def opener(self, declared: Table, settings: SerialSettings) -> Callable[[], Awaitable[trio.abc.Stream]]:
        """What opens the port that is ``declared``.

        Raises:
            ModuleNotFoundError: Its backend is not installed.
        """
        if declared.get("backend") != "asyncio":
            return partial(open_port, settings)
        from drivers.asyncio_serial import AsyncioPorts

        self._asyncio = self._asyncio or AsyncioPorts()
        return partial(self._asyncio.open_port, settings)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what the backends need; ports are opened within."""
        if self._asyncio is None:
            yield
        else:
            async with self._asyncio.running():
                yield


def serial_settings(declared: Table, baudrate: int, parity: str = "N", stopbits: int = 1) -> SerialSettings:
    """A serial line as ``declared``, and else as its device usually has it."""
    stated_baudrate, stated_stopbits = declared.get("baudrate", baudrate), declared.get("stopbits", stopbits)
    assert isinstance(stated_baudrate, int)
    assert isinstance(stated_stopbits, int)
    return SerialSettings(
        device=str(declared["device"]),
        baudrate=stated_baudrate,
        parity=str(declared.get("parity", parity)),
        stopbits=stated_stopbits,
        rs485=str(declared.get("rs485", "")),
    )


def numbers(declared: Table, *names: str) -> dict[str, float]:
    """Those of ``names`` that are declared."""
    return {
        name: float(value)
        for name in names
        if isinstance(value := declared.get(name), int | float) and not isinstance(value, bool)
    }
