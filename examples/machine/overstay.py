"""Tells the Central System of a vehicle that stays although nobody charges it any more.

No clause of OCPP asks for it: a Central System that bills for the time hears of it by DataTransfer (4.3). The time
begins when the transaction ends, and is over when the vehicle is gone or charges again.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, NoData, State, stays, when
from machines.vocabulary.effects import Call, StartTimer, StopTimer
from machines.vocabulary.notices import TransactionEnded, TransactionStarted, VehicleDisconnected
from machines.vocabulary.ocpp import DataTransfer, DataTransferConf
from machines.vocabulary.wire import CallFailed

OVERSTAY = "overstay"
"""Name of the timer."""
GRACE_S = 600.0
"""So long a vehicle may stay. A machine of the product has this from ``facts.settings``."""


class OverstayDue(Struct, frozen=True):
    """The time to leave is over."""


class Overstay(Machine[NoData, Facts]):
    """Whether the vehicle overstays at its connector."""

    messages = (
        TransactionEnded,
        TransactionStarted,
        VehicleDisconnected,
        OverstayDue,
        DataTransferConf,
        CallFailed,
    )

    away = State("Away", value="away", initial=True)
    leaving = State("Leaving", value="leaving")
    overstaying = State("Overstaying", value="overstaying")

    # fmt: off
    away.to(leaving,        event=when(TransactionEnded,    "time to leave"),         cond="is_connected",    on="wait")
    away.to(away,           event=when(TransactionEnded,    "it left"),               unless="is_connected")
    leaving.to(away,        event=when(VehicleDisconnected, "it left in time"),                               on="stop_waiting")
    leaving.to(away,        event=when(TransactionStarted,  "it charges again"),                              on="stop_waiting")
    leaving.to(overstaying, event=when(OverstayDue,         "4.3 the vendor's own"),                          on="tell")
    overstaying.to(away,    event=when(VehicleDisconnected, "it left"))
    overstaying.to(away,    event=when(TransactionStarted,  "it charges again"))
    # fmt: on

    stays(TransactionStarted, "it charges", away)
    stays(VehicleDisconnected, "nobody waits for it", away)
    stays(DataTransferConf, "4.3 whatever is answered", away, leaving, overstaying)
    stays(CallFailed, "4.3 told once", away, leaving, overstaying)

    impossible: ClassVar = {
        ("leaving", TransactionEnded): "one would have begun before",
        ("overstaying", TransactionEnded): "one would have begun before",
        ("away", OverstayDue): "its timer runs only while leaving",
        ("overstaying", OverstayDue): "its timer has fired",
    }

    # Guards

    def is_connected(self) -> bool:
        return self.facts.is_connected

    # Actions

    def wait(self) -> None:
        self.emit(StartTimer(OVERSTAY, GRACE_S, OverstayDue()))

    def stop_waiting(self) -> None:
        self.emit(StopTimer(OVERSTAY))

    def tell(self) -> None:
        connector = str(self.facts.number)
        self.emit(Call(DataTransfer(vendor_id="org.example", message_id="Overstay", data=connector)))
