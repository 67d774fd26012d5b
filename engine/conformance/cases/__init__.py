"""Every test case of the certification programme for a charge point that this project knows."""

from collections.abc import Iterator
from types import ModuleType

from engine.conformance.case import Case
from engine.conformance.cases import (
    authorization_cache,
    basic_authentication,
    cold_boot,
    configuration,
    data_transfer,
    firmware,
    local_list,
    meter_values,
    offline,
    power_failure,
    refused_starts,
    remote_start_and_stop,
    remote_trigger,
    reservation,
    reservation_of_the_station,
    reset,
    sessions,
    smart_charging,
    stop_by_tag,
    unlock_connector,
)
from engine.conformance.cases.untested import UNTESTED

__all__ = ["CASES", "UNTESTED"]

MODULES = (
    authorization_cache,
    basic_authentication,
    cold_boot,
    configuration,
    data_transfer,
    firmware,
    local_list,
    meter_values,
    offline,
    power_failure,
    refused_starts,
    remote_start_and_stop,
    remote_trigger,
    reservation,
    reservation_of_the_station,
    reset,
    sessions,
    smart_charging,
    stop_by_tag,
    unlock_connector,
)


def _of(module: ModuleType) -> Iterator[Case]:
    for found in vars(module).values():
        match found:
            case Case():
                yield found
            case (Case(), *_):
                yield from found


CASES: tuple[Case, ...] = tuple(
    sorted((found for module in MODULES for found in _of(module)), key=lambda found: found.id)
)
"""By id; those with the same one in the order in which they are written down."""
