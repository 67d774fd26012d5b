"""In and out of service, and kept for somebody."""

from engine.conformance.grounds.words import (
    CARD,
    DUE,
    FRIEND,
    GROUND_FAILURE,
    ON,
    OTHER,
    OUTSIDER,
    PLUG,
    REMOTE_START,
    REMOTE_STOP,
    SESSION,
    TAKE_VEHICLE,
    UNLOCK,
    UNPLUG,
    Ground,
    acts,
    ask,
    availability,
    fault,
    info,
    led,
    reserve,
    under,
)
from engine.conformance.stimuli import CutLink, CutPower, Pause, PlugIn, RestoreLink, Resume, Swipe, Unplug

GROUNDS = (
    Ground(
        name="availability",
        title="In and out of service",
        moves=(
            *SESSION,
            *availability(0, 1),
            *acts(
                ask("ChangeAvailability", connectorId=9, type="Inoperative"), DUE, TAKE_VEHICLE, REMOTE_START
            ),
            *acts(reserve(1, CARD), ask("Reset", type="Soft"), CutPower(10), REMOTE_STOP, UNLOCK),
            *fault(GROUND_FAILURE),
        ),
    ),
    Ground(
        name="two-connectors",
        title="Two connectors in and out of service",
        moves=(
            *acts(PLUG, Swipe(CARD), Swipe(OTHER), UNPLUG, PlugIn(2), Unplug(2), DUE, Pause(2), Resume(2)),
            *availability(0, 1, 2),
            *acts(ask("RemoteStartTransaction", idTag=CARD), ask("UnlockConnector", connectorId=2)),
            *acts(ask("Reset", type="Soft")),
            *fault(GROUND_FAILURE, 2),
        ),
    ),
    Ground(
        name="reservation",
        title="Reservations of a connector",
        moves=(
            *SESSION,
            *acts(reserve(1, CARD), reserve(1, OTHER, 1), reserve(1, OTHER, 2), reserve(9, CARD, 3)),
            *acts(reserve(1, FRIEND, 1, "GROUP"), reserve(1, CARD, 4, left_s=-60), reserve(2, CARD, 1)),
            *acts(ask("CancelReservation", reservationId=1), ask("CancelReservation", reservationId=8)),
            *acts(
                DUE,
                OUTSIDER,
                TAKE_VEHICLE,
                REMOTE_START,
                CutPower(10),
                CutPower(400),
                CutLink(),
                RestoreLink(),
            ),
            under(OUTSIDER, info("Authorize", "Accepted", "GROUP")),
            *fault(GROUND_FAILURE),
            *fault(GROUND_FAILURE, 2),
            *availability(1, 2),
        ),
        share=2,
    ),
    Ground(
        name="reservation-of-station",
        title="Reservations of any connector",
        moves=(
            *acts(PLUG, Swipe(CARD), Swipe(OTHER), UNPLUG, PlugIn(2), Unplug(2)),
            *acts(
                reserve(0, CARD),
                reserve(0, OTHER, 2),
                reserve(1, CARD),
                reserve(2, OTHER, 2),
                reserve(0, OTHER, 1),
            ),
            *acts(ask("CancelReservation", reservationId=1), ask("CancelReservation", reservationId=2)),
            *acts(DUE, CutPower(10), CutPower(400), reserve(0, CARD, 5, left_s=-60)),
            *fault(GROUND_FAILURE),
            *fault(GROUND_FAILURE, 2),
            *availability(0, 1, 2),
        ),
        starts=(
            ON,
            led(ON, *acts(PLUG, reserve(0, CARD)), *availability(0)[1:], *acts(reserve(0, OTHER, 2))),
        ),
        share=2,
    ),
    Ground(
        name="outlasting",
        title="Reservations that outlast faults",
        moves=(
            *SESSION,
            *acts(reserve(1, CARD), reserve(1, OTHER, 2), reserve(0, OTHER, 2), DUE, TAKE_VEHICLE, OUTSIDER),
            *acts(ask("CancelReservation", reservationId=1), CutPower(10)),
            *fault(GROUND_FAILURE),
            *fault(GROUND_FAILURE, 2),
            *availability(0, 1, 2),
        ),
        starts=(ON, led(ON, *acts(reserve(1, CARD)), *fault(GROUND_FAILURE)[:1])),
        declares="[reservations]\noutlast_faults = true\n",
        share=2,
    ),
)
