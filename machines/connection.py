"""The WebSocket to the Central System: dialled, open, lost, and dialled again, for ever.

OCPP-J 1.6 section 3 and 5.4. The specification only asks for an appropriate back-off: the waiting time doubles
from ``back_off_first_s`` to ``back_off_max_s`` and starts anew once a connection proved good, by an accepted
registration or by lasting ``connection_stable_s``.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.vocabulary.effects import Dial, HangUp, StartTimer, StopTimer
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted, Started
from machines.vocabulary.wire import ConnectionClosed, ConnectionFailed, ConnectionOpened

BACK_OFF = "back-off"
STABLE = "stable"


class BackOffElapsed(Struct, frozen=True):
    """It is time to dial again."""


class ConnectionStable(Struct, frozen=True):
    """The connection has been open long enough to trust it."""


class ConnectionData(Struct, frozen=True):
    """How often in a row no good connection came about."""

    failures: int = 0


class Connection(Machine[ConnectionData, Facts]):
    """The connection to the Central System."""

    messages = (
        Started,
        BackOffElapsed,
        ConnectionOpened,
        ConnectionFailed,
        ConnectionClosed,
        ConnectionStable,
        RegistrationAccepted,
        KeyChanged,
    )

    offline = State("Offline", value="offline", initial=True)
    dialling = State("Dialling", value="dialling")
    online = State("Online", value="online")
    renewing = State("Renewing", value="renewing")

    # fmt: off
    offline.to(dialling,  event=when(Started,              "J 3 first connection"),       on="dial")
    offline.to(dialling,  event=when(BackOffElapsed,       "J 5.4 dial again"),           on="dial")
    dialling.to(online,   event=when(ConnectionOpened,     "J 3.1 ocpp1.6 selected"),     on="watch")
    dialling.to(offline,  event=when(ConnectionFailed,     "J 5.4 back-off"),             on="back_off")
    online.to(offline,    event=when(ConnectionClosed,     "J 5.4 back-off"),             on="back_off")
    online.to(online,     event=when(ConnectionStable,     "J 5.4 it lasts"),             on="trust")
    online.to(online,     event=when(RegistrationAccepted, "J 5.4 registered"),           on="trust")
    # A new password
    online.to(renewing,   event=when(KeyChanged,           "9.1 AuthorizationKey: connect anew with it"), cond="is_password", on="hang_up")
    online.to(online,     event=when(KeyChanged,           "another key"),                unless="is_password")
    renewing.to(dialling, event=when(ConnectionClosed,     "9.1 AuthorizationKey: at once"),              on="dial")
    # fmt: on

    stays(KeyChanged, "the next connection has it", offline, dialling, renewing)
    stays(RegistrationAccepted, "answered before the end", renewing)
    impossible: ClassVar = {
        ("offline", ConnectionOpened): "nothing was dialled",
        ("offline", ConnectionFailed): "nothing was dialled",
        ("offline", ConnectionClosed): "told once for a connection that was open",
        ("offline", ConnectionStable): "its timer stops with the connection",
        ("offline", RegistrationAccepted): "an answer dies with its connection",
        ("dialling", Started): "told once, at the start",
        ("dialling", BackOffElapsed): "its timer runs only while offline",
        ("dialling", ConnectionClosed): "no connection was open",
        ("dialling", ConnectionStable): "its timer stops with the connection",
        ("dialling", RegistrationAccepted): "an answer dies with its connection",
        ("online", Started): "told once, at the start",
        ("online", BackOffElapsed): "its timer runs only while offline",
        ("online", ConnectionOpened): "one connection at a time",
        ("online", ConnectionFailed): "nothing was dialled",
        ("renewing", Started): "told once, at the start",
        ("renewing", BackOffElapsed): "its timer runs only while offline",
        ("renewing", ConnectionOpened): "one connection at a time",
        ("renewing", ConnectionFailed): "nothing was dialled",
        ("renewing", ConnectionStable): "its timer stops with the connection",
    }

    # Guards

    def is_password(self, changed: KeyChanged) -> bool:
        return changed.attribute == "authorization_key"

    # Actions

    def hang_up(self) -> None:
        self.emit(StopTimer(STABLE), HangUp("AuthorizationKey was changed"))

    def dial(self) -> None:
        self.emit(Dial())

    def watch(self) -> None:
        self.emit(StartTimer(STABLE, self.facts.settings.limits.connection_stable_s, ConnectionStable()))

    def trust(self) -> None:
        self.data = ConnectionData()
        self.emit(StopTimer(STABLE))

    def back_off(self) -> None:
        limits = self.facts.settings.limits
        # Bounded before the power is taken: failures go on for years.
        doublings = min(self.data.failures, 16)
        wait_s = min(limits.back_off_first_s * 2**doublings, limits.back_off_max_s)
        self.data = ConnectionData(min(self.data.failures + 1, 16))
        self.emit(
            StopTimer(STABLE),
            StartTimer(BACK_OFF, wait_s, BackOffElapsed(), jitter=limits.back_off_jitter),
        )
