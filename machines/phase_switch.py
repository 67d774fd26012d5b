"""On how many phases one connector charges, and how it goes from three to one and back within a transaction.

OCPP 1.6 edition 2: 7.8 numberPhases, 9.4 ConnectorSwitch3to1PhaseSupported; hardware facts B2. A vehicle must see no
phase come or go while it charges: the offer is taken back and the contactor opened, after ``phase_switch_wait_s`` the
phases are switched, and a moment later the offer stands again. That is done no more often than every
``phase_switch_dwell_s``. Where fewer phases are allowed than are connected nothing is offered until it is done, or until
they are allowed again (IEC 61851-1 table A.6: and it has been so for 5 s); where more are, charging goes on until then. Between
transactions phases are switched at once; the contactor closes no sooner than a second later.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, stays, when
from machines.smart_charging.schedule import HOLD_S
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import OfferBegan, OfferEnded, PhasesWanted

DWELL = "dwell"
SWITCH = "switch"
SETTLE_S = 1.0
"""From the switching of the phases to the next offer."""


class DwellOver(Struct, frozen=True):
    """The phases may be switched again."""


class SwitchDue(Struct, frozen=True):
    """The contactor has been open for long enough."""


class SettleDue(Struct, frozen=True):
    """The offer may stand again."""


class PhaseSwitchData(Struct, frozen=True):
    """Phases, connected and wanted. Both are 0 before the first transaction: as wired."""

    phases: int = 0
    wanted: int = 0
    switched_s: float | None = None
    """When they were switched within a transaction last, monotonic."""


class PhaseSwitch(Machine[PhaseSwitchData, Facts]):
    """The phases of a connector."""

    messages = (OfferBegan, PhasesWanted, OfferEnded, DwellOver, SwitchDue, SettleDue)

    idle = State("Idle", value="idle", initial=True)
    arranging = State("Arranging", value="arranging")
    steady = State("Steady", value="steady")
    delayed = State("Delayed", value="delayed")
    held = State("Held", value="held")
    pausing = State("Pausing", value="pausing")
    settling = State("Settling", value="settling")

    # fmt: off
    idle.to(steady,       event=when(OfferBegan,   "7.8 they are connected"),            cond="are_connected",                              on="begin")
    idle.to(arranging,    event=when(OfferBegan,   "7.8 the contactor is open, and stays so"), unless="are_connected",                      on="arrange")
    # Other phases are wanted
    steady.to(steady,     event=when(PhasesWanted, "7.8 they are connected"),            cond="is_connected")
    steady.to(pausing,    event=when(PhasesWanted, "9.4 switched now"),                  cond="may_switch", unless="is_connected",          on="pause")
    steady.to(held,       event=when(PhasesWanted, "7.8 fewer, but switched not long ago"), cond="is_fewer", unless="may_switch",           on="hold")
    steady.to(delayed,    event=when(PhasesWanted, "7.8 more, but switched not long ago"), cond="is_more", unless="may_switch",             on="hold")
    delayed.to(steady,    event=when(PhasesWanted, "7.8 they are connected"),            cond="is_connected",                               on="stay")
    delayed.to(held,      event=when(PhasesWanted, "7.8 fewer"),                         cond="is_fewer",                                   on="want")
    delayed.to(delayed,   event=when(PhasesWanted, "7.8 more still"),                    cond="is_more",                                    on="want")
    held.to(settling,     event=when(PhasesWanted, "7.8 they are connected, IEC 61851-1 A.6"), cond="is_connected",                         on="resume")
    held.to(held,         event=when(PhasesWanted, "7.8 fewer still"),                   cond="is_fewer",                                   on="want")
    held.to(delayed,      event=when(PhasesWanted, "7.8 more"),                          cond="is_more",                                    on="want")
    delayed.to(pausing,   event=when(DwellOver,    "9.4 now they may be switched"),                                                         on="wait")
    held.to(pausing,      event=when(DwellOver,    "9.4 now they may be switched"),                                                         on="wait")
    # The contactor is open
    arranging.to(arranging, event=when(PhasesWanted, "7.8 they are connected"),          cond="is_connected")
    arranging.to(pausing, event=when(PhasesWanted, "7.8 others, just when they were switched"), unless="is_connected",                      on="pause")
    arranging.to(steady,  event=when(SettleDue,    "9.4 it may close"))
    pausing.to(pausing,   event=when(PhasesWanted, "7.8 others, before they are switched"),                                                 on="want")
    pausing.to(settling,  event=when(SwitchDue,    "9.4"),                                                                                  on="switch")
    settling.to(settling, event=when(PhasesWanted, "7.8 others, just when they were switched"),                                             on="want")
    settling.to(steady,   event=when(SettleDue,    "9.4 offered again"),                 cond="has_wanted")
    settling.to(held,     event=when(SettleDue,    "7.8 fewer are wanted by now"),       cond="wants_fewer",                                on="await_dwell")
    settling.to(delayed,  event=when(SettleDue,    "7.8 more are wanted by now"),        cond="wants_more",                                 on="await_dwell")
    # The end of the transaction
    arranging.to(idle,    event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    steady.to(idle,       event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    delayed.to(idle,      event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    held.to(idle,         event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    pausing.to(idle,      event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    settling.to(idle,     event=when(OfferEnded,   "7.8 no transaction"),                                                                   on="end")
    # fmt: on

    stays(DwellOver, "9.4 no switching waits for it", steady)

    exclusive = (("is_connected", "is_fewer", "is_more"), ("has_wanted", "wants_fewer", "wants_more"))
    impossible: ClassVar = {
        **{
            (value, OfferBegan): "told once in a transaction"
            for value in ("arranging", "steady", "delayed", "held", "pausing", "settling")
        },
        ("idle", PhasesWanted): "told within a transaction",
        ("idle", OfferEnded): "told once in a transaction",
        **{
            (value, DwellOver): "its timer runs until it is over"
            for value in ("idle", "arranging", "pausing", "settling")
        },
        **{
            (value, SwitchDue): "its timer runs only while pausing"
            for value in ("idle", "arranging", "steady", "delayed", "held", "settling")
        },
        **{
            (value, SettleDue): "its timer runs only while arranging or settling"
            for value in ("idle", "steady", "delayed", "held", "pausing")
        },
    }

    # Guards

    def are_connected(self, began: OfferBegan) -> bool:
        connector = self.facts.connector
        assert connector is not None
        return began.phases == (self.data.phases or connector.phases)

    def is_connected(self, wanted: PhasesWanted) -> bool:
        return wanted.phases == self.data.phases

    def is_fewer(self, wanted: PhasesWanted) -> bool:
        return wanted.phases < self.data.phases

    def is_more(self, wanted: PhasesWanted) -> bool:
        return wanted.phases > self.data.phases

    def may_switch(self) -> bool:
        return self._dwell_s() <= 0

    def has_wanted(self) -> bool:
        return self.data.wanted == self.data.phases

    def wants_fewer(self) -> bool:
        return self.data.wanted < self.data.phases

    def wants_more(self) -> bool:
        return self.data.wanted > self.data.phases

    def _dwell_s(self) -> float:
        """How long the phases must still stay as they are."""
        switched_s = self.data.switched_s
        if switched_s is None:
            return 0.0
        return self.facts.settings.limits.phase_switch_dwell_s - (self.facts.now.seconds - switched_s)

    # Actions

    def begin(self, began: OfferBegan) -> None:
        self.data = PhaseSwitchData(began.phases, began.phases)

    def arrange(self, began: OfferBegan) -> None:
        self.begin(began)
        self.emit(StartTimer(SWITCH, SETTLE_S, SettleDue()))

    def want(self, wanted: PhasesWanted) -> None:
        self.data = replace(self.data, wanted=wanted.phases)

    def pause(self, wanted: PhasesWanted) -> None:
        self.want(wanted)
        self.wait()

    def wait(self) -> None:
        self.emit(
            StopTimer(DWELL), StartTimer(SWITCH, self.facts.settings.limits.phase_switch_wait_s, SwitchDue())
        )

    def hold(self, wanted: PhasesWanted) -> None:
        self.want(wanted)
        self.await_dwell()

    def await_dwell(self) -> None:
        self.emit(StartTimer(DWELL, max(0.0, self._dwell_s()), DwellOver()))

    def stay(self, wanted: PhasesWanted) -> None:
        self.want(wanted)
        self.emit(StopTimer(DWELL))

    def resume(self, wanted: PhasesWanted) -> None:
        self.stay(wanted)
        self.emit(StartTimer(SWITCH, HOLD_S, SettleDue()))

    def switch(self) -> None:
        wanted = self.data.wanted
        self.data = PhaseSwitchData(wanted, wanted, self.facts.now.seconds)
        self.emit(StartTimer(SWITCH, SETTLE_S, SettleDue()))

    def end(self) -> None:
        self.emit(StopTimer(DWELL), StopTimer(SWITCH))
