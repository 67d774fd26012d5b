"""What an exploration lets happen: each alphabet as small as its question allows, and one with everything.

A small alphabet can be gone through to the end; the large one only to a bound, and finds what its parts do to each
other. Values that make no difference stand for all others: two idTags (the holder and somebody else), one fault of each
kind (safety, other, warning), one register value unless energy is counted, one CALLERROR. Time is left out (a timer may
fire at any moment after it was started) but where ``has_clock`` says otherwise. The answers to CALLs that decide nothing
come at once but where ``has_slow_answers`` says otherwise.
"""

from machines.model.alphabet import Alphabet
from machines.model.alphabets_of_connectors import charging, energy
from machines.model.alphabets_of_station import station
from machines.model.letters import (
    BREAKS,
    CURRENTS,
    GOOD_AND_BAD,
    NO_ANSWER,
    RESETS,
    Numbers,
    availability,
    buttons,
    faults,
    remote,
    reservations,
    triggers,
)
from machines.vocabulary.ocpp import MessageTrigger, RegistrationStatus


def alphabets(numbers: Numbers) -> dict[str, Alphabet]:
    """All alphabets by name, for a station with the connectors ``numbers``."""
    return dict((*charging(numbers), *energy(numbers), *station(numbers), _everything(numbers)))


def _everything(numbers: Numbers) -> tuple[str, Alphabet]:
    return (
        "everything",
        Alphabet(
            "all of it",
            cards=("A", "B"),
            pilots=BREAKS,
            faults=faults(numbers),
            requests=(
                *remote(numbers),
                *availability(numbers),
                *RESETS,
                *CURRENTS,
                *reservations(numbers),
                *triggers(*MessageTrigger),
            ),
            reports=buttons(numbers),
            answers=GOOD_AND_BAD,
            registrations=tuple(RegistrationStatus),
            failures=NO_ANSWER,
            has_outages=True,
            has_power_cuts=True,
            has_power_failing=True,
            has_failing_restarts=True,
            has_lock_trouble=True,
            has_meter_trouble=True,
            has_vendor_data=True,
        ),
    )
