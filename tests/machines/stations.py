"""Stations to walk with: as declared, and with what changes most of what happens."""

from msgspec.structs import replace

from engine.declaration.station import Station
from engine.station_file import load
from machines.vocabulary.settings import Recovery
from tests.machines.central_system import UPDATING

VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "as declared": ("full", {}),
    "ac-smart": ("ac-smart", {}),
    "resuming": ("full", {"recovery": Recovery.RESUME}),
    "minimum status": ("full", {"minimum_status_duration": 5}),
    "offline starts": (
        "full",
        {"allow_offline_tx_for_unknown_id": True, "authorize_remote_tx_requests": True},
    ),
    "open without energy": ("full", {"stop_transaction_on_invalid_id": False, "recovery": Recovery.RESUME}),
    "some energy": ("full", {"max_energy_on_invalid_id": 100}),
    "left connected": ("full", {"stop_transaction_on_ev_side_disconnect": False}),
    "cable kept": ("full", {"unlock_connector_on_ev_side_disconnect": False}),
    "small queue": ("full", {"queue_size_max": 6, "transaction_message_attempts": 1}),
    "free of charge": ("full", {"free_id_tag": "FREE"}),
    "updating": ("full", {"install_attempts_max": UPDATING, "recovery": Recovery.RESUME}),
    "outlasting faults": ("full", {"reservations_outlast_faults": True}),
    "lenient": (
        "ac-smart",
        {
            "recovery": Recovery.RESUME,
            "queue_size_max": 3,
            "stop_transaction_on_invalid_id": False,
            "stop_transaction_on_ev_side_disconnect": False,
            "allow_offline_tx_for_unknown_id": True,
            "minimum_status_duration": 2,
        },
    ),
}
"""Station file, and what differs: fields of Settings, Limits, or the defaults of configuration keys."""


def station_of(variant: str) -> Station:
    """The station of a variant."""
    file, changes = VARIANTS[variant]
    station = load(file)
    settings, limits, keys = station.settings, station.settings.limits, station.defaults
    for name, value in changes.items():
        if name in settings.__struct_fields__:
            settings = replace(settings, **{name: value})
        elif name in limits.__struct_fields__:
            limits = replace(limits, **{name: value})
        else:
            keys = replace(keys, **{name: value})
    return replace(station, settings=replace(settings, limits=limits), defaults=keys)
