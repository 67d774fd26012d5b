"""What simulated hardware does, as values: the reference for ``drivers.simulated``, without its tasks and its clock.

A board follows what it is asked for, by the timings of the simulation; its battery is never full. What it reports
comes out of the methods that cause it. Times are those of the caller's clock, in s.
"""

import math
from copy import copy
from typing import Self

from msgspec import Struct

from drivers.simulated.lock import TRAVEL_S
from drivers.simulated.settings import OFFER_MIN_A, SimulatedVehicleSettings
from drivers.simulated.vehicle import RELEASE_S
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    LockFailed,
    MeterReading,
    PilotChanged,
    PilotState,
    Setpoint,
)
from machines.vocabulary.settings import ConnectorSettings

VEHICLE = SimulatedVehicleSettings(battery_capacity_wh=1e9)
"""The vehicle of tours: it always wants more."""
CABLE_RATING_A = 32.0


class OutOfOrderError(Exception):
    """A stimulus that the hardware is in no state for."""


class Board(Struct):
    """One connector, its cable and its vehicle. A copy of it is a snapshot."""

    connector: ConnectorSettings
    cable: bool
    """A cable is in the socket; always with a fixed cable."""
    told_cable: bool
    setpoint: Setpoint = Setpoint()
    is_powered: bool = False
    is_plugged: bool = False
    is_paused: bool = False
    asks: bool = False
    """The vehicle asks for energy: pilot C."""
    decides_at: float = math.inf
    """When it will ask, or stop asking."""
    is_leaving: bool = False
    """Somebody waits for the lock, to take the cable along."""
    is_locked: bool = False
    lock_target: bool = False
    lock_arrives_at: float = math.inf
    is_jammed: bool = False
    is_shorted: bool = False
    """The control pilot cannot be read."""
    is_silent: bool = False
    """The meter does not answer."""
    faults: tuple[tuple[HardwareFault, str], ...] = ()
    told_pilot: PilotState = PilotState.A
    energy_ws: float = 0.0
    metered_at: float = 0.0

    # What there is to see

    @property
    def pilot(self) -> PilotState:
        """State of the control pilot."""
        if self.is_shorted:
            return PilotState.E
        if not self.is_plugged:
            return PilotState.A
        return PilotState.C if self.asks else PilotState.B

    @property
    def next_instant(self) -> float:
        """When something changes by itself."""
        return min(self.decides_at, self.lock_arrives_at)

    def reading(self, now: float) -> MeterReading:
        """What the meter says; of all but the register only that it is measured."""
        self._meter(now)
        lines = [0.0 if line < self.connector.phases else None for line in range(3)]
        return MeterReading(
            energy_import_wh=math.floor(self.energy_ws / 3600 + 1e-6),
            power_w=0.0,
            power_l1_w=lines[0],
            power_l2_w=lines[1],
            power_l3_w=lines[2],
            current_l1_a=lines[0],
            current_l2_a=lines[1],
            current_l3_a=lines[2],
            voltage_l1_v=lines[0],
            voltage_l2_v=lines[1],
            voltage_l3_v=lines[2],
            frequency_hz=0.0,
            power_factor=1.0,
            temperature_c=0.0,
            soc_percent=0.0 if self.is_plugged else None,
        )

    # Power

    def power_up(self, now: float) -> list[HardwareEvent]:
        """The driver begins: everything there is."""
        self._meter(now)
        self.is_powered = True
        present: list[HardwareEvent] = [PilotChanged(self.pilot)]
        if self.connector.cable == "socket":
            present.append(self._cable_event())
        if self.connector.has_lock:
            present.append(LockChanged(self.is_locked))
        present += [FaultRaised(fault, info) for fault, info in self.faults]
        return present + self._follow(now)

    def power_down(self, now: float) -> None:
        """The driver is gone: nothing is offered any more, and nobody is told what happens."""
        self._meter(now)
        self.is_powered = False
        self.setpoint = Setpoint(locked=self.setpoint.locked, phases=self.setpoint.phases)
        self._follow(now)

    def apply(self, setpoint: Setpoint, now: float) -> list[HardwareEvent]:
        """Be asked for something."""
        if setpoint == self.setpoint:
            return []
        self._meter(now)
        self.setpoint = setpoint
        return self._follow(now)

    # Time

    def happen(self, now: float) -> list[HardwareEvent]:
        """What was due at ``now``."""
        self._meter(now)
        if self.decides_at <= now:
            self.asks = not self.asks
            self.decides_at = math.inf
            return self._follow(now)
        self.lock_arrives_at = math.inf
        event: HardwareEvent
        if self.is_jammed and self.is_locked is not self.lock_target:
            event = LockFailed(self.lock_target)
        else:
            self.is_locked = self.lock_target
            event = LockChanged(self.is_locked)
        if self.is_leaving and not self.is_locked:
            self.cable = self.is_leaving = False
        return [event, *self._follow(now)] if self.is_powered else self._follow(now)

    # Stimuli

    def plug_in(self, now: float) -> list[HardwareEvent]:
        """A vehicle comes.

        Raises:
            OutOfOrderError: There is one, or the lock bars the socket.
        """
        _refuse(self.is_plugged or (not self.cable and self.is_locked))
        self._meter(now)
        self.is_plugged = self.cable = True
        self.is_paused = self.asks = self.is_leaving = False
        self.decides_at = math.inf
        return self._follow(now)

    def unplug(self, side: str, now: float) -> list[HardwareEvent]:
        """The cable is taken out, as far as the lock lets it.

        Raises:
            OutOfOrderError: There is none, or the lock holds it.
        """
        is_socket = self.connector.cable == "socket"
        _refuse(side == "station" and not is_socket)
        _refuse(not self.is_plugged and (side == "vehicle" or not is_socket or not self.cable))
        _refuse(self.is_locked and (side == "station" or not self.is_plugged))
        self._meter(now)
        self.is_plugged = self.asks = False
        self.decides_at = math.inf
        if is_socket and side != "vehicle":
            self.cable = self.is_leaving = self.is_locked
        return self._follow(now)

    def pause(self, now: float, *, is_paused: bool) -> list[HardwareEvent]:
        """The vehicle wants nothing for now, or wants energy again.

        Raises:
            OutOfOrderError: There is none, or it is so already.
        """
        _refuse(not self.is_plugged or self.is_paused is is_paused)
        self._meter(now)
        self.is_paused = is_paused
        return self._follow(now)

    def jam(self, now: float, *, is_jammed: bool) -> list[HardwareEvent]:
        """The lock does not move, or does again.

        Raises:
            OutOfOrderError: There is no lock, or it is so already.
        """
        _refuse(not self.connector.has_lock or self.is_jammed is is_jammed)
        self.is_jammed = is_jammed
        if not is_jammed and self.is_locked is not self.lock_target and self.lock_arrives_at == math.inf:
            self.lock_arrives_at = now + TRAVEL_S
        return self._follow(now)

    def short(self, now: float, *, is_shorted: bool) -> list[HardwareEvent]:
        """The control pilot cannot be read any more, or can be again.

        Raises:
            OutOfOrderError: It is so already.
        """
        _refuse(self.is_shorted is is_shorted)
        self._meter(now)
        self.is_shorted = is_shorted
        return self._follow(now)

    def raise_fault(self, fault: HardwareFault, info: str) -> list[HardwareEvent]:
        """A fault appears, or is told anew."""
        self.faults = tuple({**dict(self.faults), fault: info}.items())
        return [FaultRaised(fault, info)]

    def clear_fault(self, fault: HardwareFault) -> list[HardwareEvent]:
        """A fault goes.

        Raises:
            OutOfOrderError: It does not stand.
        """
        left = tuple(entry for entry in self.faults if entry[0] is not fault)
        _refuse(left == self.faults)
        self.faults = left
        return [FaultCleared(fault)]

    # Inside

    def copy(self) -> Self:
        """A snapshot."""
        return copy(self)

    def _follow(self, now: float) -> list[HardwareEvent]:
        """Draw the conclusions of a change; the events that follow, if there is a driver to tell them."""
        offered_a = self._shown_a
        if self.is_plugged:
            is_asked = offered_a >= OFFER_MIN_A and not self.is_paused
            if is_asked is self.asks:
                self.decides_at = math.inf
            elif self.is_paused:
                self.asks = False
                self.decides_at = math.inf
            elif self.decides_at == math.inf:
                self.decides_at = now + (VEHICLE.response_s if is_asked else RELEASE_S)
        is_moved = (
            self.is_powered and self.connector.has_lock and self.setpoint.locked is not self.lock_target
        )
        if is_moved:
            self.lock_target = self.setpoint.locked
            self.lock_arrives_at = now + TRAVEL_S
        changes: list[HardwareEvent] = []
        if self.pilot is not self.told_pilot:
            changes.append(PilotChanged(self.pilot))
        if self.cable is not self.told_cable:
            changes.insert(0 if self.cable else len(changes), self._cable_event())
        self.told_pilot, self.told_cable = self.pilot, self.cable
        return changes if self.is_powered else []

    @property
    def _shown_a(self) -> float:
        """What the vehicle sees of the offer."""
        return self.setpoint.offered_a if self.is_powered and not self.is_shorted else 0.0

    def _cable_event(self) -> CableChanged:
        return CableChanged(self.cable, CABLE_RATING_A if self.cable else None)

    def _meter(self, now: float) -> None:
        """Let flow what flowed until ``now``."""
        setpoint, connector = self.setpoint, self.connector
        if setpoint.contactor and self.asks and self._shown_a >= OFFER_MIN_A:
            current_a = min(self._shown_a, VEHICLE.current_max_a, CABLE_RATING_A)
            phases = min(setpoint.phases, connector.phases, VEHICLE.phases)
            self.energy_ws += current_a * connector.voltage_v * phases * (now - self.metered_at)
        self.metered_at = now


def board_of(connector: ConnectorSettings) -> Board:
    """The board of a connector, without a vehicle."""
    is_tethered = connector.cable == "tethered"
    return Board(connector=connector, cable=is_tethered, told_cable=is_tethered)


def _refuse(is_out_of_order: bool) -> None:
    if is_out_of_order:
        raise OutOfOrderError
