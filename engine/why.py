"""Why a station is where it is, in plain language: its latest transitions and its long work, a line each."""

from collections.abc import Iterable
from heapq import merge

from engine.past import Happened, Logged
from machines.vocabulary.posix import utc_of

WORKS = {
    "FetchFirmware": "the download of the firmware",
    "VerifyFirmware": "the check of the firmware",
    "InstallFirmware": "the installation of the firmware",
    "ConfirmFirmware": "the look at which firmware runs",
    "DeliverDiagnostics": "the upload of diagnostics",
}
"""Long work, in plain language (machines/vocabulary/transfers.py)."""


def story(happened: Iterable[Happened], logged: Iterable[Logged]) -> list[str]:
    """What led here, in plain language, a line each, oldest first: transitions, and how long work went on."""
    transitions = [(one.time, told(one)) for one in happened]
    works = [(one.time, told_work(one)) for one in logged if one.event.startswith("work ")]
    # Merged, and not sorted: a clock that was put back, or not yet set, has given later ones earlier times.
    return [line for _, line in merge(transitions, works, key=lambda timed: timed[0])]


def told_work(logged: Logged) -> str:
    """How a piece of long work began, goes on, or ended, one line."""
    fields = logged.fields
    name = str(fields.get("work"))
    work = WORKS.get(name, name)
    match logged.event:
        case "work begun":
            what = f"{work} begins"
        case "work progress":
            what = f"{work} is at {fields.get('percent')} %"
        case _:
            what = f"{work} failed: {fields['why']}" if "why" in fields else f"{work} is done"
    return f"{_time(logged.time)}  {what}"


def _time(seconds: float) -> str:
    return utc_of(seconds).strftime("%Y-%m-%d %H:%M:%SZ")


def told(happened: Happened) -> str:
    """A transition in plain language, one line."""
    kind, _, number = happened.machine.partition("/")
    who = kind.replace("_", " ") + (f" {number}" if number else "")
    if happened.source == happened.target:
        what = f"stays {happened.source.replace('_', ' ')}"
    else:
        what = f"goes from {happened.source.replace('_', ' ')} to {happened.target.replace('_', ' ')}"
    because = f", as {happened.guards.replace('_', ' ')}" if happened.guards else ""
    by = f" [{happened.cause}]" if not happened.message.startswith(happened.cause) else ""
    return f"{_time(happened.time)}  {who} {what} on {happened.message}{because}: {happened.clause}{by}"
