"""Why a transition, or a pair of them, is in no tour."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from engine.conformance.transitions import Catalogue
from engine.conformance.unshown import ENTRIES
from machines.machine import Row
from machines.model import explained
from machines.vocabulary.settings import ConnectorSettings

NO_GROUND = "no ground is about that machine"
NOT_FOUND = "not found with this effort"
NOT_FOLLOWED = "both were found, but no known way has the second right after the first"
IN_VAIN = "a known way has it, but no tour got there"
NEVER = "nothing brings it about: "


def known(connectors: tuple[ConnectorSettings, ...] = ()) -> dict[tuple[str, Row], str]:
    """Transitions that no tour can show, or none does, with the reason.

    Args:
        connectors: Of the station; what takes another one is of no concern where there are none.
    """
    rows = explained.reasons(connectors) if connectors else explained.rows_of(explained.ALWAYS)
    found = {row: NEVER + reason for row, reason in rows.items()}
    for entry in ENTRIES:
        for row, reason in explained.rows_of((entry,)).items():
            found.setdefault(row, reason)
    return found


def reasons(
    catalogue: Catalogue,
    covered: AbstractSet[int],
    reachable: AbstractSet[int] = frozenset(),
    connectors: tuple[ConnectorSettings, ...] = (),
) -> dict[int, str]:
    """Everything that is not ``covered``, each with the reason.

    Args:
        catalogue: What there is.
        covered: What tours show.
        reachable: What the known places and ways have.
        connectors: Of the station.
    """
    kinds = {catalogue.transitions[item][0] for item in covered if not catalogue.is_pair(item)}
    unshown = known(connectors)
    single = {
        number: _reason(each, kinds, unshown)
        for number, each in enumerate(catalogue.transitions)
        if number not in covered
    }
    found = dict(single)
    for pair in catalogue.pairs:
        if pair not in covered:
            one, other = catalogue.parts(pair)
            apart = IN_VAIN if pair in reachable else NOT_FOLLOWED
            found[pair] = single.get(one) or single.get(other) or apart
    return found


def _reason(each: tuple[str, Row], kinds: AbstractSet[str], unshown: Mapping[tuple[str, Row], str]) -> str:
    if each[0] not in kinds:
        return NO_GROUND
    return unshown.get(each, NOT_FOUND)
