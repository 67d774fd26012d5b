"""What is let happen, in words: a move, and the alphabet that moves are made from."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct

from machines.charge_point import Arrival
from machines.model.cells import Board
from machines.vocabulary import ocpp
from machines.vocabulary.effects import Instant
from machines.vocabulary.hardware import HardwareEvent, HardwareFault, PilotState
from machines.vocabulary.wire import Failure

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOW = Instant(1, 0.0, EPOCH.timestamp())
"""It is always now: how much time passes between two moves makes no difference to what is decided."""
LONG = timedelta(days=7)
"""Longer than anything waits that is told to wait for a time of day."""


def transaction_id_of(number: int) -> int:
    """What the Central System of the model calls every transaction of connector ``number``."""
    return 100 + number


class PowerOn(Struct, frozen=True):
    """The station starts, with what it remembers: what it does then depends on all of its state."""

    was_powered: bool


class Move(NamedTuple):
    """Something that may happen."""

    name: str
    arrival: Arrival | PowerOn
    changes: tuple[tuple[str, Any], ...] = ()
    """Cells of the environment as they are when the charge point hears of it."""
    after_s: float = 0.0
    """How much later than now it happens; right after it, it is now again."""


class Alphabet(NamedTuple):
    """What is let happen, in the words of the moves. What is not named does not happen."""

    about: str = ""
    """What the exploration is for."""
    cards: tuple[str, ...] = ()
    pilots: tuple[PilotState, ...] = ()
    faults: tuple[tuple[int, HardwareFault], ...] = ()
    """Connector (0: the station) and fault."""
    reports: tuple[tuple[str, int, HardwareEvent], ...] = ()
    """What else a driver may say at any time, each with its name and connector."""
    requests: tuple[tuple[str, ocpp.Request], ...] = ()
    """Requests of the Central System, each with its name."""
    answers: tuple[tuple[str, ocpp.IdTagInfo], ...] = (
        ("Accepted", ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.ACCEPTED)),
    )
    """To Authorize and StartTransaction, each with its name."""
    registrations: tuple[ocpp.RegistrationStatus, ...] = (ocpp.RegistrationStatus.ACCEPTED,)
    intervals: tuple[int, ...] = (60,)
    """That the Central System names with them."""
    clocks: tuple[tuple[str, timedelta], ...] = (("", timedelta(0)),)
    """How far the clock of the Central System is ahead, each with its name: as told with registrations."""
    failures: tuple[Failure, ...] = ()
    """Of Authorize, BootNotification and transaction messages."""
    registers_wh: tuple[int, ...] = (0,)
    """What a meter may read. How much energy flows makes no difference to most of what may happen."""
    has_outages: bool = False
    has_power_cuts: bool = False
    has_long_cuts: bool = False
    """The power may come back after :data:`LONG`."""
    has_power_failing: bool = False
    """The supply tells before it is gone."""
    has_failing_restarts: bool = False
    """A restart takes time, or does not come about."""
    has_lock_trouble: bool = False
    has_repeats: bool = False
    """Drivers say again what they said, and the proximity pilot tells of a cable after the control pilot."""
    has_meter_trouble: bool = False
    has_vendor_data: bool = False
    """Somebody at the station sends DataTransfer."""
    has_failing_works: bool = False
    """Transfers and installations may fail."""
    has_slow_answers: bool = False
    """Other CALLs than those three are answered when the Central System gets to it, or fail; else at once."""
    has_clock: bool = False
    """A timer fires when it is due. Otherwise it is always now, also then."""
    queue_max: int = 2
    """Transaction messages that may wait; a state with more of them is not gone on from."""
    further: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Other places to begin at, each with its name and the moves to it from where a vehicle charges."""
    station: tuple[tuple[str, Any], ...] = ()
    """How the station differs from its declaration: fields of Settings, of Limits, or configuration keys."""


Moves = Iterator[Move]
Topic = Callable[[Board], Moves]
"""What may happen of one kind."""
