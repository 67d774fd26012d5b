"""Alphabets of what happens at a connector: sessions, cards, faults, energy, reservations."""

from collections.abc import Iterator
from datetime import timedelta

from machines.model.alphabet import LONG, Alphabet
from machines.model.letters import (
    ACCEPTED,
    BREAKS,
    CURRENTS,
    DEFAULT,
    DRIVES,
    GOOD_AND_BAD,
    NOWHERE,
    OF_GROUP,
    PAUSES,
    RESETS,
    Numbers,
    availability,
    buttons,
    configuration,
    faults,
    profile,
    profiles,
    remote,
    reservation,
    reservations,
)
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import (
    RegistrationStatus,
)
from machines.vocabulary.settings import Installation, Recovery
from machines.vocabulary.wire import Failure


def charging(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """What happens at a connector."""
    first = numbers[0]
    yield "sessions", Alphabet("a card, a vehicle that pauses", cards=("A",), pilots=PAUSES)
    yield (
        "two users",
        Alphabet("two cards, accepted or not", cards=("A", "B"), pilots=DRIVES, answers=GOOD_AND_BAD),
    )
    yield (
        "two users without a stop",
        Alphabet(
            "a card that is accepted when somebody else charges, or may not",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    yield (
        "group",
        Alphabet(
            "two cards, of one group or of none",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=(ACCEPTED, OF_GROUP),
            failures=(Failure.CALL_ERROR,),
        ),
    )
    yield (
        "pilot and meter",
        Alphabet(
            "a pilot that cannot be read, a meter that is silent",
            cards=("A",),
            pilots=BREAKS,
            has_meter_trouble=True,
        ),
    )
    yield (
        "drivers that repeat themselves",
        Alphabet(
            "reports that say nothing new, a cable that is seen after the vehicle",
            cards=("A",),
            pilots=BREAKS,
            has_repeats=True,
        ),
    )
    yield (
        "remote",
        Alphabet(
            "remote start, stop and unlock; a lock that sticks",
            pilots=DRIVES,
            requests=remote(numbers),
            has_lock_trouble=True,
        ),
    )
    yield (
        "remote and asked",
        Alphabet(
            "AuthorizeRemoteTxRequests",
            cards=("A",),
            pilots=DRIVES,
            requests=remote(numbers),
            answers=GOOD_AND_BAD,
            station=(("authorize_remote_tx_requests", True),),
        ),
    )
    yield "faults", Alphabet("faults and warnings", cards=("A",), pilots=DRIVES, faults=faults(numbers))
    yield (
        "buttons",
        Alphabet(
            "the stop button; a supply that says when it fails",
            cards=("A",),
            pilots=DRIVES,
            reports=buttons(numbers),
            answers=GOOD_AND_BAD,
            has_power_failing=True,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    yield (
        "availability",
        Alphabet("ChangeAvailability", cards=("A",), pilots=DRIVES, requests=availability(numbers)),
    )
    yield (
        "pauses",
        Alphabet("the station withholds energy", cards=("A",), pilots=PAUSES, requests=CURRENTS),
    )
    yield (
        "cable kept",
        Alphabet(
            "who unplugs the vehicle keeps the cable",
            cards=("A", "B"),
            pilots=DRIVES,
            requests=(("UnlockConnector", ocpp.UnlockConnector(connector_id=first)),),
            has_lock_trouble=True,
            has_repeats=True,
            station=(("unlock_connector_on_ev_side_disconnect", False),),
        ),
    )
    yield (
        "left connected",
        Alphabet(
            "a transaction outlasts the unplugging of the vehicle",
            cards=("A",),
            pilots=PAUSES,
            requests=CURRENTS,
            station=(("stop_transaction_on_ev_side_disconnect", False),),
        ),
    )
    yield (
        "not accepted",
        Alphabet(
            "a transaction goes on without energy",
            cards=("A", "B"),
            pilots=PAUSES,
            answers=GOOD_AND_BAD,
            requests=(*remote(numbers), *RESETS),
            faults=faults(numbers),
            has_lock_trouble=True,
            station=(("stop_transaction_on_invalid_id", False),),
        ),
    )
    for name, value in (("stop", True), ("no stop", False)):
        yield (
            f"some energy and {name}",
            Alphabet(
                "MaxEnergyOnInvalidId",
                cards=("A",),
                pilots=DRIVES,
                answers=GOOD_AND_BAD,
                registers_wh=(0, 1000),
                has_meter_trouble=True,
                station=(
                    ("max_energy_on_invalid_id", 100),
                    ("stop_transaction_on_invalid_id", value),
                    ("stop_transaction_on_ev_side_disconnect", False),
                ),
            ),
        )
    yield (
        "free of charge",
        Alphabet(
            "no card is needed",
            pilots=PAUSES,
            requests=(*availability(numbers), *CURRENTS),
            has_meter_trouble=True,
            station=(("free_id_tag", "FREE"),),
        ),
    )
    yield (
        "free of charge, with cards",
        Alphabet(
            "idTags that are accepted or not, where no card is needed",
            cards=("A",),
            pilots=DRIVES,
            requests=(*remote(numbers), *availability(numbers)),
            answers=GOOD_AND_BAD,
            failures=(Failure.TIMED_OUT,),
            has_outages=True,
            station=(("free_id_tag", "FREE"), ("authorize_remote_tx_requests", True)),
        ),
    )
    yield (
        "free but reserved",
        Alphabet(
            "no card is needed, but for what is reserved",
            cards=("A",),
            pilots=DRIVES,
            faults=faults(numbers),
            requests=reservations(numbers),
            station=(("free_id_tag", "FREE"),),
        ),
    )
    yield (
        "reservation",
        Alphabet("a reservation", cards=("A", "B"), pilots=PAUSES, requests=reservations(numbers)),
    )
    yield (
        "reservations and what ends them",
        Alphabet(
            "of a connector and of any, for a group",
            cards=("A",),
            pilots=DRIVES,
            answers=(ACCEPTED, OF_GROUP),
            requests=(
                *reservation(first, reservation_id=1),
                *reservation(first, reservation_id=2, id_tag="B", group="P"),
                *reservation(0, reservation_id=8),
                *reservation(0, reservation_id=7),
                *reservation(NOWHERE, reservation_id=9),
                *availability(numbers[:1]),
            ),
            faults=faults(numbers),
        ),
    )
    yield (
        "reservations that outlast faults",
        Alphabet(
            "a fault comes and goes while a connector is kept",
            cards=("A",),
            pilots=DRIVES,
            faults=tuple((number, HardwareFault.GROUND) for number in (0, *numbers)),
            requests=(*reservations(numbers), *reservation(0, reservation_id=8), *availability(())),
            station=(("reservations_outlast_faults", True),),
        ),
    )
    yield (
        "reservations and time",
        Alphabet(
            "expiryDate, and a clock that is set",
            cards=("A",),
            pilots=DRIVES,
            requests=reservations(numbers),
            registrations=tuple(RegistrationStatus),
            clocks=(("", timedelta(0)), (", time later", LONG)),
            has_long_cuts=True,
            has_power_cuts=True,
        ),
    )
    yield (
        "reservations and power cuts",
        Alphabet(
            "the power is cut while a connector is kept that goes out of service",
            cards=("A",),
            pilots=DRIVES,
            requests=(*reservations(numbers[:1]), *availability(numbers[:1])),
            has_power_cuts=True,
        ),
    )


def energy(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """How much may be drawn."""
    yield (
        "smart charging",
        Alphabet(
            "charging profiles that come and go; their periods are waited for",
            cards=("A", "B"),
            pilots=DRIVES,
            requests=(*profiles(numbers), *CURRENTS, *configuration(LightIntensity="50")),
            has_clock=True,
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME),),
        ),
    )
    yield (
        "a profile for a remote start",
        Alphabet(
            "a profile comes with a remote start that may come to nothing",
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            faults=((numbers[0], HardwareFault.GROUND),),
            requests=(
                *profiles(numbers)[-2:],
                *profiles(numbers)[:1],
                ("ClearChargingProfile", ocpp.ClearChargingProfile()),
            ),
            station=(("authorize_remote_tx_requests", True),),
        ),
    )
    yield (
        "fail-safe",
        Alphabet(
            "a limit for when nobody can be asked any more",
            cards=("A",),
            pilots=DRIVES,
            requests=profiles(numbers)[:1],
            has_outages=True,
            station=(
                (
                    "installation",
                    Installation(current_max_a=32, offline_current_max_a=6, offline_after_s=60),
                ),
            ),
        ),
    )
    yield (
        "phases",
        Alphabet(
            "one phase or three, as profiles say",
            cards=("A",),
            pilots=DRIVES,
            requests=(
                *(
                    (
                        f"SetChargingProfile {phases} for {phases} phases",
                        ocpp.SetChargingProfile(
                            connector_id=0, cs_charging_profiles=profile(phases, DEFAULT, 16.0, phases=phases)
                        ),
                    )
                    for phases in (1, 2, 3)
                ),
                ("ClearChargingProfile", ocpp.ClearChargingProfile()),
            ),
            has_clock=True,
            station=(("connector_switch3to1_phase_supported", True),),
        ),
    )
