"""The simulated connector: pilot, contactor, proximity, lock and meter, with a vehicle now and then.

How it works: nothing is polled. Every method first lets the past happen up to now (``_catch_up``), then
changes something, then draws the conclusions (``_follow``). The task of ``run`` only sleeps until the next
instant at which something changes by itself, and reports from one queue, so the order of events never depends
on the scheduler.
"""

import math
from collections import deque

import trio
from msgspec.structs import replace

from drivers.interfaces import MeterRecord, MeterSilentError, ReportEvent
from drivers.simulated.circuit import Circuit
from drivers.simulated.errors import SimulationError
from drivers.simulated.lock import Lock
from drivers.simulated.settings import OFFER_MAX_A, OFFER_MIN_A, SimulatedConnectorSettings
from drivers.simulated.state import SimulatedConnectorState
from drivers.simulated.vehicle import Vehicle
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    MeterReading,
    PilotChanged,
    PilotState,
    PowerFailing,
    Setpoint,
    StopPressed,
)

EVENTS_MAX = 1000
"""Events that wait for the charge point before stimuli are refused."""
FREQUENCY_HZ = 50.0
TEMPERATURE_C = 25.0


class SimulatedConnector:
    """Implements ``drivers.interfaces.ConnectorDriver``.

    The board is powered while ``run`` runs: before and after, the contactor is open and nothing is offered,
    whatever was applied. Vehicle, cable, register and faults outlast it, so ``run`` may be started again.
    """

    def __init__(self, settings: SimulatedConnectorSettings) -> None:
        self.settings = settings
        self._powered = False
        self._setpoint = Setpoint()
        self._circuit = Circuit(settings)
        self._lock = Lock() if settings.has_lock else None
        self._cable = settings.cable == "tethered"
        self._leaving = False
        """A person waits for the lock, to take the cable along."""
        self._faults: dict[HardwareFault, str] = {}
        self._meter_silent = False
        self._pilot_shorted = False
        self._told_pilot = PilotState.A
        self._told_cable = self._cable
        self._events: deque[HardwareEvent] = deque()
        self._woken = trio.Event()

    # The driver

    async def run(self, report: ReportEvent) -> None:
        """Report the present state and standing faults once, then what changes, until cancelled."""
        assert not self._powered, "run() runs already"
        self._catch_up()
        self._powered = True
        self._events.extend(self._present())
        self._follow()
        try:
            while True:
                while self._events:
                    await report(self._events.popleft())
                self._woken = trio.Event()
                with trio.move_on_at(self._next_instant()):
                    await self._woken.wait()
                self._catch_up()
        finally:
            self._catch_up()
            self._powered = False
            self._events.clear()
            # Whoever runs it again has to ask again.
            self._setpoint = replace(self._setpoint, contactor=False, offered_a=0.0)
            self._follow()

    def apply(self, setpoint: Setpoint) -> None:
        """Make the hardware so, at once but for the lock, which travels 0.3 s."""
        offered_a, most_a = setpoint.offered_a, min(OFFER_MAX_A, self.settings.current_max_a)
        assert offered_a == 0.0 or OFFER_MIN_A <= offered_a <= most_a, f"{offered_a} A cannot be offered"
        assert setpoint.phases in (1, 3), f"{setpoint.phases} phases"
        if setpoint != self._setpoint:
            self._catch_up()
            self._setpoint = setpoint
            self._follow()

    async def read_meter(self) -> MeterReading:
        """Read all values now.

        Raises:
            MeterSilentError: The meter is silent; after ``meter_timeout_s``.
        """
        if self._meter_silent:
            await trio.sleep(self.settings.meter_timeout_s)
            raise MeterSilentError(f"no answer in {self.settings.meter_timeout_s:g} s")
        await trio.lowlevel.checkpoint()
        self._catch_up()
        circuit, voltage_v = self._circuit, self.settings.voltage_v
        lines = range(self.settings.phases)
        currents: list[float | None] = [circuit.current_a if line < circuit.phases else 0.0 for line in lines]
        currents += [None] * (3 - len(currents))
        powers = [None if current is None else current * voltage_v for current in currents]
        voltages = [None if current is None else voltage_v for current in currents]
        return MeterReading(
            energy_import_wh=circuit.shown_wh,
            power_w=circuit.power_w,
            power_l1_w=powers[0],
            power_l2_w=powers[1],
            power_l3_w=powers[2],
            current_l1_a=currents[0],
            current_l2_a=currents[1],
            current_l3_a=currents[2],
            voltage_l1_v=voltages[0],
            voltage_l2_v=voltages[1],
            voltage_l3_v=voltages[2],
            frequency_hz=FREQUENCY_HZ,
            power_factor=1.0,
            temperature_c=TEMPERATURE_C,
            # As a vehicle tells it that speaks ISO 15118.
            soc_percent=circuit.vehicle.soc_percent if circuit.vehicle else None,
        )

    async def until_moved(self) -> None:
        """Nothing is polled, and nothing is waited for."""
        await trio.lowlevel.checkpoint()

    @property
    def meter_record(self) -> MeterRecord | None:
        """None: the register outlasts the run."""
        return None

    def resume_meter(self, record: MeterRecord, passed_s: float) -> None:
        """There is nothing to go on from."""

    # What there is to see

    @property
    def register_wh(self) -> float:
        """Register of the meter now, unrounded."""
        self._catch_up()
        return self._circuit.register_wh

    def state(self) -> SimulatedConnectorState:
        """Everything there is to see now."""
        self._catch_up()
        circuit, vehicle, lock = self._circuit, self._circuit.vehicle, self._lock
        return SimulatedConnectorState(
            plugged=vehicle is not None,
            cable=self._cable,
            pilot=self._pilot,
            contactor=circuit.contactor,
            offered_a=circuit.offered_a,
            phases=circuit.phases,
            current_a=circuit.current_a,
            power_w=circuit.power_w,
            register_wh=circuit.register_wh,
            soc_percent=vehicle.soc_percent if vehicle else None,
            paused=vehicle is not None and vehicle.paused,
            locked=lock.locked if lock else None,
            lock_jammed=lock is not None and lock.jammed,
            meter_silent=self._meter_silent,
            indicator=self._setpoint.indicator,
            brightness_percent=self._setpoint.brightness_percent,
            blink_repeat=self._setpoint.blink_repeat,
            faults=dict(self._faults),
        )

    # Stimuli

    def plug_in(self) -> None:
        """Connect a vehicle, charged as on arrival; put the cable in first if there is none.

        Raises:
            SimulationError: A vehicle is connected, or the lock bars the empty socket.
        """
        self._before_stimulus()
        if self._circuit.vehicle is not None:
            raise SimulationError("a vehicle is plugged in already")
        if not self._cable and self._is_locked:
            raise SimulationError("the socket is locked")
        self._circuit.vehicle = Vehicle(self.settings.vehicle)
        self._cable = True
        self._leaving = False
        self._follow()

    def unplug(self, side: str = "both") -> None:
        """Take the cable out.

        ``both``: the vehicle's end, then the station's. If the lock holds that, the person waits: pilot A,
        the cable stays, and goes when the lock lets it go (or stays for good, if someone plugs in before).
        ``vehicle``: only the vehicle's end; the cable stays in the socket.
        ``station``: the station's end first, which a lock prevents.
        With a fixed cable ``both`` and ``vehicle`` are the same.

        Raises:
            SimulationError: There is nothing to take out on that side, or the lock holds it.
        """
        self._before_stimulus()
        socket = self.settings.cable == "socket"
        if side not in ("both", "vehicle", "station"):
            raise SimulationError(f"side {side!r}: must be both, vehicle or station")
        if side == "station" and not socket:
            raise SimulationError("the cable is fixed to the station")
        if self._circuit.vehicle is None and (side == "vehicle" or not socket or not self._cable):
            raise SimulationError("nothing is plugged in")
        if self._is_locked and (side == "station" or self._circuit.vehicle is None):
            raise SimulationError("the cable is locked in the socket")
        self._circuit.vehicle = None
        if socket and side != "vehicle":
            self._cable = self._leaving = self._is_locked
        self._follow()

    def pause(self) -> None:
        """Let the vehicle want no energy: it goes to pilot B by itself and stays there.

        Raises:
            SimulationError: No vehicle is plugged in, or it pauses already.
        """
        self._set_paused(True)

    def resume(self) -> None:
        """End what ``pause`` began.

        Raises:
            SimulationError: No vehicle is plugged in, or it does not pause.
        """
        self._set_paused(False)

    def raise_fault(self, fault: HardwareFault, info: str = "") -> None:
        """Let a fault appear, or change its ``info``. It is only reported: the board goes on as asked."""
        self._before_stimulus()
        self._faults[fault] = info
        self._queue(FaultRaised(fault, info))

    def clear_fault(self, fault: HardwareFault) -> None:
        """Let a fault go.

        Raises:
            SimulationError: It does not stand.
        """
        self._before_stimulus()
        if fault not in self._faults:
            raise SimulationError(f"no fault {fault.value!r} stands")
        del self._faults[fault]
        self._queue(FaultCleared(fault))

    def fail_power(self) -> None:
        """Let the supply go, with a buffer that lasts a little longer."""
        self._before_stimulus()
        self._queue(PowerFailing())

    def press_stop(self, *, is_emergency: bool = False) -> None:
        """Press the stop button, or the emergency stop."""
        self._before_stimulus()
        self._queue(StopPressed(is_emergency))

    def lock_failure(self) -> None:
        """Jam the lock where it is: until ``lock_repair``, asking for the other position fails.

        Raises:
            SimulationError: There is no lock, or it is jammed.
        """
        self._set_jammed(True)

    def lock_repair(self) -> None:
        """Free the lock: it moves at once to the position last asked for.

        Raises:
            SimulationError: There is no lock, or it is not jammed.
        """
        self._set_jammed(False)

    def pilot_failure(self) -> None:
        """Short the control pilot: state E, until ``pilot_repair``. A vehicle sees no offer meanwhile.

        Raises:
            SimulationError: It is shorted.
        """
        self._set_shorted(True)

    def pilot_repair(self) -> None:
        """Let the control pilot show the vehicle again.

        Raises:
            SimulationError: It is not shorted.
        """
        self._set_shorted(False)

    def meter_silence(self, silent: bool) -> None:
        """Let the meter answer no more, or again. It measures all the while."""
        self._before_stimulus()
        self._meter_silent = silent

    # Inside

    def _before_stimulus(self) -> None:
        self._catch_up()
        if len(self._events) >= EVENTS_MAX:
            raise SimulationError(f"{EVENTS_MAX} events wait; the charge point takes none")

    def _set_paused(self, paused: bool) -> None:
        self._before_stimulus()
        vehicle = self._circuit.vehicle
        if vehicle is None:
            raise SimulationError("no vehicle is plugged in")
        if vehicle.paused is paused:
            raise SimulationError(f"the vehicle {'pauses already' if paused else 'does not pause'}")
        vehicle.paused = paused
        self._follow()

    def _set_jammed(self, jammed: bool) -> None:
        self._before_stimulus()
        if self._lock is None:
            raise SimulationError("the connector has no lock")
        if self._lock.jammed is jammed:
            raise SimulationError(f"the lock is {'jammed already' if jammed else 'not jammed'}")
        if jammed:
            self._lock.jammed = True
        else:
            self._lock.repair(self._circuit.settled_at)
        self._follow()

    def _set_shorted(self, shorted: bool) -> None:
        self._before_stimulus()
        if self._pilot_shorted is shorted:
            raise SimulationError(f"the pilot is {'shorted already' if shorted else 'not shorted'}")
        self._pilot_shorted = shorted
        self._follow()

    @property
    def _pilot(self) -> PilotState:
        if self._pilot_shorted:
            return PilotState.E
        if self._circuit.vehicle is None:
            return PilotState.A
        return PilotState.C if self._circuit.vehicle.asks else PilotState.B

    @property
    def _is_locked(self) -> bool:
        return self._lock is not None and self._lock.locked

    def _present(self) -> list[HardwareEvent]:
        """The present state, as events."""
        present: list[HardwareEvent] = [PilotChanged(self._pilot)]
        if self.settings.cable == "socket":
            present.append(self._cable_event())
        if self._lock is not None:
            present.append(LockChanged(self._lock.locked))
        present.extend(FaultRaised(fault, info) for fault, info in self._faults.items())
        return present

    def _cable_event(self) -> CableChanged:
        return CableChanged(self._cable, self.settings.cable_rating_a if self._cable else None)

    def _queue(self, event: HardwareEvent) -> None:
        """Report ``event`` in turn. What happens while nobody listens, ``run`` reports first as the state."""
        if self._powered:
            self._events.append(event)
            self._woken.set()

    def _next_instant(self) -> float:
        """When something changes by itself."""
        arrives_at = self._lock.arrives_at if self._lock else math.inf
        return min(self._circuit.next_instant, arrives_at)

    def _catch_up(self) -> None:
        """Let happen what was due, each at its instant and in a fixed order, up to now."""
        now, circuit = trio.current_time(), self._circuit
        if now < circuit.settled_at:
            # This is another Trio run than that of the last call, and its clock reads less.
            if self._lock is not None:
                self._lock.arrives_at += now - circuit.settled_at
            circuit.adopt_clock(now)
        while (instant := self._next_instant()) <= now:
            circuit.settle(instant)
            if circuit.next_instant <= instant:
                circuit.happen()
            else:
                self._end_travel()
            self._follow()
        circuit.settle(now)

    def _end_travel(self) -> None:
        assert self._lock is not None
        self._queue(self._lock.arrive())
        if self._leaving and not self._lock.locked:
            self._cable = self._leaving = False

    def _follow(self) -> None:
        """Draw the conclusions of a change at the instant to which the circuit is settled; queue events."""
        circuit = self._circuit
        circuit.contactor = self._powered and self._setpoint.contactor
        circuit.offered_a = self._setpoint.offered_a if self._powered and not self._pilot_shorted else 0.0
        circuit.phases_connected = self._setpoint.phases
        circuit.conclude()
        if self._powered and self._lock is not None:
            self._lock.ask(locked=self._setpoint.locked, now=circuit.settled_at)
        # The pilot contact of a plug makes last and breaks first.
        changes: list[HardwareEvent] = []
        if self._pilot != self._told_pilot:
            changes.append(PilotChanged(self._pilot))
        if self._cable != self._told_cable:
            changes.insert(0 if self._cable else len(changes), self._cable_event())
        self._told_pilot, self._told_cable = self._pilot, self._cable
        for change in changes:
            self._queue(change)
        # The next instant may have changed as well.
        self._woken.set()
