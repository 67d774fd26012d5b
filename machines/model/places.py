"""Where an exploration begins, and what station it explores."""

from typing import Any

from msgspec.structs import replace

from machines.model.alphabet import Alphabet
from machines.model.moves import card_shown
from machines.model.symmetry import readers
from machines.vocabulary.hardware import PilotState
from machines.vocabulary.keys import Keys
from machines.vocabulary.ocpp import RegistrationStatus, RemoteStartTransaction
from machines.vocabulary.settings import ConnectorSettings, Settings

OFF, CONNECTED, CHARGING = "off", "connected", "charging"
"""A station without power; a vehicle that asks for energy; one that gets it."""

SECOND, BOTH = "one more to charge", "both charging"
"""Where there are two connectors and two cards: a vehicle charges, another one is about to; both do."""


def station_for(alphabet: Alphabet, settings: Settings, keys: Keys, connectors: int) -> tuple[Settings, Keys]:
    """The station that an alphabet explores: with its first ``connectors``, as the alphabet wants it otherwise."""
    limits = settings.limits
    settings = replace(settings, connectors=settings.connectors[:connectors])
    keys = without_repetition(keys)
    for name, value in alphabet.station:
        changed: dict[str, Any] = {name: value}
        if name in settings.__struct_fields__:
            settings = replace(settings, **changed)
        elif name in limits.__struct_fields__:
            limits = replace(limits, **changed)
        else:
            keys = replace(keys, **changed)
    return replace(settings, limits=limits), keys


def without_repetition(defaults: Keys) -> Keys:
    """Configuration without what only repeats itself or only grows: periodic values, and the cache of idTags."""
    return replace(
        defaults,
        authorization_cache_enabled=False,
        clock_aligned_data_interval=0,
        meter_value_sample_interval=0,
        stop_txn_aligned_data=(),
        stop_txn_sampled_data=(),
    )


def ways(alphabet: Alphabet, settings: Settings) -> dict[str, tuple[str, ...]]:
    """The ways to the places where an exploration may begin, of those that the alphabet can get to."""
    registered = ("the station starts", "connected", f"BootNotification {RegistrationStatus.ACCEPTED}")
    found: dict[str, tuple[str, ...]] = {OFF: ()}
    if PilotState.C not in alphabet.pilots or RegistrationStatus.ACCEPTED not in alphabet.registrations:
        return found
    reports: list[str] = []
    for connector in settings.connectors:
        number = connector.number
        reports += [f"cable out of {number}"] if connector.cable == "socket" else []
        reports += [f"lock of {number} open"] if connector.has_lock else []
        reports += [f"pilot of {number} A"]
    first = settings.connectors[0]
    connected = (*registered, *reports, *["cable in 1"] * (first.cable == "socket"), "pilot of 1 C")
    charges = _charges(first)
    found[CONNECTED] = connected
    asked = f"Authorize {alphabet.answers[0][0]}"
    remote = [name for name, request in alphabet.requests if isinstance(request, RemoteStartTransaction)]
    if settings.free_id_tag:
        found[CHARGING] = (*connected, *charges)
    elif alphabet.cards:
        served = readers(settings.connectors, alphabet)
        shown = card_shown(alphabet.cards[0], served[0], len(served))
        found[CHARGING] = (*connected, shown, asked, *charges)
    elif remote:
        must_ask = ("authorize_remote_tx_requests", True) in alphabet.station
        found[CHARGING] = (*connected, remote[0], *[asked] * must_ask, *charges)
    if CHARGING in found and len(alphabet.cards) > 1 and len(settings.connectors) > 1:
        second = settings.connectors[1]
        served = readers(settings.connectors, alphabet)
        shown = card_shown(alphabet.cards[1], served[-1], len(served))
        plugged = (*[f"cable in {second.number}"] * (second.cable == "socket"), f"pilot of {second.number} C")
        found[SECOND] = (*found[CHARGING], *plugged, shown, asked)
        found[BOTH] = (*found[SECOND], *_charges(second))
    if CHARGING in found:
        found |= {name: (*found[CHARGING], *moves) for name, moves in alphabet.further}
    return found


def _charges(connector: ConnectorSettings) -> tuple[str, ...]:
    """What comes between an idTag that was accepted and energy."""
    number = connector.number
    return (*[f"lock of {number} closed"] * connector.has_lock, f"meter of {number} (start) read")
