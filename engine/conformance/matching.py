"""Whether what a station sends is what a script expects: which members, and in which order."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.conformance.script import Call

DEFAULTS = {"reason": "Local"}
"""What a member means where it is left out (4.10: no reason is Local)."""

TRANSACTION = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
"""Actions that come in the order in which things happened (3.7)."""


def fits(wanted: Any, found: Any) -> bool:
    """Whether ``found`` has every member of ``wanted``; of lists each item, in order. None is a member left out."""
    match wanted, found:
        case Mapping(), Mapping():
            return all(_fits_member(name, value, found) for name, value in wanted.items())
        case ((list() | tuple()), (list() | tuple())):
            return len(wanted) == len(found) and all(map(fits, wanted, found))
        case _:
            return bool(wanted == found) and isinstance(wanted, bool) is isinstance(found, bool)


def _fits_member(name: str, wanted: Any, found: Mapping[str, Any]) -> bool:
    if name not in found:
        return wanted is None or DEFAULTS.get(name) == wanted
    return wanted is not None and fits(wanted, found[name])


def lane(call: Call) -> tuple[str, Any]:
    """What must come in order: all CALLs of one lane. Between lanes OCPP leaves the order open."""
    if call.action == "StatusNotification":
        return call.action, call.payload.get("connectorId")
    if call.action in TRANSACTION and call.payload.get("transactionId", 1) is not None:
        return "transaction", None
    return call.action, call.payload.get("connectorId")


class Reading:
    """CALLs as they come, against those that are expected.

    Args:
        expected: Each of them once; those of one lane in their order.
        optional: Each of them any number of times.
    """

    def __init__(self, expected: Iterable[Call], optional: Iterable[Call]) -> None:
        self.missing = list(expected)
        """Those that have not come yet."""
        self._optional = tuple(optional)

    def take(self, action: str, payload: Mapping[str, Any]) -> bool:
        """Whether the CALL may come now; one that is expected is missing no more."""
        begun = set()
        for place, call in enumerate(self.missing):
            if lane(call) in begun:
                continue
            if _is(call, action, payload):
                del self.missing[place]
                return True
            begun.add(lane(call))
        return any(_is(call, action, payload) for call in self._optional)

    def wanted(self) -> str:
        """What is missing, for people."""
        return " and ".join(f"{call.action} {call.payload}" for call in self.missing) or "nothing"


def _is(call: Call, action: str, payload: Mapping[str, Any]) -> bool:
    return call.action == action and fits(call.payload, payload)
