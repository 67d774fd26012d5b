"""What a station tells of itself in a file: for GetDiagnostics, and for whoever has to find out what went wrong.

One archive (zip): the log and every transition as JSON lines, both together in plain language (``why.txt``); as JSON
the configuration without secrets, what the database holds, the station as declared. Bounded, since every part of it is.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from engine.past import Happened, Logged
from engine.why import story
from machines.vocabulary.posix import utc_of

FILE_MODE = 0o600
ZIP_BEGIN, ZIP_END = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""What a zip can say of times."""


class Diagnostics(Struct, frozen=True, kw_only=True):
    """What goes into the archive."""

    time: datetime
    """When it was collected; that of the system may be any."""
    log: Sequence[Logged]
    """Events, oldest first."""
    history: Sequence[Happened]
    """Transitions, oldest first."""
    configuration: Mapping[str, Any]
    """Keys and values, secrets masked."""
    database: Mapping[str, int]
    """How much there is of what."""
    station: Mapping[str, Any]
    """Who it is, and the hash of its declaration."""
    machines: Mapping[str, str]
    """The state of every machine."""


def write(diagnostics: Diagnostics, file: Path) -> None:
    """Write the archive to ``file``, readable by its owner only.

    Raises:
        OSError: The disk.
    """
    import zipfile  # Not before it is needed: most stations never are asked.

    date_time = min(max(diagnostics.time.timetuple()[:6], ZIP_BEGIN), ZIP_END)
    file.touch(mode=FILE_MODE)
    with zipfile.ZipFile(file, "w") as archive:

        def add(name: str, content: str | bytes) -> None:
            part = zipfile.ZipInfo(name, date_time)
            part.compress_type = zipfile.ZIP_DEFLATED
            part.external_attr = FILE_MODE << 16
            archive.writestr(part, content)

        add("log.jsonl", _lines(_flat(one) for one in diagnostics.log))
        add("history.jsonl", _lines(diagnostics.history))
        add("why.txt", "".join(f"{line}\n" for line in story(diagnostics.history, diagnostics.log)))
        for name in ("configuration", "database", "station", "machines"):
            add(f"{name}.json", _pretty(getattr(diagnostics, name)))
        add("versions.json", _pretty(versions()))


def versions() -> dict[str, str]:
    """Of this program and what it stands on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": sys.version.split()[0]}
    for name in ("statecharge", "trio", "trio-websocket", "msgspec", "python-statemachine"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def _flat(logged: Logged) -> dict[str, Any]:
    time = utc_of(logged.time).isoformat(timespec="milliseconds")
    return {"time": time, "event": logged.event, **logged.fields}


def _lines(rows: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in rows)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str, order="sorted"))
