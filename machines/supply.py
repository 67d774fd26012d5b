"""What a connector is set to, from the states of its machines: the only way that hardware is ever commanded."""

from machines.facts import Facts
from machines.vocabulary.hardware import Indicator, Setpoint
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import ChargePointStatus
from machines.vocabulary.settings import ConnectorSettings

LAMPS = {
    ChargePointStatus.AVAILABLE: Indicator.READY,
    ChargePointStatus.PREPARING: Indicator.OCCUPIED,
    ChargePointStatus.CHARGING: Indicator.CHARGING,
    ChargePointStatus.SUSPENDED_EV: Indicator.PAUSED,
    ChargePointStatus.SUSPENDED_EVSE: Indicator.PAUSED,
    ChargePointStatus.FINISHING: Indicator.OCCUPIED,
    ChargePointStatus.RESERVED: Indicator.RESERVED,
    ChargePointStatus.UNAVAILABLE: Indicator.OUT_OF_SERVICE,
    ChargePointStatus.FAULTED: Indicator.FAULT,
}

UNDER_WAY = frozenset({"starting", "running", "deauthorized", "recovering"})
"""States of the transaction machine in which the cable is held."""


def ceiling(connector: ConnectorSettings, keys: Keys, rating_a: float | None) -> float:
    """What may be offered at most in A per phase, whatever charging profiles say.

    The least of the connector's rating, the cable's (``rating_a``) and ConnectorMaximumCurrent.
    """
    limit = min(connector.current_max_a, float(keys.connector_maximum_current))
    return limit if rating_a is None else min(limit, rating_a)


def setpoint_of(facts: Facts, status: ChargePointStatus, *, is_unlocking: bool) -> Setpoint:
    """The setpoint of the connector of ``facts``, whose reported status is ``status``."""
    connector = facts.connector
    assert connector is not None
    may_supply = facts.is_supplied and facts.is_connected and not facts.is_faulted
    # Until the end is on record the cable stays held, but a lock that was opened meanwhile is not closed again.
    is_under_way = facts.transaction in UNDER_WAY or (facts.transaction == "stopping" and facts.is_held)
    is_needed = connector.has_lock and facts.has_cable and is_under_way
    return Setpoint(
        contactor=may_supply and facts.is_requesting and facts.is_held and facts.are_phases_settled,
        offered_a=facts.offered_a if may_supply else 0.0,
        phases=facts.phases,
        locked=(is_needed or bool(facts.kept_for)) and not is_unlocking,
        indicator=LAMPS[status],
        brightness_percent=facts.keys.light_intensity,
        blink_repeat=facts.keys.blink_repeat,
    )
