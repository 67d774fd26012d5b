"""How each machine is laid out: the little that a picture needs beside the machine itself.

A machine that is not here is drawn from top to bottom in the order of its declaration, all states alike.
"""

from collections.abc import Mapping
from typing import NamedTuple

LINES_IN_A_STATE = 5
"""What is done within a state is listed up to here; the rest is left to the table."""


class Color(NamedTuple):
    """What a kind of state looks like."""

    meaning: str
    fill: str
    ink: str
    """Of the ways that lead out of it, so that they can be followed with the eye."""


RESTING = Color("at rest", "#eef0f3", "#5b6470")
"""Nothing is going on."""
WAITING = Color("waiting", "#fdf0c4", "#a16207")
"""For somebody: a user, a vehicle, the Central System, a time-out."""
WORKING = Color("at work", "#d7efdb", "#15803d")
"""What the machine is there for goes on."""
HELD_BACK = Color("held back", "#e3e1f9", "#5b50c4")
"""It would go on, but something is in the way."""
BROKEN = Color("out of service", "#fad7d5", "#c2322d")
"""A fault, or out of service."""

COLORS = (RESTING, WAITING, WORKING, HELD_BACK, BROKEN)
"""In the order of the legend."""


class Hint(NamedTuple):
    """The layout of one machine."""

    colors: Mapping[str, Color] = {}
    """By state; one that is not here is at rest."""
    spine: tuple[tuple[str, ...], ...] = ()
    """States by rank, in the order of the story; those of one tuple share a rank. Default: the order of declaration."""


HINTS: Mapping[str, Hint] = {
    "connection": Hint({"offline": HELD_BACK, "dialling": WAITING, "online": WORKING, "renewing": HELD_BACK}),
    "triggered_values": Hint({"idle": RESTING, "reading": WAITING}),
    "registration": Hint(
        {
            "unregistered": RESTING,
            "booting": WAITING,
            "accepted": WORKING,
            "pending": WAITING,
            "asking_again": WAITING,
            "rejected": HELD_BACK,
        }
    ),
    "configuration": Hint({"ready": WORKING}),
    "heartbeat": Hint({"silent": RESTING, "beating": WORKING}),
    "delivery": Hint({"held": HELD_BACK, "idle": RESTING, "sending": WORKING, "waiting": WAITING}),
    "firmware_update": Hint(
        {
            "idle": RESTING,
            "scheduled": WAITING,
            "downloading": WORKING,
            "retrying": HELD_BACK,
            "verifying": WORKING,
            "waiting": WAITING,
            "installing": WORKING,
            "restarting": WAITING,
            "confirming": WORKING,
            "checking": WORKING,
        },
        spine=(
            ("idle",),
            ("scheduled",),
            ("downloading",),
            ("retrying",),
            ("verifying",),
            ("waiting",),
            ("checking",),
            ("installing",),
            ("restarting",),
            ("confirming",),
        ),
    ),
    "diagnostics_upload": Hint({"idle": RESTING, "uploading": WORKING, "retrying": HELD_BACK}),
    "transfer_report": Hint({"held": HELD_BACK, "ready": RESTING, "telling": WORKING}),
    "reset": Hint({"running": RESTING, "stopping": WAITING, "restarting": WORKING}),
    "local_list": Hint({"ready": WORKING}),
    "authorization_cache": Hint({"ready": WORKING}),
    "availability": Hint(
        {
            "operative": WORKING,
            "scheduled": WAITING,
            "inoperative": BROKEN,
            "to_be_withheld": WAITING,
            "withheld": HELD_BACK,
        },
        spine=(("operative",), ("scheduled", "to_be_withheld"), ("inoperative", "withheld")),
    ),
    "fault": Hint({"clear": WORKING, "warned": HELD_BACK, "faulted": BROKEN}),
    "status_report": Hint({"held": HELD_BACK, "settled": RESTING, "settling": WAITING, "doubtful": WAITING}),
    "control_pilot": Hint(
        {
            "empty": RESTING,
            "cable_only": WAITING,
            "connected": WAITING,
            "requesting": WORKING,
            "unreadable": BROKEN,
        }
    ),
    "connector_lock": Hint(
        {"unlocked": RESTING, "locked": WORKING, "kept": HELD_BACK, "unlocking": WAITING},
        spine=(("unlocked",), ("locked",), ("kept",), ("unlocking",)),
    ),
    "allowance": Hint({"nothing": RESTING, "measuring": WAITING, "granted": WORKING}),
    "charging_profiles": Hint({"empty": RESTING, "holding": WORKING}),
    "fail_safe": Hint({"led": WORKING, "alone": WAITING, "limited": HELD_BACK}),
    "current_offer": Hint({"idle": RESTING, "steady": WORKING, "waiting": WAITING}),
    "phase_switch": Hint(
        {
            "idle": RESTING,
            "arranging": WAITING,
            "steady": WORKING,
            "delayed": WORKING,
            "held": HELD_BACK,
            "pausing": WAITING,
            "settling": WAITING,
        },
        spine=(("idle",), ("arranging",), ("steady",), ("delayed", "held"), ("pausing",), ("settling",)),
    ),
    "authorization": Hint({"idle": RESTING, "asking": WAITING}),
    "transaction": Hint(
        {
            "idle": RESTING,
            "authorized": WAITING,
            "starting": WAITING,
            "running": WORKING,
            "deauthorized": HELD_BACK,
            "recovering": HELD_BACK,
            "stopping": WAITING,
        },
        spine=(
            ("idle",),
            ("authorized", "recovering"),
            ("starting",),
            ("running", "deauthorized"),
            ("stopping",),
        ),
    ),
    "reservation": Hint({"free": RESTING, "held": WORKING}),
    "trigger_message": Hint({"ready": WORKING}),
    "data_transfer": Hint({"ready": WORKING}),
    "clock_aligned": Hint({"silent": RESTING, "waiting": WAITING, "reading": WORKING}),
    "metering": Hint({"silent": RESTING, "sampling": WORKING}),
    "connector": Hint(
        {
            "Available": RESTING,
            "Preparing": WAITING,
            "Charging": WORKING,
            "SuspendedEV": HELD_BACK,
            "SuspendedEVSE": HELD_BACK,
            "Finishing": WAITING,
            "Reserved": HELD_BACK,
            "Unavailable": BROKEN,
        },
        spine=(
            ("Available",),
            ("Reserved", "Preparing"),
            ("Charging",),
            ("SuspendedEV", "SuspendedEVSE"),
            ("Finishing",),
            ("Unavailable",),
        ),
    ),
}
"""By kind of machine."""


def hint(kind: str) -> Hint:
    """The layout of machine ``kind``."""
    return HINTS.get(kind, Hint())
