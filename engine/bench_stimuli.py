"""What a bench may be asked to do to the hardware of a station: one path and one body each."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from drivers.simulated import SimulatedConnector, SimulatedReader
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.wire import DataTransferAsked

if TYPE_CHECKING:
    from starlette.requests import Request


BODY_SIZE_MAX = 64 * 1024
"""Bytes of a request body; a longer one is answered 413."""


BODY_DRAIN_MAX = 1024 * 1024
"""Bytes of a body too long that are still read, so that the sender gets to see the answer."""


FAULTS: Mapping[str, HardwareFault] = {
    "ConnectorLockFailure": HardwareFault.LOCK,
    "EVCommunicationError": HardwareFault.PILOT,
    "GroundFailure": HardwareFault.GROUND,
    "HighTemperature": HardwareFault.TEMPERATURE,
    "InternalError": HardwareFault.INTERNAL,
    "OtherError": HardwareFault.OTHER,
    "OverCurrentFailure": HardwareFault.OVER_CURRENT,
    "OverVoltage": HardwareFault.OVER_VOLTAGE,
    "PowerMeterFailure": HardwareFault.METER,
    "PowerSwitchFailure": HardwareFault.CONTACTOR,
    "ReaderFailure": HardwareFault.READER,
    "ResetFailure": HardwareFault.RESET,
    "UnderVoltage": HardwareFault.UNDER_VOLTAGE,
    "WeakSignal": HardwareFault.SIGNAL,
}
"""The faults that a board can have, by ChargePointErrorCode (OCPP 1.6, 7.6)."""


class BenchStation(Protocol):
    """What the bench needs of a running station. What is awaited waits while the inbox is full."""

    @property
    def connectors(self) -> Mapping[int, SimulatedConnector]:
        """The simulated connectors, by number from 1."""

    @property
    def reader(self) -> SimulatedReader:
        """The simulated card reader."""

    def snapshot(self) -> Struct:
        """The state of the station, for people; anything that msgspec encodes."""

    def set_link(self, up: bool) -> None:
        """Cut the network to the Central System, or restore it. Setting it as it is changes nothing."""

    async def send_data(self, asked: DataTransferAsked) -> None:
        """Have DataTransfer sent; what is answered shows in the snapshot."""

    async def raise_fault(self, fault: HardwareFault, info: str) -> None:
        """Let a fault of the station itself, connector 0, appear."""

    async def clear_fault(self, fault: HardwareFault) -> None:
        """Let it go. Raises SimulationError if it does not stand."""

    def go_dark(self, seconds: float) -> None:
        """Take the power away for so long; what is plugged in stays. Raises SimulationError if there is none."""

    def power_cut(self) -> None:
        """End at once as by a power cut; see ``kill_this_process``."""


# Bodies


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No field at all; the body may also be empty."""


class Stop(Struct, frozen=True, forbid_unknown_fields=True):
    """The stop button, or the one for emergencies."""

    emergency: bool = False


class Unplug(Struct, frozen=True, forbid_unknown_fields=True):
    """A cable is unplugged at one side, or altogether."""

    side: Literal["both", "vehicle", "station"] = "both"


class FaultBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A fault appears."""

    error_code: str
    info: Annotated[str, Meta(max_length=50)] = ""


class FaultCode(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A fault goes."""

    error_code: str


class Silence(Struct, frozen=True, forbid_unknown_fields=True):
    """A meter falls silent, or answers again."""

    silent: bool


class Swipe(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A card is shown to the reader, for these connectors or for all."""

    id_tag: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[ -~]+\Z")]
    connectors: Annotated[tuple[int, ...], Meta(min_length=1, max_length=100)] | None = None


class PowerCut(Struct, frozen=True, forbid_unknown_fields=True):
    """The power goes."""

    seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    """Without it the process is killed; somebody has to start it again."""


class DataTransfer(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """DataTransfer is sent."""

    vendor_id: Annotated[str, Meta(min_length=1, max_length=255)]
    message_id: Annotated[str, Meta(max_length=50)] | None = None
    data: Annotated[str, Meta(max_length=50_000)] | None = None


class Refused(Exception):  # noqa: N818 - the name of the fact
    """The request is answered with this status and text, and nothing was changed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def fault_of(code: str) -> HardwareFault:
    """The fault that ``code`` means, or Refused."""
    if code not in FAULTS:
        raise Refused(422, f"errorCode {code!r}: must be one of {', '.join(FAULTS)}")
    return FAULTS[code]


def connector_of(station: BenchStation, number: str) -> SimulatedConnector:
    """The connector ``number``, or Refused."""
    # Compared as text, since a path may hold more digits than Python converts.
    for known, connector in station.connectors.items():
        if str(known) == number:
            return connector
    numbers = ", ".join(map(str, station.connectors))
    raise Refused(404, f"connector {number[:20]}: the station has {numbers}")


def swipe_card(station: BenchStation, body: Swipe) -> None:
    """Show a card; Refused if a connector is not one of the station."""
    for number in body.connectors or ():
        connector_of(station, str(number))
    station.reader.swipe(body.id_tag, body.connectors)


class Stimulus(NamedTuple):
    """What a path under ``/connectors/{number}`` does, and the body it takes."""

    body: type[Struct]
    act: Callable[[SimulatedConnector, Any], None]


STIMULI: Mapping[str, Stimulus] = {
    "plug-in": Stimulus(Nothing, lambda connector, _: connector.plug_in()),
    "unplug": Stimulus(Unplug, lambda connector, body: connector.unplug(body.side)),
    "pause": Stimulus(Nothing, lambda connector, _: connector.pause()),
    "resume": Stimulus(Nothing, lambda connector, _: connector.resume()),
    "fault": Stimulus(
        FaultBody, lambda connector, body: connector.raise_fault(fault_of(body.error_code), body.info)
    ),
    "clear-fault": Stimulus(
        FaultCode, lambda connector, body: connector.clear_fault(fault_of(body.error_code))
    ),
    "lock-failure": Stimulus(Nothing, lambda connector, _: connector.lock_failure()),
    "fail-power": Stimulus(Nothing, lambda connector, _: connector.fail_power()),
    "stop": Stimulus(Stop, lambda connector, body: connector.press_stop(is_emergency=body.emergency)),
    "lock-repair": Stimulus(Nothing, lambda connector, _: connector.lock_repair()),
    "pilot-failure": Stimulus(Nothing, lambda connector, _: connector.pilot_failure()),
    "pilot-repair": Stimulus(Nothing, lambda connector, _: connector.pilot_repair()),
    "meter-silence": Stimulus(Silence, lambda connector, body: connector.meter_silence(body.silent)),
}


Body = TypeVar("Body", bound=Struct)


async def read_body(request: "Request") -> bytes:
    """The body of the request."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BODY_SIZE_MAX:
            body += chunk
        elif size > BODY_DRAIN_MAX:
            break
    if size > BODY_SIZE_MAX:
        raise Refused(413, f"body: must be at most {BODY_SIZE_MAX} bytes")
    return bytes(body)


def decode(body: bytes, body_type: type[Body]) -> Body:
    """The body as a struct, strictly; an empty one as one without fields."""
    try:
        return msgspec.json.decode(body or b"{}", type=body_type)
    except msgspec.ValidationError as error:
        raise Refused(422, f"body: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, f"body: {error}") from error
