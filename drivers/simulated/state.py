"""What there is to see of a simulated connector."""

from msgspec import Struct

from machines.vocabulary.hardware import HardwareFault, Indicator, PilotState


class SimulatedConnectorState(Struct, frozen=True, kw_only=True):
    """Everything at one instant."""

    plugged: bool
    """A vehicle is connected."""
    cable: bool
    """A cable is in the socket; always with a fixed cable."""
    pilot: PilotState
    contactor: bool
    """Feedback of the contactor: closed."""
    offered_a: float
    phases: int
    """Phases on which the vehicle draws, or would draw; 0 without a vehicle."""
    current_a: float
    """Per phase."""
    power_w: float
    register_wh: float
    """Register of the meter, unrounded."""
    soc_percent: float | None
    """State of charge; None without a vehicle."""
    paused: bool
    """The vehicle wants no energy for now."""
    locked: bool | None
    """Position of the lock; None if there is none."""
    lock_jammed: bool
    meter_silent: bool
    indicator: Indicator
    brightness_percent: int
    """Of the lamp."""
    blink_repeat: int
    faults: dict[HardwareFault, str]
    """The faults that stand, with their ``info``."""
