"""Cable and vehicle at one connector, read from the control and the proximity pilot.

IEC 61851-1, table A.2 and A.6: state A no vehicle, B connected, C asks for energy. D asks for a ventilation that
is not offered, so it counts as B. E and F mean that the pilot cannot be trusted: no energy, and nothing is said
about the vehicle until a readable state returns.

A connector with a fixed cable has no proximity pilot: there the cable leaves when the vehicle does.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.vocabulary.hardware import CableChanged, PilotChanged, PilotState
from machines.vocabulary.notices import (
    CableInserted,
    CableRemoved,
    EnergyRefused,
    EnergyRequested,
    VehicleConnected,
    VehicleDisconnected,
)


class ControlPilotData(Struct, frozen=True):
    """What the proximity pilot says, and what was known before the pilot became unreadable."""

    rating_a: float | None = None
    """Of the detachable cable, per phase."""
    had_vehicle: bool = False
    has_cable: bool = False


class ControlPilot(Machine[ControlPilotData, Facts]):
    """What is connected, and whether it asks for energy."""

    messages = (PilotChanged, CableChanged)

    empty = State("Empty", value="empty", initial=True)
    cable_only = State("Cable only", value="cable_only")
    connected = State("Connected", value="connected")
    requesting = State("Requesting", value="requesting")
    unreadable = State("Unreadable", value="unreadable")

    # fmt: off
    # Nothing connected
    empty.to(empty,                event=when(PilotChanged, "61851-1 A"),             cond="is_a")
    empty.to(connected,            event=when(PilotChanged, "61851-1 A.6 seq. 1.1"),  cond="is_b",      on="connect")
    empty.to(requesting,           event=when(PilotChanged, "61851-1 A.6 seq. 1.2"),  cond="is_c",      on="connect_requesting")
    empty.to(unreadable,           event=when(PilotChanged, "61851-1 E, F"),          cond="is_ef")
    empty.to(cable_only,           event=when(CableChanged, "61851-1 B.2 cable in"),  cond="is_present",   on="insert")
    empty.to(empty,                event=when(CableChanged, "61851-1 B.2 no cable"),  unless="is_present")
    # A detachable cable, no vehicle
    cable_only.to(cable_only,      event=when(PilotChanged, "61851-1 A"),             cond="is_a")
    cable_only.to(connected,       event=when(PilotChanged, "61851-1 A.6 seq. 1.1"),  cond="is_b",      on="connect")
    cable_only.to(requesting,      event=when(PilotChanged, "61851-1 A.6 seq. 1.2"),  cond="is_c",      on="connect_requesting")
    cable_only.to(unreadable,      event=when(PilotChanged, "61851-1 E, F"),          cond="is_ef")
    cable_only.to(cable_only,      event=when(CableChanged, "61851-1 B.2 rating"),    cond="is_present",   on="rate")
    cable_only.to(empty,           event=when(CableChanged, "61851-1 B.2 cable out"), unless="is_present", on="remove")
    # A vehicle that asks for nothing
    connected.to(empty,            event=when(PilotChanged, "61851-1 A.6 seq. 2.1, fixed cable"), cond=["is_a", "is_tethered"],      on="leave_with_cable")
    connected.to(cable_only,       event=when(PilotChanged, "61851-1 A.6 seq. 2.1"),  cond="is_a", unless="is_tethered",              on="leave")
    connected.to(connected,        event=when(PilotChanged, "61851-1 B"),             cond="is_b")
    connected.to(requesting,       event=when(PilotChanged, "61851-1 A.6 seq. 4"),    cond="is_c",      on="request")
    connected.to(unreadable,       event=when(PilotChanged, "61851-1 E, F"),          cond="is_ef",     on="doubt")
    connected.to(connected,        event=when(CableChanged, "61851-1 B.2 rating"),    cond="is_present",   on="rate")
    connected.to(empty,            event=when(CableChanged, "61851-1 B.2 cable out"), unless="is_present", on="leave_with_cable")
    # A vehicle that asks for energy
    requesting.to(empty,           event=when(PilotChanged, "61851-1 A.6 seq. 2.2, fixed cable"), cond=["is_a", "is_tethered"],      on="leave_with_cable")
    requesting.to(cable_only,      event=when(PilotChanged, "61851-1 A.6 seq. 2.2"),  cond="is_a", unless="is_tethered",              on="leave")
    requesting.to(connected,       event=when(PilotChanged, "61851-1 A.6 seq. 8.1"),  cond="is_b",      on="refuse")
    requesting.to(requesting,      event=when(PilotChanged, "61851-1 C"),             cond="is_c")
    requesting.to(unreadable,      event=when(PilotChanged, "61851-1 E, F"),          cond="is_ef",     on="doubt_and_refuse")
    requesting.to(requesting,      event=when(CableChanged, "61851-1 B.2 rating"),    cond="is_present",   on="rate")
    requesting.to(empty,           event=when(CableChanged, "61851-1 B.2 cable out"), unless="is_present", on="leave_with_cable")
    # A pilot that cannot be read
    unreadable.to(empty,           event=when(PilotChanged, "61851-1 A, vehicle gone, fixed cable"), cond=["is_a", "had_vehicle", "is_tethered"],                  on="leave_with_cable")
    unreadable.to(cable_only,      event=when(PilotChanged, "61851-1 A, vehicle gone"),              cond=["is_a", "had_vehicle"], unless="is_tethered",           on="leave")
    unreadable.to(cable_only,      event=when(PilotChanged, "61851-1 A, only a cable"),              cond=["is_a", "has_cable"], unless="had_vehicle")
    unreadable.to(empty,           event=when(PilotChanged, "61851-1 A"),                            cond="is_a", unless=["had_vehicle", "has_cable"])
    unreadable.to(connected,       event=when(PilotChanged, "61851-1 B, as before"),   cond=["is_b", "had_vehicle"])
    unreadable.to(connected,       event=when(PilotChanged, "61851-1 B, new vehicle"), cond="is_b", unless="had_vehicle",             on="connect")
    unreadable.to(requesting,      event=when(PilotChanged, "61851-1 C, as before"),   cond=["is_c", "had_vehicle"],                  on="request")
    unreadable.to(requesting,      event=when(PilotChanged, "61851-1 C, new vehicle"), cond="is_c", unless="had_vehicle",             on="connect_requesting")
    unreadable.to(unreadable,      event=when(PilotChanged, "61851-1 E, F"),           cond="is_ef")
    unreadable.to(unreadable,      event=when(CableChanged, "61851-1 B.2 rating"),     cond=["is_present", "has_cable"],              on="rate")
    unreadable.to(unreadable,      event=when(CableChanged, "61851-1 B.2 cable in"),   cond="is_present", unless="has_cable",         on="insert")
    unreadable.to(unreadable,      event=when(CableChanged, "61851-1 B.2 cable out, vehicle gone"), cond="had_vehicle", unless="is_present",            on="leave_with_cable")
    unreadable.to(unreadable,      event=when(CableChanged, "61851-1 B.2 cable out"),  cond="has_cable", unless=["is_present", "had_vehicle"],          on="remove")
    unreadable.to(unreadable,      event=when(CableChanged, "61851-1 B.2 no cable"),   unless=["is_present", "had_vehicle", "has_cable"])
    # fmt: on

    exclusive = (("is_a", "is_b", "is_c", "is_ef"),)
    impossible: ClassVar = {}

    # Guards

    def is_a(self, message: PilotChanged) -> bool:
        return message.state is PilotState.A

    def is_b(self, message: PilotChanged) -> bool:
        return message.state in {PilotState.B, PilotState.D}

    def is_c(self, message: PilotChanged) -> bool:
        return message.state is PilotState.C

    def is_ef(self, message: PilotChanged) -> bool:
        return message.state in {PilotState.E, PilotState.F}

    def is_present(self, message: CableChanged) -> bool:
        return message.present

    def is_tethered(self) -> bool:
        connector = self.facts.connector
        assert connector is not None
        return connector.cable == "tethered"

    def had_vehicle(self) -> bool:
        return self.data.had_vehicle

    def has_cable(self) -> bool:
        return self.data.has_cable

    # Actions

    def insert(self, message: CableChanged) -> None:
        self.data = ControlPilotData(message.rating_a, had_vehicle=False, has_cable=True)
        self.emit(CableInserted())

    def rate(self, message: CableChanged) -> None:
        self.data = replace(self.data, rating_a=message.rating_a, has_cable=True)

    def connect(self) -> None:
        # There is no vehicle without a cable, whatever the proximity pilot has said so far.
        self.data = replace(self.data, had_vehicle=True, has_cable=True)
        self.emit(VehicleConnected())

    def connect_requesting(self) -> None:
        self.connect()
        self.emit(EnergyRequested())

    def request(self) -> None:
        self.emit(EnergyRequested())

    def refuse(self) -> None:
        self.emit(EnergyRefused())

    def doubt(self) -> None:
        self.data = replace(self.data, had_vehicle=True)

    def doubt_and_refuse(self) -> None:
        self.doubt()
        self.emit(EnergyRefused())

    def leave(self) -> None:
        self.data = replace(self.data, had_vehicle=False, has_cable=True)
        self.emit(VehicleDisconnected())

    def leave_with_cable(self) -> None:
        self.data = ControlPilotData()
        self.emit(VehicleDisconnected(), CableRemoved())

    def remove(self) -> None:
        self.data = ControlPilotData()
        self.emit(CableRemoved())
