"""What all connectors together may draw while nobody can tell: a declared current once the connection is gone for long.

No clause of OCPP asks for it. A Central System that balances loads by charging profiles cannot take back what it
allowed once the connection is lost; ``[installation]`` may declare what is safe without it, and from when (decision
SC10). A station that declares nothing keeps to its profiles for ever (facts 9.2).
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, NoData, State, stays, when
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import LimitsChanged, Started
from machines.vocabulary.wire import ConnectionClosed, ConnectionOpened

SILENCE = "silence"


class SilenceDue(Struct, frozen=True):
    """The connection has been gone for as long as is declared."""


class FailSafe(Machine[NoData, Facts]):
    """Whether the current without a Central System is kept to."""

    messages = (Started, ConnectionOpened, ConnectionClosed, SilenceDue)

    led = State("Led", value="led", initial=True)
    alone = State("Alone", value="alone")
    limited = State("Limited", value="limited")

    # fmt: off
    led.to(alone,       event=when(Started,          "decision SC10 no connection yet"),     cond="is_declared",    on="wait")
    led.to(led,         event=when(Started,          "decision SC10 none is declared"),      unless="is_declared")
    led.to(alone,       event=when(ConnectionClosed, "decision SC10 for a while"),           cond="is_declared",    on="wait")
    led.to(led,         event=when(ConnectionClosed, "decision SC10 none is declared"),      unless="is_declared")
    alone.to(limited,   event=when(SilenceDue,       "decision SC10"),                                              on="limit")
    alone.to(led,       event=when(ConnectionOpened, "decision SC10 in time"),                                      on="stop_waiting")
    limited.to(led,     event=when(ConnectionOpened, "decision SC10 back again"),                                   on="release")
    # fmt: on

    stays(ConnectionOpened, "decision SC10 none is declared", led)

    impossible: ClassVar = {
        ("alone", Started): "told once",
        ("limited", Started): "told once",
        ("alone", ConnectionClosed): "there is no connection",
        ("limited", ConnectionClosed): "there is no connection",
        ("led", SilenceDue): "its timer runs only while alone",
        ("limited", SilenceDue): "its timer has fired",
    }

    # Guards

    def is_declared(self) -> bool:
        return self.facts.settings.installation.offline_after_s is not None

    # Actions

    def wait(self) -> None:
        after_s = self.facts.settings.installation.offline_after_s
        assert after_s is not None
        self.emit(StartTimer(SILENCE, after_s, SilenceDue()))

    def stop_waiting(self) -> None:
        self.emit(StopTimer(SILENCE))

    def limit(self) -> None:
        self.emit(LimitsChanged())

    def release(self) -> None:
        self.emit(LimitsChanged())
