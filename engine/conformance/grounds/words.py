"""The words in which grounds are written: moves, requests and answers in short."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.conformance.moves import LATEST, Act, Due, Move, Start
from engine.conformance.script import Answers, Asks
from engine.conformance.stimuli import (
    ClearFault,
    PlugIn,
    RaiseFault,
    SilenceMeter,
    Swipe,
    Unplug,
)
from machines.vocabulary.ocpp import ChargePointErrorCode

SLOW_S = 0.495
"""How long a slow Central System takes: locks, and moves in haste, are done a little before or after."""

RESUMED = '[transactions]\nrecovery = "resume"\n'
"""A transaction outlasts a power cut."""

QUIET_KEYS = {"MeterValueSampleInterval": "0", "ClockAlignedDataInterval": "0"}
"""Nothing repeats itself, unless a ground is about that."""


class Ground(Struct, frozen=True, kw_only=True):
    """A station, and what is done to it."""

    name: str
    title: str
    moves: tuple[Move, ...]
    keys: dict[str, str] = {}
    declares: str = ""
    starts: tuple[Move, ...] = (Move("power", Start()),)
    """How a tour begins."""
    edge_s: float = 0.9
    """How far times may be off on a real station without a difference to what is expected when."""
    share: float = 1.0
    """Of the moves that are spent on a ground."""


def acts(*what: Act) -> tuple[Move, ...]:
    """Moves that each do one thing, at rest before and after."""
    return tuple(Move(repr(act), act) for act in what)


def led(start: Move, *then: Move) -> Move:
    """A start from farther on."""
    name = ", ".join(each.name for each in (start, *then))
    return replace(start, name=name, then=then)


def hasty(*what: Act) -> tuple[Move, ...]:
    """Moves that each do one thing, and go on at once."""
    return tuple(Move(f"{act!r} in haste", act, is_hasty=True) for act in what)


def under(act: Any, *answers: Answers) -> Move:
    """A move during which the Central System answers otherwise than usually."""
    return Move(f"{act!r} {answers!r}", act, answers)


def ask(request: str, **payload: Any) -> Asks:
    """A request of the Central System, whatever the answer."""
    return Asks(request, payload)


def info(action: str, status: str, parent: str | None = None) -> Answers:
    """``action`` is answered with this status of the idTag."""
    members = {"status": status} if parent is None else {"status": status, "parentIdTag": parent}
    return Answers(action, with_={"idTagInfo": members})


def fails(action: str) -> Answers:
    """``action`` is answered with a CALLERROR."""
    return Answers(action, error="InternalError")


def silent(action: str) -> Answers:
    """``action`` is not answered."""
    return Answers(action, nothing=True)


def late(action: str, after_s: float = 45) -> Answers:
    """``action`` is answered as usual, after a while."""
    return Answers(action, usual=True, after_s=after_s)


def boot(status: str, interval: int) -> Answers:
    """BootNotification is answered so."""
    return Answers("BootNotification", with_={"status": status, "interval": interval})


def change(key: str, value: str) -> Asks:
    """A configuration key is set."""
    return ask("ChangeConfiguration", key=key, value=value)


def start(name: str, *answers: Answers) -> Move:
    """Power, while the Central System answers so."""
    return Move(name, Start(), answers)


def lasting(name: str, *answers: Answers) -> Move:
    """Power, while the Central System answers so from then on."""
    return Move(name, Start(), answers, is_lasting=True)


CARD, OTHER, FRIEND = "CARD", "OTHER", "FRIEND"
PLUG, UNPLUG, SWIPE, DUE = PlugIn(1), Unplug(1), Swipe(CARD, 1), Due()
TAKE_VEHICLE = Unplug(1, "vehicle")
OUTSIDER = Swipe(OTHER, 1)
REMOTE_START = ask("RemoteStartTransaction", idTag=CARD, connectorId=1)
REMOTE_STOP = ask("RemoteStopTransaction", transactionId=LATEST)
UNLOCK = ask("UnlockConnector", connectorId=1)
SESSION = acts(PLUG, SWIPE, UNPLUG)
GROUND_FAILURE = ChargePointErrorCode.GROUND_FAILURE
HOT = ChargePointErrorCode.HIGH_TEMPERATURE
WEAK = ChargePointErrorCode.WEAK_SIGNAL
READER = ChargePointErrorCode.READER_FAILURE


def fault(code: ChargePointErrorCode, connector: int = 1) -> tuple[Move, ...]:
    """A fault comes, and goes."""
    return acts(RaiseFault(code, connector), ClearFault(code, connector))


def availability(*connectors: int) -> tuple[Move, ...]:
    """Connectors, or with 0 the station, are taken in and out of service."""
    return acts(
        *(
            ask("ChangeAvailability", connectorId=connector, type=kind)
            for connector in connectors
            for kind in ("Operative", "Inoperative")
        )
    )


def reserve(
    connector: int, id_tag: str, number: int = 1, parent: str | None = None, left_s: int = 300
) -> Asks:
    """A reservation that lasts for ``left_s``."""
    group = {} if parent is None else {"parentIdTag": parent}
    return ask(
        "ReserveNow",
        connectorId=connector,
        expiryDate=f"now{left_s:+d}s",
        idTag=id_tag,
        reservationId=number,
        **group,
    )


def triggers(*messages: str, connectors: Iterable[int | None] = (None,)) -> tuple[Move, ...]:
    """Messages are asked for; of each of ``connectors`` where that is not None."""
    return acts(
        *(
            ask(
                "TriggerMessage",
                requestedMessage=message,
                **({} if number is None else {"connectorId": number}),
            )
            for message in messages
            for number in connectors
        )
    )


def schedule(limit: float, lasts_s: int | None) -> dict[str, Any]:
    """A limit in A; with ``lasts_s`` from now for so long, half of it after half the time."""
    periods = [{"startPeriod": 0, "limit": limit}]
    if lasts_s is None:
        return {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    periods.append({"startPeriod": lasts_s // 2, "limit": limit / 2})
    return {
        "chargingRateUnit": "A",
        "duration": lasts_s,
        "startSchedule": "now",
        "chargingSchedulePeriod": periods,
    }


def profile(connector: int, purpose: str, number: int, limit: float, lasts_s: int | None = None) -> Asks:
    """A charging profile of one limit in A, or of two if it ``lasts_s`` from now."""
    profile = {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative" if lasts_s is None and connector else "Absolute",
        "chargingSchedule": schedule(limit, lasts_s if connector else lasts_s or 86_400),
    }
    return ask("SetChargingProfile", connectorId=connector, csChargingProfiles=profile)


def in_phases(number: int, phases: int, limit: float = 10) -> Asks:
    """A TxDefaultProfile for so many phases."""
    asked = profile(1, "TxDefaultProfile", number, limit)
    periods = asked.payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    periods[0]["numberPhases"] = phases
    return asked


def start_with_profile() -> Asks:
    """A remote start that brings a charging profile."""
    brought = profile(1, "TxProfile", 9, 9).payload["csChargingProfiles"]
    return ask("RemoteStartTransaction", idTag=CARD, connectorId=1, chargingProfile=brought)


def listed(id_tag: str, status: str | None = "Accepted", parent: str | None = None) -> dict[str, Any]:
    """An entry of a local list; without a status one that is taken out."""
    if status is None:
        return {"idTag": id_tag}
    info = {"status": status} if parent is None else {"status": status, "parentIdTag": parent}
    return {"idTag": id_tag, "idTagInfo": info}


def send_list(version: int, kind: str, *entries: dict[str, Any]) -> Asks:
    """A local list, or an update of it."""
    return ask("SendLocalList", listVersion=version, updateType=kind, localAuthorizationList=list(entries))


ON = Move("power", Start())
SILENCE, HEARD = SilenceMeter(True, 1), SilenceMeter(False, 1)
VALUES = triggers("MeterValues", connectors=(1,))[0].act
CHARGING = acts(PLUG, SWIPE)
REFUSED = (*acts(PLUG), under(SWIPE, info("StartTransaction", "Invalid")))
"""A transaction whose idTag StartTransaction.conf refuses."""
