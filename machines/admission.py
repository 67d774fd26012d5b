"""Who may start or stop at a connector, as rules: what is decided on the spot, and what only Authorize can tell.

OCPP 1.6 edition 2: 3.4 and 3.5 local authorisation and offline behaviour, 4.10 Stop Transaction, 5.13 Reserve Now; the
order is that of facts 5.1 (starting) and 5.2 (stopping). One rule a line; the first that applies holds.
"""

from enum import Enum

from machines.facts import Facts
from machines.vocabulary.ocpp import ChargePointStatus
from machines.vocabulary.tags import VALID, TagEntry, is_group, is_same


class Decision(Enum):
    """What follows from a presented idTag, before anybody is asked."""

    STOP = "stop"
    RELEASE = "release"
    DROP = "drop"
    ASK_TO_STOP = "ask to stop"
    ASK_TO_START = "ask to start"
    START = "start"
    REFUSE = "refuse"


class Admission(Enum):
    """Whether a reservation lets an idTag pass."""

    YES = "yes"
    UNKNOWN = "its group is not known"
    NO = "no"


FREE = {
    ChargePointStatus.AVAILABLE,
    ChargePointStatus.PREPARING,
    ChargePointStatus.FINISHING,
    ChargePointStatus.RESERVED,
}


def known(facts: Facts, id_tag: str) -> TagEntry | None:
    """What the station itself knows of ``id_tag``: the list goes before the cache (3.5.1)."""
    return facts.local_list.find(id_tag) or facts.cache.find(id_tag)


def is_valid(facts: Facts, entry: TagEntry | None) -> bool:
    """Whether an idTag may charge by what the station knows of it."""
    return entry is not None and entry.status_at(facts.now.utc) in VALID


def admission(facts: Facts, id_tag: str) -> Admission:
    """Whether the reservation of the connector, if there is one, lets ``id_tag`` pass (5.13)."""
    if not facts.reserved_for or is_same(id_tag, facts.reserved_for):
        return Admission.YES
    if facts.reserved_parent is None:
        return Admission.NO  # not even Authorize (TC_046_1)
    entry = known(facts, id_tag)
    if entry is None:
        return Admission.UNKNOWN
    return Admission.YES if is_group(entry.parent_id_tag, facts.reserved_parent) else Admission.NO


def decide(facts: Facts, id_tag: str) -> Decision:
    """Decide on ``id_tag`` as facts 5.1 and 5.2 order it. The first line that applies holds."""
    runs = facts.transaction in {"running", "deauthorized"}
    if runs and is_same(id_tag, facts.id_tag):
        return Decision.STOP  # 4.10: no Authorize for the idTag that started it
    if runs:
        return _decide_on_group(facts, id_tag)
    if facts.kept_for and gets_cable(facts, id_tag):
        return Decision.RELEASE  # 4.8: the user of a cable that was kept
    if facts.transaction == "authorized" and is_same(id_tag, facts.id_tag):
        return Decision.DROP  # 4.9 B1: shown a second time
    if facts.transaction not in {"idle", "authorized"} or facts.kept_for or not may_begin(facts):
        return Decision.REFUSE  # 5.1 step 1
    if not facts.is_online:
        return decide_offline(facts, id_tag)
    admitted = admission(facts, id_tag)
    if admitted is Admission.NO:
        return Decision.REFUSE  # 5.1 step 1, 5.13
    entry = known(facts, id_tag)
    if facts.keys.local_pre_authorize and is_valid(facts, entry) and admitted is Admission.YES:
        return Decision.START  # 5.1 step 2
    return Decision.ASK_TO_START  # 5.1 step 3


def _decide_on_group(facts: Facts, id_tag: str) -> Decision:
    """A card that is not the one that started: facts 5.2."""
    if facts.parent_id_tag is None:
        return Decision.REFUSE  # TC_068: not even Authorize
    entry = known(facts, id_tag)
    if entry is None:
        return Decision.ASK_TO_STOP if facts.is_online else Decision.REFUSE
    may_stop = is_valid(facts, entry) and is_group(entry.parent_id_tag, facts.parent_id_tag)
    return Decision.STOP if may_stop else Decision.REFUSE


def gets_cable(facts: Facts, id_tag: str) -> bool:
    """Whether ``id_tag`` gets the cable that is kept here (decision T9)."""
    entry = known(facts, id_tag)
    return is_same(id_tag, facts.kept_for) or (
        entry is not None and is_group(entry.parent_id_tag, facts.kept_parent)
    )


def decide_offline(facts: Facts, id_tag: str) -> Decision:
    """Decide without the Central System: facts 5.1, steps 4 to 7."""
    entry = known(facts, id_tag)
    if not facts.was_accepted or admission(facts, id_tag) is not Admission.YES:
        return Decision.REFUSE
    if entry is not None:
        # Step 6: what is known not to be valid is refused, whatever the other key says.
        may_start = facts.keys.local_authorize_offline and is_valid(facts, entry)
        return Decision.START if may_start else Decision.REFUSE
    return Decision.START if facts.keys.allow_offline_tx_for_unknown_id else Decision.REFUSE


def starts_free(facts: Facts) -> bool:
    """Whether a vehicle that is here charges with the declared idTag (decision T7): not where another is waited for."""
    free = facts.settings.free_id_tag
    is_kept_for_another = bool(facts.kept_for) and not is_same(facts.kept_for, free)
    is_barred = bool(facts.reserved_for) or is_kept_for_another
    return bool(free) and facts.is_connected and not is_barred


def may_begin(facts: Facts) -> bool:
    """Whether anybody may start here now (facts 5.1 step 1)."""
    return facts.is_operative and not facts.is_faulted and not facts.is_restarting and facts.status in FREE
