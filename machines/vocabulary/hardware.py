"""What hardware reports and is asked for, in the terms of IEC 61851-1 and the SI. No word of OCPP.

Events are facts that a driver observed; a setpoint is all that a driver is ever asked for. Currents are in A
per phase, powers in W, energies in Wh, voltages in V.
"""

from enum import StrEnum

from msgspec import Struct


class PilotState(StrEnum):
    """State of the control pilot (IEC 61851-1, table A.2), without the x1/x2 suffix: PWM is our own doing."""

    A = "A"
    """No vehicle."""
    B = "B"
    """Vehicle connected, asks for no energy."""
    C = "C"
    """Vehicle asks for energy."""
    D = "D"
    """Vehicle asks for energy and needs ventilation, which this product does not offer."""
    E = "E"
    """Pilot shorted, or the station without power."""
    F = "F"
    """Station not available (held at -12 V)."""


class HardwareFault(StrEnum):
    """What a driver can find wrong. The values are the names used in logs and by the bench."""

    LOCK = "lock"
    NOT_LOCKED = "not_locked"
    """The cable in the socket could not be locked: follows from LockFailed, and goes with the cable; LOCK stays."""
    PILOT = "pilot"
    GROUND = "ground"
    TEMPERATURE = "temperature"
    INTERNAL = "internal"
    OVER_CURRENT = "over_current"
    OVER_VOLTAGE = "over_voltage"
    UNDER_VOLTAGE = "under_voltage"
    METER = "meter"
    CONTACTOR = "contactor"
    READER = "reader"
    RESET = "reset"
    SIGNAL = "signal"
    STORAGE = "storage"
    OTHER = "other"


class MeterReading(Struct, frozen=True, kw_only=True):
    """The values of one meter, taken together. What the meter does not measure is None."""

    energy_import_wh: int
    """Active energy register, towards the vehicle; never runs backwards."""
    energy_export_wh: float | None = None
    energy_reactive_import_varh: float | None = None
    energy_reactive_export_varh: float | None = None
    power_w: float | None = None
    power_l1_w: float | None = None
    power_l2_w: float | None = None
    power_l3_w: float | None = None
    power_export_w: float | None = None
    power_reactive_import_var: float | None = None
    power_reactive_export_var: float | None = None
    current_l1_a: float | None = None
    current_l2_a: float | None = None
    current_l3_a: float | None = None
    current_n_a: float | None = None
    voltage_l1_v: float | None = None
    voltage_l2_v: float | None = None
    voltage_l3_v: float | None = None
    voltage_l1_l2_v: float | None = None
    voltage_l2_l3_v: float | None = None
    voltage_l3_l1_v: float | None = None
    frequency_hz: float | None = None
    power_factor: float | None = None
    temperature_c: float | None = None
    soc_percent: float | None = None


class PilotChanged(Struct, frozen=True):
    """The control pilot went to another state. Also sent once when the driver starts."""

    state: PilotState


class CableChanged(Struct, frozen=True):
    """The proximity pilot of a socket outlet: a cable was put in or taken out. Also sent once at start."""

    present: bool
    rating_a: float | None = None
    """What the cable carries (13, 20, 32 or 63 A); None when absent."""


class LockChanged(Struct, frozen=True):
    """The lock of the socket outlet reached the position."""

    locked: bool


class LockFailed(Struct, frozen=True):
    """The lock did not reach the position it was asked for."""

    locked: bool
    """What was asked for."""


class FaultRaised(Struct, frozen=True):
    """A fault appeared. Raising one that stands replaces its ``info``."""

    fault: HardwareFault
    info: str = ""


class FaultCleared(Struct, frozen=True):
    """A fault is gone. Clearing one that does not stand is no error."""

    fault: HardwareFault


class StopPressed(Struct, frozen=True):
    """The stop button of the connector, or with ``is_emergency`` the emergency stop."""

    is_emergency: bool = False


class PowerFailing(Struct, frozen=True):
    """The supply is gone and a buffer holds the station for moments: long enough to tell, not to go on."""


class MeterRead(Struct, frozen=True):
    """A reading that was asked for by number (see effect ``ReadMeter``)."""

    ticket: int
    reading: MeterReading


class MeterReadFailed(Struct, frozen=True):
    """The meter did not answer in time. Every ``ReadMeter`` ends in this or in ``MeterRead``."""

    ticket: int
    why: str = ""


HardwareEvent = (
    PilotChanged
    | CableChanged
    | LockChanged
    | LockFailed
    | FaultRaised
    | FaultCleared
    | StopPressed
    | PowerFailing
    | MeterRead
    | MeterReadFailed
)


class HardwareReported(Struct, frozen=True):
    """A driver's event, on its way to the machines. ``connector`` 0 is the station as a whole."""

    connector: int
    event: HardwareEvent


class TokenRead(Struct, frozen=True):
    """A reader saw a token."""

    token: str
    """Upper-case hexadecimal UID, or what the card holds; 1 to 20 printable characters."""
    connectors: tuple[int, ...]
    """The connectors the reader serves, 1..n."""


class Indicator(StrEnum):
    """What the lamp of a connector shows."""

    READY = "ready"
    OCCUPIED = "occupied"
    CHARGING = "charging"
    PAUSED = "paused"
    RESERVED = "reserved"
    OUT_OF_SERVICE = "out_of_service"
    FAULT = "fault"


class Setpoint(Struct, frozen=True, kw_only=True):
    """What one connector shall be, now. The default is the safe side."""

    contactor: bool = False
    """Closed."""
    offered_a: float = 0.0
    """Current offered by PWM: 0 (steady +12 V, no offer) or 6..80 A per phase."""
    phases: int = 3
    """Phases connected, 1 or 3."""
    locked: bool = False
    """The cable is held in the socket outlet. Without a lock this has no effect."""
    indicator: Indicator = Indicator.READY
    brightness_percent: int = 100
    """Of the lamp, 0..100."""
    blink_repeat: int = 3
    """How often the lamp blinks when it signals."""


def less_energy(present: Setpoint, wanted: Setpoint) -> Setpoint:
    """The part of ``wanted`` that takes energy away from ``present``: applied before anything is stored."""
    return Setpoint(
        contactor=present.contactor and wanted.contactor,
        offered_a=min(present.offered_a, wanted.offered_a),
        phases=present.phases if present.contactor and wanted.contactor else wanted.phases,
        locked=present.locked or wanted.locked,
        indicator=wanted.indicator,
        brightness_percent=wanted.brightness_percent,
        blink_repeat=wanted.blink_repeat,
    )
