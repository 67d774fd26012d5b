"""An EVSE controller on a Modbus line: pilot, contactor, lock and faults by its register map.

How it works: one loop, in turns. A turn first takes away what energy was asked to be taken away, then reads the
state and reports what changed, then writes the rest of the setpoint. What the controller was told is believed only
as long as every turn succeeds; after an error everything is written again, since it may have restarted meanwhile.

The contactor is the controller's own: it closes when charging is allowed and the vehicle asks for energy, and opens
within the 100 ms of IEC 61851-1 without us. If it hears nothing more from us, its watchdog ends the offer.
"""

import math
from collections.abc import Mapping

import trio
from msgspec import Struct

from drivers.interfaces import ReportEvent
from drivers.map_files import UNKNOWN
from drivers.modbus.device import MappedDevice
from drivers.modbus.errors import ModbusError
from drivers.pulse import Pulse
from drivers.register_map import EVSE_VALUES, Write
from drivers.registers import Value
from machines.vocabulary.hardware import (
    CableChanged,
    FaultCleared,
    FaultRaised,
    HardwareEvent,
    HardwareFault,
    LockChanged,
    LockFailed,
    PilotChanged,
    PilotState,
    Setpoint,
)

OFFER_MIN_A = 6.0
"""Least current that can be offered by PWM (IEC 61851-1, annex A)."""
NO_CABLE, SHORTED = 0, 0xFFFF
"""What ``cable_a`` reads without a cable, and when the proximity pilot is shorted."""
PLUGGED = frozenset({PilotState.B, PilotState.C, PilotState.D})
ASKING = frozenset({PilotState.C, PilotState.D})
OPEN_AFTER_S = 7.0
"""When the offer was taken back for so long, the contactor is open even if the vehicle goes on asking: the controller
opens it under load after 6 s (IEC 61851-1 table A.6, sequence 10.2)."""
NOT_READ = frozenset({"digital_inputs", "digital_outputs", "duty_percent", "offered_a", "token", "phases"})


class EvseSettings(Struct, frozen=True, kw_only=True):
    """How a controller is run. Times in s."""

    cable: str
    """``tethered`` or ``socket``."""
    has_lock: bool
    poll_s: float = 0.5
    """Between two turns."""
    silent_after_s: float = 3.0
    """Without a turn that succeeds for so long, the controller has failed."""
    silent_poll_s: float = 1.0
    """Between two turns while it is silent: others may be on the same line."""
    watchdog_s: float = 10.0
    """After which a controller with a watchdog takes the energy away by itself when we are silent."""
    switches_phases: bool = False
    """Between one and three, if the controller can."""
    when_silent: str = ""
    """What becomes of the energy when the controller is silent, for people."""
    lock_timeout_s: float = 3.0
    """For the lock to reach its position."""
    stop_s: float = 2.0
    """For the last word at the end."""


class ModbusEvse:
    """One controller, without its meter.

    Args:
        device: What answers.
        settings: How it is run.
    """

    def __init__(self, device: MappedDevice, settings: EvseSettings) -> None:
        self._device = device
        self._settings = settings
        self._switches_phases = settings.switches_phases and "phases" in device.map.actions
        wanted = {"phases"} if self._switches_phases else set()
        self._names = [
            name for name in device.map.values if name in EVSE_VALUES and name not in NOT_READ - wanted
        ]
        self._setpoint = Setpoint()
        self._woken = trio.Event()
        self.pulse = Pulse()
        """One beat a turn."""
        self._is_commissioned = False
        self._unmet = ""
        """What a person must set up before anything may be allowed."""
        # What the controller was told; None: unknown.
        self._allowed: bool | None = None
        self._amps: int | None = None
        self._lock: bool | None = None
        self._phases: int | None = None
        self._lock_by = math.inf
        """Until when the lock has time to reach its position."""
        self._forbidden_at = -math.inf
        """When charging was forbidden last."""
        # What the charge point was told.
        self._pilot: PilotState | None = None
        self._cable: CableChanged | None = None
        self._locked: bool | None = None
        self._was_torn = False
        """The last turn saw a vehicle without a cable."""
        self._is_cable_assumed = False
        """A vehicle was told without a cable: the charge point takes it that there is one."""
        self._faults: dict[HardwareFault, str] = {}
        # What else is wrong.
        self._found: dict[HardwareFault, str] = {}
        """What the controller told last."""
        self._silence: dict[HardwareFault, str] = {}
        """That it is silent; empty while it is not."""

    async def run(self, report: ReportEvent) -> None:
        """Report the state and what changes, until cancelled; then forbid charging."""
        self._pilot = self._cable = self._locked = None
        self._is_cable_assumed = False
        self._faults, self._found, self._silence = {}, {}, {}
        heard_at = trio.current_time()
        try:
            while True:
                limit = math.inf if self._silence else heard_at + self._settings.silent_after_s
                why = "it is too slow"
                has_succeeded = False
                events: list[HardwareEvent] = []
                with trio.move_on_at(limit):
                    try:
                        await self._turn(events)
                        has_succeeded = True
                    except ModbusError as error:
                        why = str(error)
                if has_succeeded:
                    heard_at, self._silence = trio.current_time(), {}
                else:
                    self._forget()
                    if trio.current_time() >= limit:
                        means = self._settings.when_silent
                        text = f"EVSE controller is silent{f', {means}' if means else ''}: {why}"
                        self._silence = {HardwareFault.INTERNAL: text}
                # What was read is told, also when the turn failed after that.
                for event in events + self._faults_now({**self._found, **self._silence}):
                    await report(event)
                self.pulse.beat()
                rest_s = self._settings.silent_poll_s if self._silence else self._settings.poll_s
                await self._rest(rest_s, limit)
        finally:
            self._setpoint = Setpoint()
            with trio.move_on_after(self._settings.stop_s) as last_word:
                last_word.shield = True
                await self._forbid_at_last()

    def apply(self, setpoint: Setpoint) -> None:
        """Work towards ``setpoint`` from now on."""
        action = self._device.map.actions["set_current"]
        offered_a, most_a = setpoint.offered_a, action.arguments["amps"].max
        assert offered_a == 0.0 or OFFER_MIN_A <= offered_a <= most_a, f"{offered_a} A cannot be offered"
        self._setpoint = setpoint
        self._woken.set()

    # A turn

    async def _turn(self, events: list[HardwareEvent]) -> None:
        """Go round once, and add to ``events`` what the charge point does not know yet."""
        if not self._is_commissioned:
            await self._commission()
        elif self._unmet:
            await self._look_at_demands()
        await self._take_away()
        await self._device.beat()
        values = await self._device.read(self._names)
        self._compare(values)
        events += self._news(values)
        await self._give()
        if self._lock_is_late():
            events.append(LockFailed(self._setpoint.locked))

    async def _rest(self, longest_s: float, limit: float) -> None:
        """Wait for the next turn; a new setpoint does not wait."""
        wake_at = min(trio.current_time() + longest_s, max(limit, trio.current_time()))
        with trio.move_on_at(wake_at):
            await self._woken.wait()
        self._woken = trio.Event()
        await trio.lowlevel.checkpoint()

    def _forget(self) -> None:
        """The controller may have restarted, or not have got what was written."""
        self._is_commissioned = False
        self._allowed = self._amps = self._lock = self._phases = None

    async def _commission(self) -> None:
        """Make sure that we are the one who commands, and that the controller stops without us."""
        await self._look_at_demands()
        if "watchdog" in self._device.map.actions:
            seconds = self._settings.watchdog_s
            await self._device.act("watchdog", {"amps": 0, "seconds": seconds})
        if "available" in self._device.map.actions:
            await self._device.act("available")
        self._is_commissioned = True

    async def _look_at_demands(self) -> None:
        """Set what the controller must be set to, and note what only a person can; until that is done."""
        demands = self._device.map.demands
        values = await self._device.read(list(demands))
        unmet: list[str] = []
        for name, demand in demands.items():
            if values[name] == demand.equals or (demand.only_socket and self._settings.cable != "socket"):
                continue
            if demand.write is not None:
                await self._device.write(Write(register=demand.write, value=demand.equals), {})
            else:
                hint = f": {demand.hint}" if demand.hint else ""
                unmet.append(f"{name} is {values[name]}, must be {demand.equals}{hint}")
        self._unmet = "; ".join(unmet)

    # Writing

    @property
    def _is_wanted(self) -> bool:
        """Whether charging shall be allowed, as soon as it may be."""
        may_be = self._is_held and not self._unmet and not self._has_other_phases
        return self._setpoint.offered_a >= OFFER_MIN_A and may_be

    @property
    def _is_held(self) -> bool:
        """Whether the lock is where it shall be: no energy flows through a cable that is not held."""
        return not self._settings.has_lock or self._locked is self._setpoint.locked

    @property
    def _has_other_phases(self) -> bool:
        """Whether phases have to be switched first, without any energy."""
        return self._switches_phases and self._phases not in (None, self._setpoint.phases)

    @property
    def _are_phases_unknown(self) -> bool:
        """The controller does not tell, and may have restarted with all of them."""
        return self._switches_phases and self._phases is None

    @property
    def _is_open(self) -> bool:
        """Whether the controller has its contactor open, as far as can be told."""
        is_asked = self._pilot is None or self._pilot in ASKING
        waits = is_asked and trio.current_time() - self._forbidden_at < OPEN_AFTER_S
        return self._allowed is False and not waits

    async def _take_away(self) -> None:
        """Forbid, or offer less, before anything else."""
        if not self._is_wanted and self._allowed is not False:
            await self._forbid()
        elif self._is_wanted and self._allowed and self._amps is not None:
            amps = math.floor(self._setpoint.offered_a)
            if amps < self._amps:
                await self._offer(amps)

    async def _give(self) -> None:
        """Write what is left of the setpoint: the lock before the energy, and free only without any."""
        await self._take_away()
        if self._are_phases_unknown and self._allowed is not False:
            await self._forbid()
        if self._switches_phases and self._phases != self._setpoint.phases and self._is_open:
            await self._device.act("phases", {"three": int(self._setpoint.phases == 3)})
            self._phases = self._setpoint.phases
        may_move = self._setpoint.locked or self._allowed is False
        if self._settings.has_lock and self._lock is not self._setpoint.locked and may_move:
            await self._device.act("lock" if self._setpoint.locked else "unlock")
            self._lock = self._setpoint.locked
            self._lock_by = trio.current_time() + self._settings.lock_timeout_s
        if self._is_wanted and not self._are_phases_unknown:
            amps = math.floor(self._setpoint.offered_a)
            if amps != self._amps:
                await self._offer(amps)
            if not self._allowed:
                await self._device.act("allow")
                self._allowed = True

    async def _forbid(self) -> None:
        await self._device.act("forbid")
        self._allowed, self._amps, self._forbidden_at = False, None, trio.current_time()

    async def _offer(self, amps: int) -> None:
        self._amps = None
        await self._device.act("set_current", {"amps": amps})
        self._amps = amps

    async def _forbid_at_last(self) -> None:
        try:
            await self._device.act("forbid")
        except ModbusError:
            # It cannot be told. Its watchdog has to do it.
            pass
        finally:
            self._forget()

    def _compare(self, values: Mapping[str, Value]) -> None:
        """Write again what the controller does not have any more."""
        if self._switches_phases and values.get("phases") is not None:
            self._phases = 3 if values["phases"] else 1
        if values.get("allowed") is not None and bool(values["allowed"]) is not self._allowed:
            self._allowed = None
        if self._locked is self._lock and self._position_of(values) is not self._lock:
            # It was moved by hand, or the controller has restarted: it has its time once more.
            self._lock = None
        limit_a = values.get("current_limit_a")
        if self._allowed and limit_a is not None and limit_a != self._amps:
            self._amps = None

    def _lock_is_late(self) -> bool:
        """Whether the lock has just missed its time."""
        if self._locked is self._setpoint.locked:
            self._lock_by = math.inf
        if trio.current_time() < self._lock_by:
            return False
        self._lock_by = math.inf
        return True

    # Reporting

    def _news(self, values: Mapping[str, Value]) -> list[HardwareEvent]:
        """What the charge point does not know yet, in an order that makes sense: cable, pilot, lock."""
        faults: dict[HardwareFault, str] = {}
        if self._unmet:
            faults[HardwareFault.INTERNAL] = self._unmet
        pilot = self._pilot_of(values["pilot"], faults)
        events: list[HardwareEvent] = []
        cable = self._cable_of(values, pilot, faults) if self._settings.cable == "socket" else None
        # A vehicle without a cable is what registers say that were not read at the same moment. Twice it is true.
        is_torn = cable == CableChanged(False) and pilot in PLUGGED and not self._was_torn
        self._was_torn = is_torn
        is_taken_along = self._is_cable_assumed and pilot is PilotState.A and cable == CableChanged(False)
        if cable is not None and (cable != self._cable or is_taken_along) and not is_torn:
            self._cable, self._is_cable_assumed = cable, False
            events.append(cable)
        if pilot is not None and pilot is not self._pilot and not is_torn:
            self._pilot = pilot
            self._is_cable_assumed |= pilot in PLUGGED and self._cable == CableChanged(False)
            # A plug's pilot contact makes last and breaks first.
            events.insert(0 if pilot is PilotState.A else len(events), PilotChanged(pilot))
        if self._settings.has_lock:
            locked = self._position_of(values)
            if locked is not self._locked:
                self._locked = locked
                events.append(LockChanged(locked))
        bits = values.get("fault_bits")
        for bit, meaning in self._device.map.faults.items() if isinstance(bits, int) else ():
            if isinstance(bits, int) and bits >> bit & 1:
                infos = [info for info in (faults.get(meaning.fault, ""), meaning.info) if info]
                faults[meaning.fault] = ", ".join(infos)
        self._found = faults
        return events

    def _position_of(self, values: Mapping[str, Value]) -> bool:
        """Whether the lock is closed: as the controller says, or as it was told last."""
        if values.get("locked") is not None:
            return bool(values["locked"])
        return bool(self._locked if self._lock is None else self._lock)

    def _pilot_of(self, read: Value, faults: dict[HardwareFault, str]) -> PilotState | None:
        """The state of the pilot; None while it is not known."""
        state = self._device.map.pilots.get(str(read))
        if state is None:
            faults[HardwareFault.PILOT] = f"the pilot reads {str(read)!r}"
        return None if state in (None, UNKNOWN) else PilotState(state)

    def _cable_of(
        self, values: Mapping[str, Value], pilot: PilotState | None, faults: dict[HardwareFault, str]
    ) -> CableChanged | None:
        """The cable in the socket; None while it is not known."""
        rating_a = values.get("cable_a")
        if not isinstance(rating_a, int):
            # Such a controller keeps to the cable's rating by itself.
            return None if pilot is None else CableChanged(pilot in PLUGGED)
        if rating_a == SHORTED:
            faults[HardwareFault.OTHER] = "proximity pilot is shorted"
            return None
        return CableChanged(False) if rating_a == NO_CABLE else CableChanged(True, float(rating_a))

    def _faults_now(self, faults: dict[HardwareFault, str]) -> list[HardwareEvent]:
        """The difference to the faults that were told."""
        events: list[HardwareEvent] = [FaultCleared(fault) for fault in self._faults if fault not in faults]
        events += [
            FaultRaised(fault, info) for fault, info in faults.items() if self._faults.get(fault) != info
        ]
        self._faults = faults
        return events
