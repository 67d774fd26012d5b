"""Why a transition, or a pair of them, is in no tour."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from engine.conformance.transitions import Catalogue
from machines.machine import Row
from machines.vocabulary.hardware import CableChanged, LockChanged
from machines.vocabulary.notices import ResetFailed
from machines.vocabulary.wire import RestartFailed

NO_GROUND = "no ground is about that machine"
NOT_FOUND = "not found with this effort"
NOT_FOLLOWED = "the second was found, but not after the first"


def _is_pilot(kind: str, row: Row) -> bool:
    """A pilot that is shorted or skips a state, a cable that changes in an instant: no stimulus does that."""
    is_unreadable = "unreadable" in (row.source, row.target)
    is_same = row.source == row.target
    skips = row.source in ("empty", "cable_only") and row.target == "requesting"
    return kind == "control_pilot" and (is_unreadable or is_same or skips or row.message is CableChanged)


def _is_of_other_files(kind: str, row: Row) -> bool:
    """Files that were changed on their way, and firmware that does not run after its installation."""
    is_old = row.source == "confirming" and row.message.__name__ == "InstallFailed"
    return kind == "firmware_update" and (is_old or row.message.__name__ == "FirmwareCorrupt")


REASONS: tuple[tuple[Callable[[str, Row], bool], str], ...] = (
    (_is_of_other_files, "files are as their maker made them, and what is installed runs"),
    (_is_pilot, "the simulated vehicle and cable do not fail like that"),
    (
        lambda kind, row: (
            kind == "connector_lock" and row.message is LockChanged and row.source != "unlocked"
        ),
        "nobody moves the lock by hand",
    ),
    (
        lambda _kind, row: row.message in (RestartFailed, ResetFailed),
        "a restart on a bench always comes about",
    ),
    (
        lambda _kind, row: "one question at a time" in row.clause or "one at a time" in row.clause,
        "the Central System asks one thing at a time",
    ),
    (lambda _kind, row: "thin out" in row.clause, "it takes a queue of at least fifty messages"),
)
"""The first that holds is the reason; without one it is :data:`NOT_FOUND`."""


def reasons(catalogue: Catalogue, covered: AbstractSet[int]) -> dict[int, str]:
    """Everything that is not ``covered``, each with the reason."""
    kinds = {catalogue.transitions[item][0] for item in covered if not catalogue.is_pair(item)}
    single = {
        number: _reason(kind, row, kinds)
        for number, (kind, row) in enumerate(catalogue.transitions)
        if number not in covered
    }
    found = dict(single)
    for pair in catalogue.pairs:
        if pair not in covered:
            one, other = catalogue.parts(pair)
            found[pair] = single.get(one) or single.get(other) or NOT_FOLLOWED
    return found


def _reason(kind: str, row: Row, kinds: AbstractSet[str]) -> str:
    if kind not in kinds:
        return NO_GROUND
    return next((reason for holds, reason in REASONS if holds(kind, row)), NOT_FOUND)
