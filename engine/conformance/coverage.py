"""What a run covered: actions in each direction, transitions of the status table (4.9), configuration keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from engine.conformance.declared import Declared
from engine.conformance.results import Result, Verdict
from engine.conformance.trace import Kind, Line
from machines.vocabulary.ocpp import ACTIONS, ChargePointStatus

STATUSES = (
    ChargePointStatus.AVAILABLE,
    ChargePointStatus.PREPARING,
    ChargePointStatus.CHARGING,
    ChargePointStatus.SUSPENDED_EV,
    ChargePointStatus.SUSPENDED_EVSE,
    ChargePointStatus.FINISHING,
    ChargePointStatus.RESERVED,
    ChargePointStatus.UNAVAILABLE,
    ChargePointStatus.FAULTED,
)
"""In the order of the status table: letters A to I are where a transition begins, digits 1 to 9 where it ends."""

ALLOWED = frozenset(
    letter + digit
    for letter, digits in {
        "A": "2345789",
        "B": "134569",
        "C": "145689",
        "D": "135689",
        "E": "134689",
        "F": "1289",
        "G": "1289",
        "H": "123459",
        "I": "12345678",
    }.items()
    for digit in digits
)
"""The transitions that 4.9 prints."""

CAME, WENT = "from the station", "to the station"


class ActionSeen(Struct, frozen=True):
    """An action in one direction."""

    name: str
    direction: str
    profile: str
    calls: int
    errors: int
    """How many were answered with a CALLERROR."""


class KeySeen(Struct, frozen=True):
    """A configuration key."""

    name: str
    is_told: bool
    """GetConfiguration shows it."""
    asked: int
    """How often it was asked for by its name."""
    changed: int
    """How often ChangeConfiguration was accepted."""
    refused: int
    """How often it was answered with anything else."""


class Coverage(Struct, frozen=True):
    """What a run covered."""

    actions: tuple[ActionSeen, ...]
    transitions: Mapping[str, str]
    """Labels such as A2 that were seen, those that 4.9 does not have among them, each with the first case."""
    keys: tuple[KeySeen, ...]

    @property
    def allowed_seen(self) -> int:
        """How many of the 53 transitions were seen."""
        return len(ALLOWED & set(self.transitions))

    @property
    def actions_seen(self) -> int:
        """How many pairs of action and direction were seen."""
        return sum(each.calls > 0 for each in self.actions)


def coverage_of(declared: Declared, results: Iterable[Result]) -> Coverage:
    """What ``results`` covered."""
    results = [result for result in results if result.verdict is not Verdict.NOT_APPLICABLE]
    return Coverage(_actions(results), _transitions(results), _keys(declared, results))


def label(before: str, after: str) -> str:
    """The label of a transition of the status table: ``A2``."""
    return "ABCDEFGHI"[STATUSES.index(ChargePointStatus(before))] + str(
        STATUSES.index(ChargePointStatus(after)) + 1
    )


def _actions(results: Iterable[Result]) -> tuple[ActionSeen, ...]:
    calls: dict[tuple[str, bool], int] = {}
    errors: dict[tuple[str, bool], int] = {}
    for line in (line for result in results for line in result.trace):
        if line.kind is Kind.CALL:
            place = (line.name, line.from_csms)
            calls[place] = calls.get(place, 0) + 1
        elif line.kind is Kind.ERROR:
            place = (line.name, not line.from_csms)
            errors[place] = errors.get(place, 0) + 1
    return tuple(
        ActionSeen(
            action.name,
            WENT if from_csms else CAME,
            action.profile,
            calls.get((action.name, from_csms), 0),
            errors.get((action.name, from_csms), 0),
        )
        for from_csms in (False, True)
        for action in ACTIONS.values()
        if (action.from_central_system if from_csms else action.from_charge_point)
    )


def _transitions(results: Iterable[Result]) -> dict[str, str]:
    """Each case begins at rest: every connector is Available. While nobody listens statuses may be passed over."""
    seen: dict[str, str] = {}
    for result in results:
        last: dict[int, str | None] = {}
        is_known = True
        for line in result.trace:
            if line.kind is Kind.CONNECTION or (line.kind is Kind.CALL and line.name == "BootNotification"):
                last, is_known = {}, False
            status = _status(line)
            if status is None:
                continue
            number, after = status
            before = last.get(number, "Available" if is_known else None)
            if before is not None and before != after:
                seen.setdefault(label(before, after), result.label)
            last[number] = after
    return dict(sorted(seen.items()))


def _status(line: Line) -> tuple[int, str] | None:
    """The connector, from 1, and the status that a line tells."""
    if line.kind is not Kind.CALL or line.from_csms or line.name != "StatusNotification":
        return None
    number, status = line.detail.get("connectorId"), line.detail.get("status")
    if not isinstance(number, int) or number < 1 or status not in list(STATUSES):
        return None
    return number, str(status)


def _keys(declared: Declared, results: Iterable[Result]) -> tuple[KeySeen, ...]:
    asked: dict[str, int] = {}
    changed: dict[str, int] = {}
    refused: dict[str, int] = {}
    for result in results:
        key = ""
        for line in result.trace:
            if line.name == "GetConfiguration" and line.kind is Kind.CALL:
                for name in _names(line.detail):
                    asked[name] = asked.get(name, 0) + 1
            elif line.name == "ChangeConfiguration" and line.kind is Kind.CALL:
                key = str(line.detail.get("key", ""))
            elif line.name == "ChangeConfiguration" and key:
                accepted = line.detail.get("status") in ("Accepted", "RebootRequired")
                counted = changed if accepted else refused
                counted[key] = counted.get(key, 0) + 1
                key = ""
    names = {**dict.fromkeys(declared.keys), **dict.fromkeys([*asked, *changed, *refused])}
    return tuple(
        KeySeen(name, name in declared.keys, asked.get(name, 0), changed.get(name, 0), refused.get(name, 0))
        for name in sorted(names, key=str.casefold)
    )


def _names(detail: Mapping[str, Any]) -> list[str]:
    keys = detail.get("key")
    return [str(key) for key in keys] if isinstance(keys, list) else []
