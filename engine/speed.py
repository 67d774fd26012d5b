"""A station that lives faster than real time: a Trio clock that runs N times as fast.

Every waiting time of the station passes N times as fast, and so does its time of day: declared times, meters,
vehicles. Disk and network do not, and neither does a Central System, unless it says so: what the station waits for
on the clock of somebody else is turned into its own time by :func:`of_real_time` and :func:`of_the_central_system`.
"""

import time
from collections.abc import Callable

import trio

from engine.declaration.station import Station

SPEED_MIN = 0.1
SPEED_MAX = 1000.0
"""Beyond it a millisecond, in which little can be done, is more than a second."""


class SpeedError(Exception):
    """The station cannot live at this speed. One line, for the user."""


class FastClock(trio.abc.Clock):
    """A clock for ``trio.run(..., clock=...)``.

    Args:
        speed: Seconds on this clock per second of real time, 0.1 to 1000.
        csms_speed: The same for the Central System that the station talks to.
        base: Real time, monotonic.
        wall: Time of day of the operating system.

    Raises:
        SpeedError: A speed is out of bounds.
    """

    def __init__(
        self,
        speed: float,
        csms_speed: float = 1,
        *,
        base: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        for found in (speed, csms_speed):
            if not SPEED_MIN <= found <= SPEED_MAX:
                raise SpeedError(f"speed {found:g}: must be {SPEED_MIN:g} to {SPEED_MAX:g}")
        self.speed = speed
        self.csms_speed = csms_speed
        self._base = base
        self._wall = wall
        self._base_began = self._wall_began = 0.0

    def start_clock(self) -> None:
        """Begin at 0; called by Trio."""
        self._base_began, self._wall_began = self._base(), self._wall()

    def current_time(self) -> float:
        """Seconds on this clock since it was started."""
        return (self._base() - self._base_began) * self.speed

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Seconds of real time until this clock shows ``deadline``."""
        return (deadline - self.current_time()) / self.speed

    def utc(self) -> float:
        """The time of day, if it were as fast: POSIX seconds, right when the clock was started."""
        return self._wall_began + self.current_time()


def clock_of(station: Station, speed: float, csms_speed: float) -> FastClock | None:
    """The clock on which ``station`` lives ``speed`` times as fast; None if Trio's own will do.

    Raises:
        SpeedError: A speed is out of bounds, or ``station`` has hardware that is real.
    """
    clock = FastClock(speed, csms_speed)
    if speed == csms_speed == 1:
        return None
    if station.real_hardware:
        raise SpeedError(f"speed {speed:g}: {station.real_hardware}")
    return clock


def of_real_time(seconds: float) -> float:
    """How long ``seconds`` of real time last on the clock of this Trio run."""
    clock = trio.lowlevel.current_clock()
    return seconds * clock.speed if isinstance(clock, FastClock) else seconds


def of_the_central_system(seconds: float) -> float:
    """How long ``seconds`` last on the clock of this Trio run that pass for the Central System."""
    clock = trio.lowlevel.current_clock()
    return seconds * clock.speed / clock.csms_speed if isinstance(clock, FastClock) else seconds


def system_utc() -> float:
    """The time of day of the operating system, POSIX seconds; if it were as fast as the clock of this Trio run."""
    clock = trio.lowlevel.current_clock()
    return clock.utc() if isinstance(clock, FastClock) else time.time()


def is_time_shared() -> bool:
    """Whether time passes as fast for the Central System, so that what it says the time is can be believed."""
    clock = trio.lowlevel.current_clock()
    return not isinstance(clock, FastClock) or clock.speed == clock.csms_speed
