"""Charging profiles from a file of JSON, as they go over the wire or as people write them down.

The file holds one of these, or a list of them: the payload of SetChargingProfile.req, a whole CALL with it, as found
in a log, or a charging profile alone. They are decoded as the link decodes them, so that a wrong one gets the answer
here that it would get there.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from engine.ocpp.payloads import decode_request
from engine.schedule.errors import ScheduleError
from machines.vocabulary.ocpp import ACTIONS, SetChargingProfile
from machines.vocabulary.wire import CallError

ACTION = "SetChargingProfile"
CALL = 2
"""What a CALL begins with (OCPP-J 1.6, 4.2.1)."""


class Found(Struct, frozen=True):
    """A profile of the file."""

    name: str
    """How to speak of it to people."""
    request: SetChargingProfile | CallError


def read_profiles(path: Path, connector: int) -> tuple[Found, ...]:
    """The profiles in the file ``path``. A TxProfile without a connector is for ``connector``.

    Raises:
        ScheduleError: The file cannot be read, or holds something else.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ScheduleError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ScheduleError(f"{path}: {error}; allowed: JSON") from error
    many = content if isinstance(content, list) and content[:1] != [CALL] else [content]
    return tuple(_found(path, number, one, connector) for number, one in enumerate(many, 1))


def _found(path: Path, number: int, one: Any, connector: int) -> Found:
    match one:
        case [2, _, "SetChargingProfile", dict() as payload]:
            pass
        case {"csChargingProfiles": _}:
            payload = one
        case {"chargingSchedule": _}:
            is_of_transaction = one.get("chargingProfilePurpose") == "TxProfile"
            payload = {"connectorId": connector if is_of_transaction else 0, "csChargingProfiles": one}
        case _:
            raise ScheduleError(
                f"{path}: item {number} is no charging profile; allowed: a SetChargingProfile request, "
                "a CALL with one, or a charging profile"
            )
    profile = payload.get("csChargingProfiles")
    id_ = profile.get("chargingProfileId") if isinstance(profile, dict) else None
    name = f"profile {number}" if id_ is None else f"profile {number} (chargingProfileId {id_})"
    request = decode_request(ACTIONS[ACTION], Raw(msgspec.json.encode(payload)))
    assert isinstance(request, SetChargingProfile | CallError)
    return Found(name, request)
