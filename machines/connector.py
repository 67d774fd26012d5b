"""The status of one connector: the table of 4.9, less its faults.

OCPP 1.6 edition 2: 4.9 Status Notification. Each row that leads from one status to another carries its label of the
status table. Row I and column 9 belong to the fault machine: what is reported while a fault stands is Faulted, and
this machine moves on underneath.

A status says what the user can do, so it follows the cable, the idTag, the transaction and the energy, which are
machines of their own and tell it in the past tense.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.admission import starts_free
from machines.facts import Facts
from machines.machine import Machine, Standing, State, stays, when
from machines.vocabulary.effects import StartTimer, StopTimer
from machines.vocabulary.notices import (
    BecameInoperative,
    BecameOperative,
    CableFound,
    CableInserted,
    CableRemoved,
    EnergyRefused,
    EnergyRequested,
    IntentBegan,
    IntentDropped,
    PreparationEnded,
    ReservationEnded,
    Reserved,
    SupplyAllowed,
    SupplyWithheld,
    TransactionEnded,
    TransactionStarted,
    UseEnded,
    VehicleConnected,
    VehicleDisconnected,
)
from machines.vocabulary.ocpp import ChargePointStatus, Reason

EV_SIDE_DISCONNECTED = "EV side disconnected"
"""What 4.9 has in ``info`` when the cable was unplugged at the vehicle."""

PREPARATION = "preparation"
VEHICLE_RESPONSE = "vehicle-response"


class PreparationTimedOut(Struct, frozen=True):
    """ConnectionTimeOut passed since Preparing was entered."""


class VehicleResponseDue(Struct, frozen=True):
    """A vehicle that was offered energy would have asked for it by now."""


class ConnectorData(Struct, frozen=True):
    """What the status itself does not say."""

    has_transaction: bool = False
    """A transaction runs, though the vehicle has not asked for energy yet."""
    is_vehicle_gone: bool = False
    """The cable was unplugged at the vehicle, which suspended or ended the transaction."""


class Connector(Machine[ConnectorData, Facts]):
    """The status of a connector."""

    messages = (
        CableInserted,
        CableFound,
        CableRemoved,
        VehicleConnected,
        VehicleDisconnected,
        EnergyRequested,
        EnergyRefused,
        SupplyAllowed,
        SupplyWithheld,
        IntentBegan,
        IntentDropped,
        PreparationTimedOut,
        VehicleResponseDue,
        TransactionStarted,
        TransactionEnded,
        BecameInoperative,
        BecameOperative,
        Reserved,
        ReservationEnded,
    )

    available = State("Available", value="Available", initial=True)
    preparing = State("Preparing", value="Preparing")
    charging = State("Charging", value="Charging")
    suspended_ev = State("SuspendedEV", value="SuspendedEV")
    suspended_evse = State("SuspendedEVSE", value="SuspendedEVSE")
    finishing = State("Finishing", value="Finishing")
    reserved = State("Reserved", value="Reserved")
    unavailable = State("Unavailable", value="Unavailable")

    # fmt: off
    # Available
    available.to(preparing,           event=when(CableInserted,       "4.9 A2"),                      unless="needs_nobody",                             on="begin_preparing")
    available.to(preparing,           event=when(VehicleConnected,    "4.9 A2"),                      unless="needs_nobody",                             on="begin_preparing")
    available.to(preparing,           event=when(IntentBegan,         "4.9 A2"),                      unless="starts_at_once",                           on="begin_preparing")
    available.to(preparing,           event=when(CableFound,          "4.9 A2 it stayed in after a reservation"), unless="needs_nobody",                 on="begin_preparing")
    available.to(available,           event=when(CableFound,          "4.9 free of charge, the vehicle decides"), cond="needs_nobody")
    available.to(available,           event=when(CableInserted,       "4.9 free of charge, the vehicle decides"), cond="needs_nobody")
    available.to(available,           event=when(VehicleConnected,    "4.9 free of charge, it starts at once"), cond="needs_nobody")
    available.to(available,           event=when(IntentBegan,         "4.9 free of charge, it starts at once"), cond="starts_at_once")
    available.to(charging,            event=when(TransactionStarted,  "4.9 A3"),                      cond=["is_supplied", "is_requesting"],             on="begin")
    available.to(suspended_ev,        event=when(TransactionStarted,  "4.9 A4"),                      cond="is_supplied", unless="is_requesting",        on="begin")
    available.to(suspended_evse,      event=when(TransactionStarted,  "4.9 A5"),                      unless="is_supplied",                              on="begin")
    available.to(reserved,            event=when(Reserved,            "4.9 A7"))
    available.to(unavailable,         event=when(BecameInoperative,   "4.9 A8"))
    # Preparing: the other half of idTag and cable, or giving up
    preparing.to(available,           event=when(CableRemoved,        "4.9 B1 cable out"),                                                             on="give_up")
    preparing.to(available,           event=when(IntentDropped,       "4.9 B1 idTag given up"),       unless=["has_cable", "has_transaction"],           on="give_up")
    preparing.to(preparing,           event=when(IntentDropped,       "4.9 the cable is still in"),   cond="has_cable", unless="has_transaction")
    preparing.to(preparing,           event=when(IntentDropped,       "4.9 the transaction stands"),  cond="has_transaction")
    preparing.to(finishing,           event=when(PreparationTimedOut, "4.9 B6 no idTag in time"),     cond="has_cable",                                  on="time_out")
    preparing.to(available,           event=when(PreparationTimedOut, "4.9 B1 no cable in time"),     unless="has_cable",                                on="time_out_free")
    # Preparing: the transaction runs
    preparing.to(preparing,           event=when(VehicleDisconnected, "4.9 EV side disconnected"),    cond="has_transaction",                            on="lose_vehicle")
    preparing.to(preparing,           event=when(VehicleDisconnected, "4.9 the cable decides"),       unless="has_transaction")
    preparing.to(preparing,           event=when(VehicleConnected,    "4.9 the status stands"),                                                          on="find_vehicle")
    preparing.to(charging,            event=when(TransactionStarted,  "4.9 B3"),                      cond=["is_supplied", "is_requesting"],             on="begin")
    preparing.to(preparing,           event=when(TransactionStarted,  "4.9 B3 or B4, as the vehicle responds"), cond="is_supplied", unless="is_requesting", on="await_vehicle")
    preparing.to(suspended_evse,      event=when(TransactionStarted,  "4.9 B5"),                      unless="is_supplied",                              on="begin")
    preparing.to(charging,            event=when(EnergyRequested,     "4.9 B3"),                      cond=["has_transaction", "is_supplied"],           on="begin")
    preparing.to(preparing,           event=when(EnergyRequested,     "4.9 not supplied"),            cond="has_transaction", unless="is_supplied")
    preparing.to(preparing,           event=when(EnergyRequested,     "4.9 no transaction yet"),      unless="has_transaction")
    preparing.to(suspended_ev,        event=when(VehicleResponseDue,  "4.9 B4"),                                                                         on="begin")
    preparing.to(suspended_evse,      event=when(SupplyWithheld,      "4.9 B5"),                      cond="has_transaction",                            on="begin")
    preparing.to(preparing,           event=when(SupplyWithheld,      "4.9 no transaction yet"),      unless="has_transaction")
    preparing.to(finishing,           event=when(TransactionEnded,    "4.9 B6 over before energy flowed"), cond="has_cable",                             on="finish")
    preparing.to(available,           event=when(TransactionEnded,    "4.9 B1 over before energy flowed"), unless="has_cable",                           on="finish_free")
    # Charging
    charging.to(suspended_ev,         event=when(EnergyRefused,       "4.9 C4"))
    charging.to(suspended_ev,         event=when(VehicleDisconnected, "4.9 C4 EV side disconnected"), unless="is_ending",                                on="lose_vehicle")
    charging.to(charging,             event=when(VehicleDisconnected, "4.9 the transaction ends now"), cond="is_ending")
    charging.to(suspended_evse,       event=when(SupplyWithheld,      "4.9 C5"),                      unless="is_ending")
    charging.to(charging,             event=when(SupplyWithheld,      "4.9 the transaction ends now"), cond="is_ending")
    charging.to(finishing,            event=when(TransactionEnded,    "4.9 C6"),                      cond="has_cable",                                  on="finish")
    charging.to(unavailable,          event=when(TransactionEnded,    "4.9 C8"),                      cond="is_scheduled", unless="has_cable",           on="finish_free")
    charging.to(available,            event=when(TransactionEnded,    "4.9 C1"),                      unless=["has_cable", "is_scheduled"],              on="finish_free")
    # SuspendedEV
    suspended_ev.to(charging,         event=when(EnergyRequested,     "4.9 D3"))
    suspended_ev.to(suspended_evse,   event=when(SupplyWithheld,      "4.9 D5"),                      unless="is_ending")
    suspended_ev.to(suspended_ev,     event=when(SupplyWithheld,      "4.9 the transaction ends now"), cond="is_ending")
    suspended_ev.to(finishing,        event=when(TransactionEnded,    "4.9 D6"),                      cond="has_cable",                                  on="finish")
    suspended_ev.to(unavailable,      event=when(TransactionEnded,    "4.9 D8"),                      cond="is_scheduled", unless="has_cable",           on="finish_free")
    suspended_ev.to(available,        event=when(TransactionEnded,    "4.9 D1"),                      unless=["has_cable", "is_scheduled"],              on="finish_free")
    suspended_ev.to(suspended_ev,     event=when(VehicleDisconnected, "4.9 EV side disconnected"),    unless="is_ending",                                on="lose_vehicle")
    suspended_ev.to(suspended_ev,     event=when(VehicleDisconnected, "4.9 the transaction ends now"), cond="is_ending")
    suspended_ev.to(suspended_ev,     event=when(VehicleConnected,    "4.9 connected again"),                                                            on="find_vehicle")
    # SuspendedEVSE
    suspended_evse.to(suspended_evse, event=when(VehicleDisconnected, "4.9 both sides suspend"),      unless="is_ending",                                on="lose_vehicle")
    suspended_evse.to(suspended_evse, event=when(VehicleDisconnected, "4.9 the transaction ends now"), cond="is_ending")
    suspended_evse.to(suspended_evse, event=when(VehicleConnected,    "4.9 connected again"),                                                            on="find_vehicle")
    suspended_evse.to(charging,       event=when(SupplyAllowed,       "4.9 E3"),                      cond="is_requesting")
    suspended_evse.to(suspended_evse, event=when(SupplyAllowed,       "4.9 E3 or E4, as the vehicle responds"), unless="is_requesting",                  on="await_vehicle")
    suspended_evse.to(charging,       event=when(EnergyRequested,     "4.9 E3"),                      cond="is_supplied",                                on="stop_waiting")
    suspended_evse.to(suspended_evse, event=when(EnergyRequested,     "4.9 not supplied"),            unless="is_supplied")
    suspended_evse.to(suspended_ev,   event=when(VehicleResponseDue,  "4.9 E4"))
    suspended_evse.to(suspended_evse, event=when(SupplyWithheld,      "4.9 withheld again"),                                                             on="stop_waiting")
    suspended_evse.to(finishing,      event=when(TransactionEnded,    "4.9 E6"),                      cond="has_cable",                                  on="finish")
    suspended_evse.to(unavailable,    event=when(TransactionEnded,    "4.9 E8"),                      cond="is_scheduled", unless="has_cable",           on="finish_free")
    suspended_evse.to(available,      event=when(TransactionEnded,    "4.9 E1"),                      unless=["has_cable", "is_scheduled"],              on="finish_free")
    # Finishing
    finishing.to(unavailable,         event=when(CableRemoved,        "4.9 F8"),                      cond="is_scheduled",                               on="free")
    finishing.to(available,           event=when(CableRemoved,        "4.9 F1"),                      unless="is_scheduled",                             on="free")
    finishing.to(preparing,           event=when(IntentBegan,         "4.9 F2 idTag again"),                                                             on="begin_preparing")
    finishing.to(preparing,           event=when(VehicleConnected,    "4.9 F2 connected again"),      cond="is_operative",                               on="begin_preparing")
    finishing.to(finishing,           event=when(VehicleConnected,    "4.9 out of service soon"),     unless="is_operative",                             on="find_vehicle")
    finishing.to(unavailable,         event=when(BecameInoperative,   "4.9 F8"),                                                                         on="leave_service")
    # Reserved
    reserved.to(preparing,            event=when(IntentBegan,         "4.9 G2"),                                                                         on="begin_preparing")
    reserved.to(available,            event=when(ReservationEnded,    "4.9 G1"),                      unless="has_cable",                                on="free")
    reserved.to(available,            event=when(ReservationEnded,    "4.9 G1, the cable is in: decision RV7"), cond="has_cable",                        on="free_with_cable")
    reserved.to(unavailable,          event=when(BecameInoperative,   "4.9 G8"))
    # Unavailable
    unavailable.to(available,         event=when(BecameOperative,     "4.9 H1"),                      unless="has_cable")
    unavailable.to(preparing,         event=when(BecameOperative,     "4.9 H2 a cable is in"),        cond="has_cable", unless="needs_nobody",           on="begin_preparing")
    unavailable.to(available,         event=when(BecameOperative,     "4.9 H1 free of charge, the vehicle decides"), cond=["has_cable", "needs_nobody"], unless="is_connected")
    unavailable.to(unavailable,       event=when(BecameOperative,     "4.9 free of charge, it starts at once"), cond=["has_cable", "needs_nobody", "is_connected"])
    unavailable.to(charging,          event=when(TransactionStarted,  "4.9 H3"),                      cond=["is_supplied", "is_requesting"],             on="begin")
    unavailable.to(suspended_ev,      event=when(TransactionStarted,  "4.9 H4"),                      cond="is_supplied", unless="is_requesting",        on="begin")
    unavailable.to(suspended_evse,    event=when(TransactionStarted,  "4.9 H5"),                      unless="is_supplied",                              on="begin")
    unavailable.to(available,         event=when(IntentDropped,       "4.9 H1 it did not start"),     cond="is_operative", unless="has_cable")
    unavailable.to(preparing,         event=when(IntentDropped,       "4.9 H2 it did not start"),     cond=["is_operative", "has_cable"],                on="begin_preparing")
    unavailable.to(unavailable,       event=when(IntentDropped,       "5.2 out of service"),          unless="is_operative",                             on="free")
    # What came to nothing, or was over before it showed: scheduled changes may happen
    available.to(available,           event=when(IntentDropped,       "4.9 it was never shown"),      unless="has_cable",                                on="free")
    available.to(preparing,           event=when(IntentDropped,       "4.9 A2 it did not start"),     cond="has_cable",                                  on="begin_preparing")
    reserved.to(reserved,             event=when(IntentDropped,       "4.9 it was never shown"),                                                         on="free")
    available.to(available,           event=when(TransactionEnded,    "5.8 ended after a restart"),                                                      on="free")
    reserved.to(reserved,             event=when(TransactionEnded,    "5.8 ended after a restart"),                                                      on="free")
    unavailable.to(unavailable,       event=when(TransactionEnded,    "5.8 ended after a restart"),                                                      on="free")
    unavailable.to(available,         event=when(CableRemoved,        "4.9 H1"),                      cond="is_operative",                               on="free")
    unavailable.to(unavailable,       event=when(CableRemoved,        "5.2 out of service"),          unless="is_operative")
    # fmt: on

    stays(CableRemoved, "nothing was in use", available, reserved)
    stays(CableInserted, "5.13 held for somebody", reserved)
    stays(VehicleConnected, "5.13 held for somebody", reserved)
    stays(VehicleDisconnected, "5.13 held for somebody", reserved)
    stays(EnergyRequested, "4.9 no transaction", reserved)
    stays(EnergyRefused, "4.9 no transaction", reserved)
    stays(SupplyWithheld, "4.9 no transaction", reserved)
    stays(Reserved, "5.13 replaced", reserved)
    stays(Reserved, "5.13 its holder is here", preparing, finishing)
    stays(Reserved, "5.13 its holder is here", charging, suspended_ev, suspended_evse)
    stays(Reserved, "5.13 out of service", unavailable)
    stays(ReservationEnded, "5.13 the status has moved on", available, preparing, finishing, unavailable)
    stays(ReservationEnded, "5.13 the status has moved on", charging, suspended_ev, suspended_evse)
    stays(IntentBegan, "4.9 free of charge, it starts at once", unavailable)
    stays(CableRemoved, "4.9 the end of the transaction decides", charging, suspended_ev, suspended_evse)
    stays(
        CableInserted,
        "4.9 the status stands",
        preparing,
        suspended_ev,
        suspended_evse,
        unavailable,
    )
    stays(VehicleConnected, "4.9 the status stands", unavailable)
    stays(VehicleDisconnected, "4.9 the cable decides", available, finishing, unavailable)
    stays(CableInserted, "4.9 the transaction is ending", charging)
    stays(VehicleConnected, "4.9 the transaction is ending", charging)
    stays(EnergyRequested, "4.9 no transaction", available, finishing, unavailable)
    stays(EnergyRequested, "4.9 already shown", charging)
    stays(EnergyRefused, "4.9 no energy flowed", available, preparing, suspended_evse)
    stays(EnergyRefused, "4.9 no transaction", finishing, unavailable)
    stays(SupplyAllowed, "4.9 the vehicle decides", preparing, charging, suspended_ev)
    stays(SupplyWithheld, "4.9 no transaction", available, finishing, unavailable)
    stays(IntentBegan, "4.9 the cable was first", preparing)
    stays(IntentDropped, "4.9 the status has moved on", finishing)
    stays(TransactionEnded, "5.8 ended after a restart", finishing)
    stays(BecameInoperative, "5.2 already shown", unavailable)

    impossible: ClassVar = {
        **{
            (value, BecameOperative): "it comes back into service from Unavailable only"
            for value in (
                *(
                    "Available",
                    "Preparing",
                    "Charging",
                    "SuspendedEV",
                    "SuspendedEVSE",
                    "Finishing",
                    "Reserved",
                ),
            )
        },
        **{
            (value, CableFound): "it is told where a reservation has just ended"
            for value in (
                *(
                    "Preparing",
                    "Charging",
                    "SuspendedEV",
                    "SuspendedEVSE",
                    "Finishing",
                    "Reserved",
                    "Unavailable",
                ),
            )
        },
        ("Reserved", SupplyAllowed): "no transaction runs",
        ("Reserved", PreparationTimedOut): "its timer runs only in Preparing",
        ("Reserved", VehicleResponseDue): "its timer runs only with a transaction",
        ("Reserved", TransactionStarted): "an idTag was accepted first, which shows Preparing",
        ("Available", SupplyAllowed): "a transaction that starts is shown first",
        ("Unavailable", SupplyAllowed): "a transaction that starts is shown first",
        ("SuspendedEV", EnergyRefused): "the vehicle asks for no energy",
        ("Finishing", CableInserted): "a cable is in until it is told to have left",
        ("Available", PreparationTimedOut): "its timer runs only in Preparing",
        ("Available", VehicleResponseDue): "its timer runs only with a transaction",
        ("Preparing", BecameInoperative): "Preparing is a use: the change is scheduled",
        ("Charging", IntentBegan): "a transaction runs",
        ("Charging", IntentDropped): "a transaction runs",
        ("Charging", PreparationTimedOut): "its timer runs only in Preparing",
        ("Charging", VehicleResponseDue): "its timer stops when the vehicle asks",
        ("Charging", TransactionStarted): "a transaction runs",
        ("Charging", BecameInoperative): "the change is scheduled",
        ("SuspendedEV", IntentBegan): "a transaction runs",
        ("SuspendedEV", IntentDropped): "a transaction runs",
        ("SuspendedEV", PreparationTimedOut): "its timer runs only in Preparing",
        ("SuspendedEV", VehicleResponseDue): "its timer is what led here",
        ("SuspendedEV", TransactionStarted): "a transaction runs",
        ("SuspendedEV", BecameInoperative): "the change is scheduled",
        ("SuspendedEVSE", IntentBegan): "a transaction runs",
        ("SuspendedEVSE", IntentDropped): "a transaction runs",
        ("SuspendedEVSE", PreparationTimedOut): "its timer runs only in Preparing",
        ("SuspendedEVSE", TransactionStarted): "a transaction runs",
        ("SuspendedEVSE", BecameInoperative): "the change is scheduled",
        ("Finishing", SupplyAllowed): "no transaction runs",
        ("Finishing", PreparationTimedOut): "its timer runs only in Preparing",
        ("Finishing", VehicleResponseDue): "its timer runs only with a transaction",
        ("Finishing", TransactionStarted): "an idTag was accepted first, which shows Preparing",
        ("Unavailable", PreparationTimedOut): "its timer runs only in Preparing",
        ("Unavailable", VehicleResponseDue): "its timer runs only with a transaction",
    }

    # Guards

    def has_cable(self) -> bool:
        return self.facts.has_cable

    def is_connected(self) -> bool:
        return self.facts.is_connected

    def needs_nobody(self) -> bool:
        """Free of charge: no idTag is waited for, but perhaps a vehicle."""
        is_free = bool(self.facts.settings.free_id_tag)
        return is_free and (starts_free(self.facts) or not self.facts.is_connected)

    def starts_at_once(self) -> bool:
        """Free of charge: both halves are there."""
        return bool(self.facts.settings.free_id_tag) and self.facts.is_connected

    def has_transaction(self) -> bool:
        return self.data.has_transaction

    def is_supplied(self) -> bool:
        return self.facts.is_supplied

    def is_requesting(self) -> bool:
        return self.facts.is_requesting

    def is_scheduled(self) -> bool:
        return self.facts.is_scheduled

    def is_operative(self) -> bool:
        return self.facts.is_operative

    def is_ending(self) -> bool:
        return self.facts.transaction == "stopping"

    # Actions

    def begin_preparing(self) -> None:
        self.data = ConnectorData()
        time_out_s = self.facts.keys.connection_time_out
        if time_out_s > 0:  # 0 is not defined: no time-out (decision T2)
            self.emit(StartTimer(PREPARATION, time_out_s, PreparationTimedOut()))

    def give_up(self) -> None:
        self.data = ConnectorData()
        self.emit(StopTimer(PREPARATION), StopTimer(VEHICLE_RESPONSE), UseEnded())

    def time_out(self) -> None:
        self.emit(PreparationEnded())

    def time_out_free(self) -> None:
        self.emit(PreparationEnded(), UseEnded())

    def await_vehicle(self) -> None:
        self.data = replace(self.data, has_transaction=True)
        wait_s = self.facts.settings.limits.vehicle_response_s
        self.emit(StopTimer(PREPARATION), StartTimer(VEHICLE_RESPONSE, wait_s, VehicleResponseDue()))

    def begin(self) -> None:
        self.data = replace(self.data, has_transaction=True)
        self.emit(StopTimer(PREPARATION), StopTimer(VEHICLE_RESPONSE))

    def stop_waiting(self) -> None:
        self.emit(StopTimer(VEHICLE_RESPONSE))

    def finish(self, ended: TransactionEnded) -> None:
        self.data = ConnectorData(
            is_vehicle_gone=ended.reason is Reason.EV_DISCONNECTED and not self.facts.is_connected
        )
        self.emit(StopTimer(PREPARATION), StopTimer(VEHICLE_RESPONSE))

    def finish_free(self) -> None:
        self.data = ConnectorData()
        self.emit(StopTimer(PREPARATION), StopTimer(VEHICLE_RESPONSE), UseEnded())

    def free(self) -> None:
        self.data = ConnectorData()
        self.emit(UseEnded())

    def free_with_cable(self) -> None:
        self.free()
        self.emit(CableFound())

    def lose_vehicle(self) -> None:
        self.data = replace(self.data, is_vehicle_gone=True)

    def find_vehicle(self) -> None:
        self.data = replace(self.data, is_vehicle_gone=False)

    def leave_service(self) -> None:
        # The charge point as a whole may have waited for this connector to be left.
        self.find_vehicle()
        self.emit(UseEnded())

    @property
    def status(self) -> ChargePointStatus:
        """The state, as OCPP names it."""
        return ChargePointStatus(self.state)


def info_of(standing: Standing) -> str:
    """What StatusNotification says beside the status, while there is no error."""
    is_told = standing.data.is_vehicle_gone and standing.state in {"SuspendedEV", "Finishing"}
    return EV_SIDE_DISCONNECTED if is_told else ""
