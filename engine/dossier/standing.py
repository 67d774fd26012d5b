"""Where the machines of a station stand, read from its state directory while it runs or afterwards.

The database tells it of every machine that remembers over a restart. A station that runs has it locked; then, and
of the machines that remember nothing, the history tells what they did last.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from engine import past, store
from engine.conformance.transitions import kind_of
from engine.dossier.errors import DossierError
from machines.charge_point import PoweredUp
from machines.routes import KINDS


class Standing(Struct, frozen=True):
    """Where machines stand, as far as is known."""

    states: Mapping[str, str] = {}
    """By address, such as ``connector/1``."""

    def of(self, kind: str) -> dict[str, list[str]]:
        """Of the machines of ``kind``: by state, the names of those that are in it."""
        found: dict[str, list[str]] = {}
        for address, state in sorted(self.states.items()):
            if kind_of(address) == kind:
                number = address.partition("/")[2]
                name = f"connector {number}" if number not in ("", "0") else "station"
                found.setdefault(state, []).append(name)
        return found


def read_standing(directory: Path) -> Standing:
    """Where the machines of the station in ``directory`` stand.

    Raises:
        DossierError: There is no station.
    """
    if not (directory / store.FILE).is_file():
        raise DossierError(f"{directory}: found no {store.FILE}; allowed is the state directory of a station")
    states = dict(_latest(directory))
    states.update(_stored(directory))
    known = {kind: {state.value for state in machine.states} for kind, machine in KINDS.items()}
    return Standing({a: s for a, s in states.items() if s in known.get(kind_of(a), ())})


def _latest(directory: Path) -> Iterator[tuple[str, str]]:
    """The states that the latest transitions on record led to."""
    try:
        happened = past.read(directory / past.FILE)
    except past.HistoryError:
        return
    states: dict[str, str] = {}
    was_booting = False
    for each in happened:
        is_booting = each.cause == PoweredUp.__name__
        if is_booting and not was_booting:  # what remembers nothing began anew
            states = {a: state for a, state in states.items() if KINDS[kind_of(a)].memory is not None}
        was_booting = is_booting
        if kind_of(each.machine) in KINDS:
            states[each.machine] = each.target
    yield from states.items()


def _stored(directory: Path) -> list[tuple[str, str]]:
    """The states in the database; none while the station runs. It is read in a copy, so that nothing is changed."""
    if _is_in_use(directory / store.FILE):
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name in (store.FILE, f"{store.FILE}-wal"):
            if (directory / name).exists():
                shutil.copy(directory / name, folder)
        database = sqlite3.connect(Path(folder) / store.FILE)
        try:
            return list(database.execute("SELECT address, state FROM machine"))
        except sqlite3.Error as error:
            raise DossierError(f"{directory / store.FILE}: cannot be read: {error}") from error
        finally:
            database.close()


def _is_in_use(file: Path) -> bool:
    """Whether a station has the database locked."""
    beside = [file.with_name(f"{file.name}-{suffix}") for suffix in ("shm", "wal")]
    absent = [each for each in beside if not each.exists()]
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
    try:
        database.execute("SELECT count(*) FROM machine")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    finally:
        database.close()
        for each in absent:
            each.unlink(missing_ok=True)  # what reading leaves behind
    return False
