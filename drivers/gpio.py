"""Lines of a chip, by libgpiod."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import trio
from msgspec import Struct

from drivers.lines import LineChange

if TYPE_CHECKING:
    from gpiod.line import Value

DEBOUNCE = timedelta(milliseconds=10)


class LineSettings(Struct, frozen=True, kw_only=True):
    """One line of a chip."""

    name: str
    """As the chip calls it, or its number."""
    active_low: bool = False

    @property
    def key(self) -> str | int:
        """As libgpiod wants it: a name, or an offset."""
        return int(self.name) if self.name.isdecimal() else self.name


def check_library() -> None:
    """Find out at the start, and not when the lines are needed, whether libgpiod is there.

    Raises:
        ModuleNotFoundError: It is not.
    """
    import gpiod  # noqa: F401


class ChipLines:
    """Lines of a chip, by libgpiod.

    Args:
        chip: Path of the chip, /dev/gpiochip0.
        outputs: Which line is which output. They are inactive until they are set.
        inputs: Which line is which input.

    Raises:
        OSError: A line is not there, or in use.
    """

    def __init__(
        self, chip: str, outputs: Mapping[str, LineSettings], inputs: Mapping[str, LineSettings]
    ) -> None:
        import gpiod
        from gpiod.line import Direction, Edge, Value

        self._active, self._inactive = Value.ACTIVE, Value.INACTIVE
        self._lines = {role: line.key for role, line in {**outputs, **inputs}.items()}
        config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {
            line.key: gpiod.LineSettings(
                direction=Direction.OUTPUT, output_value=Value.INACTIVE, active_low=line.active_low
            )
            for line in outputs.values()
        }
        config |= {
            line.key: gpiod.LineSettings(
                direction=Direction.INPUT,
                edge_detection=Edge.BOTH,
                active_low=line.active_low,
                debounce_period=DEBOUNCE,
            )
            for line in inputs.values()
        }
        try:
            self._request = gpiod.request_lines(chip, consumer="statecharge", config=config)
        except ValueError as error:
            raise OSError(f"{chip}: {error}") from error
        roles = {key: role for role, key in self._lines.items()}
        self._roles = {
            offset: roles[key] for offset, key in zip(self._request.offsets, self._request.lines, strict=True)
        }

    def set(self, values: Mapping[str, bool]) -> None:
        """Set outputs."""
        levels: dict[int | str, Value] = {
            self._lines[role]: self._active if value else self._inactive for role, value in values.items()
        }
        self._request.set_values(levels)

    def get(self, name: str) -> bool:
        """An input as it is now."""
        return self._request.get_value(self._lines[name]) is self._active

    async def changes(self) -> AsyncIterator[LineChange]:
        """What changes from now on, in order."""
        while True:
            await trio.lowlevel.wait_readable(self._request.fd)
            for event in self._request.read_edge_events():
                is_active = event.event_type is event.Type.RISING_EDGE
                yield LineChange(self._roles[event.line_offset], is_active)

    def close(self) -> None:
        """Let go of all lines: outputs fall back."""
        self._request.release()
