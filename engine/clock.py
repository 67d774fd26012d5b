"""The clocks of the station: monotonic time, and the time of day as the Central System last told it.

Until the Central System told the time, the clock of the operating system is the best guess there is; what happens
then is kept as monotonic time and resolved when it is sent. Time of day is POSIX seconds, UTC.
"""

from collections.abc import Mapping

import trio

from machines.vocabulary.effects import Instant


class Clock:
    """The time, for one run of the station.

    Args:
        boot: Number of this run.
        system_utc: What the operating system believes the time of day to be, now.
        earlier: For each earlier run, the time of day when its monotonic time was 0.
        follows: Whether the Central System is believed. One for which time passes more slowly than for the station
            would turn the clock back again and again.
    """

    def __init__(
        self, boot: int, system_utc: float, earlier: Mapping[int, float], *, follows: bool = True
    ) -> None:
        self.boot = boot
        self._follows = follows
        self._started = trio.current_time()
        self._zeros = {**earlier, boot: system_utc}
        self.is_set = False
        """Whether the Central System told the time of day in this run."""

    @property
    def zero(self) -> float:
        """The time of day when this run began, as far as it is known."""
        return self._zeros[self.boot]

    def now(self) -> Instant:
        """This moment."""
        seconds = trio.current_time() - self._started
        return Instant(self.boot, seconds, self.zero + seconds if self.is_set else None)

    def learn(self, utc: float) -> float:
        """Set the time of day to ``utc``; return by how many seconds it was wrong."""
        seconds = trio.current_time() - self._started
        self.is_set = True
        if not self._follows:
            return 0.0
        error = self.zero + seconds - utc
        self._zeros[self.boot] = utc - seconds
        return error

    def resolve(self, instant: Instant) -> float:
        """The time of day of ``instant``, as well as it can be known now."""
        if instant.utc is not None:
            return instant.utc
        return self._zeros.get(instant.boot, self.zero) + instant.seconds
