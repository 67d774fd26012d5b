"""Transitions that no tour shows, and why: what no script can bring about here."""

from machines.model.explained import Explained

RESTARTS = "a restart on a bench always comes about"
DOWN = "the station goes down in the same instant"
OVER = "what is given up is over at once, and ends in no other way"
REPORTS = "the simulated hardware tells what has changed, and once"
TOGETHER = "cable and vehicle come together, and the vehicle is seen before it asks"
ORDER = "the contact of the pilot breaks before that of the cable"
OFFERED = "a vehicle asks for energy only while some is offered"
BY_HAND = "nobody moves the lock by hand"
ASKS = "the Central System asks one thing at a time"
AT_ONCE = "a meter that answers does so at once"
TOLD_TIME = "the time of day that the Central System tells never jumps"
SETTLED = "what was told of earlier transactions is settled in its turn, before those after it"
LOCKED = "the lock holds the cable of a transaction"
SPREAD = "firmware that waits has withheld every connector that is operative"
CLOSED = "a connection that is given up is closed before anything more is asked"
ONE_CALL = (
    "an idTag that is asked about before the start is answered before the start is told: one CALL at a time"
)

ENTRIES = (
    Explained("fault", ("clear", "warned", "faulted"), "ResetFailed", "", RESTARTS),
    *(
        Explained("firmware_update", (state,), "ResetFailed", "", RESTARTS)
        for state in (
            *("idle", "scheduled", "downloading", "retrying", "verifying"),
            *("waiting", "installing", "restarting", "confirming", "checking"),
        )
    ),
    Explained("reset", ("restarting",), "RestartFailed", "", RESTARTS),
    *(
        Explained("reset", ("restarting",), message, "", DOWN)
        for message in ("Reset", "RestartNeeded", "QueueEmptied", "TransactionEnded")
    ),
    *(
        Explained("firmware_update", ("scheduled", "downloading"), message, "of one that was replaced", OVER)
        for message in ("FetchFailed", "FirmwareFetched", "FirmwareVerified", "FirmwareCorrupt")
    ),
    # The pilot and the cable
    Explained("control_pilot", ("cable_only", "unreadable"), "CableChanged", "61851-1 B.2 rating", REPORTS),
    Explained("control_pilot", ("cable_only",), "PilotChanged", "61851-1 A", REPORTS),
    Explained("control_pilot", ("connected",), "PilotChanged", "61851-1 B", REPORTS),
    Explained("control_pilot", ("requesting",), "PilotChanged", "61851-1 C", REPORTS),
    Explained("control_pilot", ("unreadable",), "PilotChanged", "61851-1 E, F", REPORTS),
    Explained("control_pilot", ("cable_only",), "PilotChanged", "61851-1 A.6 seq. 1.2", TOGETHER),
    Explained("control_pilot", ("unreadable",), "PilotChanged", "61851-1 C, new vehicle", TOGETHER),
    Explained("control_pilot", ("connected", "requesting"), "CableChanged", "61851-1 B.2 cable out", ORDER),
    Explained("connector_lock", ("unlocking",), "LockChanged", "5.18 not yet", REPORTS),
    Explained("connector_lock", ("kept",), "LockChanged", "5.18 opened by hand", BY_HAND),
    Explained("connector_lock", ("unlocking",), "UnlockConnector", "5.18 one at a time", ASKS),
    Explained("transaction", ("authorized",), "CableHeld", "", TOGETHER),
    Explained("transaction", ("deauthorized",), "CableRemoved", "", LOCKED),
    # Energy that is asked for
    Explained("connector", ("Reserved",), "EnergyRequested", "", OFFERED),
    Explained("connector", ("SuspendedEVSE",), "EnergyRequested", "4.9 not supplied", OFFERED),
    Explained("connector", ("Charging",), "EnergyRequested", "4.9 already shown", OFFERED),
    # Readings, answers and times
    Explained("triggered_values", ("reading",), "MeterRead", "5.17 nobody to tell any more", AT_ONCE),
    Explained("current_offer", ("steady",), "TimeLearnt", "3.13.2 more, but not yet", TOLD_TIME),
    Explained("current_offer", ("waiting",), "TimeLearnt", "3.13.2 where the schedule is", TOLD_TIME),
    Explained("transaction", ("starting",), "StartSettled", "", SETTLED),
    Explained("transaction", ("stopping",), "StartSettled", "of an earlier transaction", SETTLED),
    Explained("availability", ("operative",), "InstallationOver", "", SPREAD),
    Explained("connection", ("renewing",), "KeyChanged", "", CLOSED),
    Explained("transaction", ("deauthorized",), "Authorized", "", ONE_CALL),
)
"""The first that means a row holds for it; a message that is empty is any."""
