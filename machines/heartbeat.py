"""Heartbeat, which keeps the clock right and shows that the charge point lives.

OCPP 1.6 edition 2: 4.6 Heartbeat. Sent every HeartbeatInterval whether or not other messages went out: skipping it
is allowed, sending it is what tests expect, and each one corrects the clock.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, NoData, State, stays, when
from machines.vocabulary.effects import Call, LearnTime, StartTimer, StopTimer, told_utc
from machines.vocabulary.notices import HeartbeatTriggered, KeyChanged, RegistrationAccepted, TimeLearnt
from machines.vocabulary.ocpp import Heartbeat as HeartbeatRequest
from machines.vocabulary.ocpp import HeartbeatConf
from machines.vocabulary.wire import CallFailed

HEARTBEAT = "heartbeat"


class HeartbeatDue(Struct, frozen=True):
    """HeartbeatInterval passed."""


class Heartbeat(Machine[NoData, Facts]):
    """The heartbeat."""

    messages = (RegistrationAccepted, HeartbeatDue, HeartbeatTriggered, HeartbeatConf, CallFailed, KeyChanged)

    silent = State("Silent", value="silent", initial=True)
    beating = State("Beating", value="beating")

    # fmt: off
    silent.to(beating,  event=when(RegistrationAccepted, "4.2, 4.6 interval of the Central System"), on="begin")
    silent.to(silent,   event=when(KeyChanged,           "4.6 not before registration"))
    beating.to(beating, event=when(KeyChanged,           "9.1 HeartbeatInterval at once"), cond="is_heartbeat_interval", on="restart")
    beating.to(beating, event=when(KeyChanged,           "another key"),                   unless="is_heartbeat_interval")
    beating.to(beating, event=when(HeartbeatDue,         "4.6"),                           cond="is_open",   on="beat")
    beating.to(beating, event=when(HeartbeatDue,         "4.6 nobody to tell"),            unless="is_open")
    beating.to(beating, event=when(HeartbeatConf,        "4.6 currentTime"),                                 on="learn")
    silent.to(silent,   event=when(HeartbeatTriggered,   "4.2.1 asked for while Pending"),                   on="beat")
    silent.to(silent,   event=when(HeartbeatConf,        "4.6 currentTime"),                                 on="learn")
    beating.to(beating, event=when(HeartbeatTriggered,   "5.17"),                                            on="beat")
    stays(CallFailed, "4.6 the next one is due anyway", beating)
    stays(CallFailed, "5.17 it may be asked for again", silent)
    # fmt: on

    impossible: ClassVar = {
        ("silent", HeartbeatDue): "the timer runs only while beating",
        ("beating", RegistrationAccepted): "registered once in a run",
    }

    # Guards

    def is_heartbeat_interval(self, changed: KeyChanged) -> bool:
        return changed.attribute == "heartbeat_interval"

    def is_open(self) -> bool:
        return self.facts.is_open

    # Actions

    def begin(self, accepted: RegistrationAccepted) -> None:
        self._beat_every(accepted.interval_s or self.facts.keys.heartbeat_interval)

    def restart(self) -> None:
        self._beat_every(self.facts.keys.heartbeat_interval)

    def _beat_every(self, interval_s: int) -> None:
        if interval_s > 0:
            self.emit(StartTimer(HEARTBEAT, interval_s, HeartbeatDue(), every_s=interval_s))
        else:
            self.emit(StopTimer(HEARTBEAT))

    def beat(self) -> None:
        self.emit(Call(HeartbeatRequest()))

    def learn(self, conf: HeartbeatConf) -> None:
        utc = told_utc(conf.current_time)
        self.emit(LearnTime(utc), TimeLearnt(utc))
