"""What a test does to a charge point other than over OCPP: cards, plugs, faults, power and network.

Each is a value that a script holds as one JSON object, such as ``{"do": "plug-in", "connector": 1}``.
"""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from machines.vocabulary.ocpp import ChargePointErrorCode

Connector = Annotated[int, Meta(ge=1)]
IdTag = Annotated[str, Meta(min_length=1, max_length=20)]


class Stimulus(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", tag_field="do"):
    """Base of all; ``connector`` counts from 1."""


class PlugIn(Stimulus, frozen=True, tag="plug-in"):
    """Connect a vehicle that asks for energy: the cable at both ends."""

    connector: Connector = 1


class Unplug(Stimulus, frozen=True, tag="unplug"):
    """Take the cable out at one end or at both; a lock that holds it is no obstacle at the vehicle's end."""

    connector: Connector = 1
    side: Literal["both", "vehicle", "station"] = "both"


class Pause(Stimulus, frozen=True, tag="pause"):
    """The vehicle stops asking for energy (IEC 61851 state B)."""

    connector: Connector = 1


class Resume(Stimulus, frozen=True, tag="resume"):
    """The vehicle asks for energy again (state C)."""

    connector: Connector = 1


class Swipe(Stimulus, frozen=True, tag="swipe"):
    """Show a card; without a connector, whichever the reader is for."""

    id_tag: IdTag
    connector: Connector | None = None


class PressStop(Stimulus, frozen=True, tag="stop"):
    """Press the stop button, or the emergency stop."""

    connector: Connector = 1
    emergency: bool = False


class RaiseFault(Stimulus, frozen=True, tag="fault"):
    """Cause a fault that is reported with ``error_code``; connector 0 is the station."""

    error_code: ChargePointErrorCode
    connector: Annotated[int, Meta(ge=0)] = 1
    info: Annotated[str, Meta(max_length=50)] = ""


class ClearFault(Stimulus, frozen=True, tag="clear-fault"):
    """Remove the cause of a fault."""

    error_code: ChargePointErrorCode
    connector: Annotated[int, Meta(ge=0)] = 1


class JamLock(Stimulus, frozen=True, tag="lock-failure"):
    """Keep the lock of the socket outlet from moving."""

    connector: Connector = 1


class FreeLock(Stimulus, frozen=True, tag="lock-repair"):
    """Let the lock move again."""

    connector: Connector = 1


class FailPilot(Stimulus, frozen=True, tag="pilot-failure"):
    """Short the control pilot, so that it says nothing of the vehicle (state E)."""

    connector: Connector = 1


class RepairPilot(Stimulus, frozen=True, tag="pilot-repair"):
    """Let the control pilot be read again."""

    connector: Connector = 1


class SilenceMeter(Stimulus, frozen=True, tag="meter-silence"):
    """Let the meter stop answering, or answer again."""

    silent: bool
    connector: Connector = 1


class FailPower(Stimulus, frozen=True, tag="fail-power"):
    """The supply warns that it will be gone soon; it is not gone yet."""

    connector: Connector = 1


class CutPower(Stimulus, frozen=True, tag="power-cut"):
    """The power is gone from one moment to the next, and comes back after ``seconds`` or as soon as the rig can."""

    seconds: Annotated[float, Meta(ge=0)] = 10


class CutLink(Stimulus, frozen=True, tag="link-down"):
    """No network from now on."""


class RestoreLink(Stimulus, frozen=True, tag="link-up"):
    """The network is back."""


class SendData(Stimulus, frozen=True, tag="data-transfer"):
    """Have the charge point send DataTransfer."""

    vendor_id: Annotated[str, Meta(min_length=1, max_length=255)]
    message_id: Annotated[str, Meta(max_length=50)] | None = None
    data: str | None = None


AnyStimulus = (
    PlugIn
    | Unplug
    | Pause
    | Resume
    | Swipe
    | PressStop
    | RaiseFault
    | ClearFault
    | JamLock
    | FreeLock
    | FailPilot
    | RepairPilot
    | SilenceMeter
    | FailPower
    | CutPower
    | CutLink
    | RestoreLink
    | SendData
)
"""Any of them, for decoding."""


def kind_name(kind: type[Stimulus]) -> str:
    """What scripts and programs call a kind of stimulus: ``plug-in``."""
    return str(kind.__struct_config__.tag)


KINDS: tuple[type[Stimulus], ...] = get_args(AnyStimulus)
"""All of them."""
