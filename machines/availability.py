"""Whether a connector, or with number 0 the charge point, is in service.

OCPP 1.6 edition 2: 5.2 Change Availability. What is asked while the connector is in use is Scheduled and happens
when the use ends. It survives restarts (5.2), a scheduled change too. A request for connector 0 is granted by the
machine of the charge point, and every connector follows as it can; after that each goes its own way.

While firmware waits to be installed (6.19), connectors are withheld: out of service as soon as nobody uses them. That
is forgotten with the restart.
"""

from typing import ClassVar

from machines.facts import Facts
from machines.machine import Machine, NoData, State, stays, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import (
    BecameInoperative,
    BecameOperative,
    InstallationAwaited,
    InstallationOver,
    StationAvailabilityAsked,
    UseEnded,
)
from machines.vocabulary.ocpp import (
    AvailabilityStatus,
    AvailabilityType,
    ChangeAvailability,
    ChangeAvailabilityConf,
)

IN_SERVICE = frozenset({"operative", "to_be_withheld", "withheld"})
"""States that come to being operative with a restart."""


class Availability(Machine[NoData, Facts]):
    """Availability of one connector, or of the charge point."""

    memory = NoData
    messages = (
        ChangeAvailability,
        StationAvailabilityAsked,
        UseEnded,
        InstallationAwaited,
        InstallationOver,
        Resumed,
    )

    operative = State("Operative", value="operative", initial=True)
    scheduled = State("Scheduled", value="scheduled")
    inoperative = State("Inoperative", value="inoperative")
    to_be_withheld = State("To be withheld", value="to_be_withheld")
    withheld = State("Withheld", value="withheld")

    # fmt: off
    # ChangeAvailability.req
    operative.to(operative,     event=when(ChangeAvailability, "5.2 no such connector"),    unless="is_known",                                   on="reject")
    operative.to(operative,     event=when(ChangeAvailability, "5.2 already so"),           cond=["is_known", "asks_operative"],                 on="accept")
    operative.to(inoperative,   event=when(ChangeAvailability, "5.2 Accepted"),             cond="is_known", unless=["asks_operative", "is_in_use"], on="accept_leaving")
    operative.to(scheduled,     event=when(ChangeAvailability, "5.2 Scheduled"),            cond=["is_known", "is_in_use"], unless="asks_operative", on="schedule")
    scheduled.to(scheduled,     event=when(ChangeAvailability, "5.2 no such connector"),    unless="is_known",                                   on="reject")
    scheduled.to(operative,     event=when(ChangeAvailability, "5.2 replaces what was scheduled"), cond=["is_known", "asks_operative"], unless="is_withheld", on="accept")
    scheduled.to(to_be_withheld, event=when(ChangeAvailability, "5.2 replaces what was scheduled; 6.19 still in use"), cond=["is_known", "asks_operative", "is_withheld"], on="accept")
    scheduled.to(scheduled,     event=when(ChangeAvailability, "5.2 already scheduled"),    cond="is_known", unless="asks_operative",            on="schedule")
    inoperative.to(inoperative, event=when(ChangeAvailability, "5.2 no such connector"),    unless="is_known",                                   on="reject")
    inoperative.to(operative,   event=when(ChangeAvailability, "5.2 Accepted"),             cond=["is_known", "asks_operative"], unless="is_withheld", on="accept_returning")
    inoperative.to(withheld,    event=when(ChangeAvailability, "5.2 Accepted, 6.19 after the installation"), cond=["is_known", "asks_operative", "is_withheld"], on="accept")
    inoperative.to(inoperative, event=when(ChangeAvailability, "5.2 already so"),           cond="is_known", unless=["asks_operative", "has_some_in_use"], on="accept")
    inoperative.to(inoperative, event=when(ChangeAvailability, "5.2 Scheduled, of who came back (decision S10)"), cond=["is_known", "has_some_in_use"], unless="asks_operative", on="schedule")
    to_be_withheld.to(to_be_withheld, event=when(ChangeAvailability, "5.2 no such connector"), unless="is_known",                                on="reject")
    to_be_withheld.to(to_be_withheld, event=when(ChangeAvailability, "5.2 already so, 6.19 after the installation"), cond=["is_known", "asks_operative"], on="accept")
    to_be_withheld.to(scheduled, event=when(ChangeAvailability, "5.2 Scheduled"),           cond="is_known", unless="asks_operative",            on="schedule")
    withheld.to(withheld,       event=when(ChangeAvailability, "5.2 no such connector"),    unless="is_known",                                   on="reject")
    withheld.to(withheld,       event=when(ChangeAvailability, "5.2 already so, 6.19 after the installation"), cond=["is_known", "asks_operative"], on="accept")
    withheld.to(inoperative,    event=when(ChangeAvailability, "5.2 Accepted, already so"), cond="is_known", unless="asks_operative",            on="accept")
    # The charge point as a whole
    operative.to(operative,     event=when(StationAvailabilityAsked, "5.2 already so"),     cond="asks_operative")
    operative.to(inoperative,   event=when(StationAvailabilityAsked, "5.2 connector 0"),    unless=["asks_operative", "is_in_use"],              on="leave")
    operative.to(scheduled,     event=when(StationAvailabilityAsked, "5.2 connector 0"),    cond="is_in_use", unless="asks_operative")
    scheduled.to(operative,     event=when(StationAvailabilityAsked, "5.2 connector 0"),    cond="asks_operative", unless="is_withheld")
    scheduled.to(to_be_withheld, event=when(StationAvailabilityAsked, "5.2 connector 0; 6.19 still in use"), cond=["asks_operative", "is_withheld"])
    scheduled.to(scheduled,     event=when(StationAvailabilityAsked, "5.2 already scheduled"), unless="asks_operative")
    inoperative.to(operative,   event=when(StationAvailabilityAsked, "5.2 connector 0"),    cond="asks_operative", unless="is_withheld",         on="come_back")
    inoperative.to(withheld,    event=when(StationAvailabilityAsked, "5.2 connector 0, 6.19 after the installation"), cond=["asks_operative", "is_withheld"])
    inoperative.to(inoperative, event=when(StationAvailabilityAsked, "5.2 already so"),     unless="asks_operative")
    to_be_withheld.to(to_be_withheld, event=when(StationAvailabilityAsked, "5.2 already so"), cond="asks_operative")
    to_be_withheld.to(scheduled, event=when(StationAvailabilityAsked, "5.2 connector 0"),   unless="asks_operative")
    withheld.to(withheld,       event=when(StationAvailabilityAsked, "5.2 already so"),     cond="asks_operative")
    withheld.to(inoperative,    event=when(StationAvailabilityAsked, "5.2 connector 0"),    unless="asks_operative")
    # The end of the use
    scheduled.to(inoperative,   event=when(UseEnded,           "5.2 scheduled until now"),  unless="is_in_use",                                  on="leave")
    scheduled.to(scheduled,     event=when(UseEnded,           "5.2 another connector is in use"), cond="is_in_use")
    to_be_withheld.to(withheld, event=when(UseEnded,           "6.19 free, and firmware waits"), unless="is_in_use",                             on="leave")
    to_be_withheld.to(to_be_withheld, event=when(UseEnded,     "6.19 still in use"),        cond="is_in_use")
    stays(UseEnded, "nothing was scheduled", operative, inoperative, withheld)
    # Firmware
    operative.to(withheld,      event=when(InstallationAwaited, "6.19 free connectors are Unavailable"), unless="is_in_use",                     on="leave")
    operative.to(to_be_withheld, event=when(InstallationAwaited, "6.19 when the use ends"), cond="is_in_use")
    stays(InstallationAwaited, "5.2 out of service, or soon", scheduled, inoperative)
    withheld.to(operative,      event=when(InstallationOver,   "6.19 back into service"),                                                        on="come_back")
    to_be_withheld.to(operative, event=when(InstallationOver,  "6.19 still in use"))
    stays(InstallationOver, "5.2 nothing was withheld", operative, scheduled, inoperative)
    # After a restart
    operative.to(operative,     event=when(Resumed,            "5.2 persistent"),           cond="was_operative")
    operative.to(inoperative,   event=when(Resumed,            "5.2 persistent; nothing is in use after a start"), unless="was_operative",       on="leave")
    # fmt: on

    impossible: ClassVar = {
        ("scheduled", Resumed): "told first",
        ("inoperative", Resumed): "told first",
        ("to_be_withheld", Resumed): "told first",
        ("withheld", Resumed): "told first",
        ("to_be_withheld", InstallationAwaited): "told once",
        ("withheld", InstallationAwaited): "told once",
    }

    # Guards

    def is_known(self, request: ChangeAvailability) -> bool:
        return request.connector_id == self.facts.number

    def asks_operative(self, request: ChangeAvailability | StationAvailabilityAsked) -> bool:
        return request.type is AvailabilityType.OPERATIVE

    def is_in_use(self) -> bool:
        return self.facts.has_use

    def has_some_in_use(self) -> bool:
        return self.facts.number == 0 and self.facts.has_use

    def is_withheld(self) -> bool:
        return self.facts.is_withheld

    def was_operative(self, resumed: Resumed) -> bool:
        return resumed.state in IN_SERVICE

    # Actions

    def reject(self) -> None:
        self._answer(AvailabilityStatus.REJECTED)

    def accept(self, request: ChangeAvailability) -> None:
        self._answer(AvailabilityStatus.ACCEPTED)
        self._spread(request)

    def accept_leaving(self, request: ChangeAvailability) -> None:
        self.accept(request)
        self.leave()

    def accept_returning(self, request: ChangeAvailability) -> None:
        self.accept(request)
        self.come_back()

    def schedule(self, request: ChangeAvailability) -> None:
        self._answer(AvailabilityStatus.SCHEDULED)
        self._spread(request)

    def leave(self) -> None:
        self.emit(BecameInoperative())

    def come_back(self) -> None:
        self.emit(BecameOperative())

    def _answer(self, status: AvailabilityStatus) -> None:
        self.emit(Answer(ChangeAvailabilityConf(status=status)))

    def _spread(self, request: ChangeAvailability) -> None:
        if self.facts.number == 0:
            self.emit(StationAvailabilityAsked(request.type))
