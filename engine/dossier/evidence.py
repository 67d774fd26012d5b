"""The evidence: every case of the certification programme, played on the declared station in virtual time and recorded.

Each case has a station of its own, fresh from its first boot, declared as STATION says and, where the case cannot be
had otherwise, with what the case declares beside it. The hardware is simulated, whatever drives the real one; engine,
machines and WebSocket code are those that run. The same code and declaration give the same record.
"""

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import trio
from msgspec import Struct
from msgspec.structs import replace
from trio.testing import MockClock, wait_all_tasks_blocked

from engine.conformance.case import Case
from engine.conformance.cases import CASES
from engine.conformance.declared import Declared, Key
from engine.conformance.in_memory import UnsyncedStore
from engine.conformance.laboratory import TOLERANCE_S, laboratory
from engine.conformance.results import Result, Verdict
from engine.conformance.stimuli import Stimulus
from engine.conformance.trace import Kind, Note, NotedRig, Notes
from engine.conformance.transitions import kind_of
from engine.conformance.verdict import Stage, judge, unplayed
from engine.conformance.world import EPOCH
from engine.csms_book import Entry
from engine.declaration.station import Device, Station
from engine.dossier.transitions import id_of
from engine.station_file import StationFileError, load
from machines.charge_point import Step
from machines.machine import Row
from machines.vocabulary.ocpp import ACTIONS

PROFILES = "SupportedFeatureProfiles"
SIMULATED = "simulated"
SEED = 0
PASSWORD = "0123456789ABCDEF" * 2
"""Of the cases about Basic authentication, in a file of this name."""


class Noted(Struct, frozen=True):
    """A transition that a station took."""

    place: int
    """Before which line of the trace of the case."""
    time: datetime
    address: str
    """Of the machine, such as ``connector/1``."""
    id: str
    """Of the transition, such as ``connector-12``."""
    source: str
    target: str
    does_something: bool
    """It leads to another state, or has an action."""


class Run(Struct, frozen=True):
    """What came of one case, and all that the machines did meanwhile."""

    result: Result
    declares: str
    """What the station of the case declares beside STATION, as TOML."""
    taken: tuple[Noted, ...]

    @property
    def transitions(self) -> frozenset[str]:
        """The ids of what was taken."""
        return frozenset(each.id for each in self.taken)


def play_all(station: str, cases: Sequence[Case], jobs: int) -> list[Run]:
    """Play ``cases`` on the station ``station``, a path or a shipped name, in ``jobs`` processes; in their order."""
    play = partial(_play_named, station)
    names = [case.name for case in cases]
    if jobs == 1:
        return [play(name) for name in names]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return pool.map(play, names, chunksize=4)


def _play_named(station: str, name: str) -> Run:
    (case,) = (case for case in CASES if case.name == name)
    return play_one(station, case)


def play_one(station: str, case: Case) -> Run:
    """Play ``case`` on ``station``."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        try:
            declared = _declared(station, case.declares, folder)
        except StationFileError as error:
            why = f"the station cannot be declared as the case needs it: {error.problems[0].path}"
            return Run(unplayed(case, Verdict.NOT_APPLICABLE, why, EPOCH), case.declares, ())
        with _same_order():
            return trio.run(_play, declared, case, folder, clock=MockClock(autojump_threshold=0))


@contextmanager
def _same_order() -> Iterator[None]:
    """Have Trio draw lots in the same way each time, for what may happen in either order.

    It has no public way. This is what its own plugin for Hypothesis does.
    """
    scheduler: Any = trio._core._run  # noqa: SLF001 - as above
    before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING  # noqa: SLF001
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True  # noqa: SLF001
    scheduler._r.seed(SEED)  # noqa: SLF001
    try:
        yield
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = before  # noqa: SLF001
        scheduler._r.seed()  # noqa: SLF001


def _declared(station: str, declares: str, folder: Path) -> Station:
    """The station of a case."""
    if not declares:
        return simulated(_loaded(station))
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    file = folder / "station.toml"
    base = station if not Path(station).exists() else str(Path(station).resolve())
    file.write_text(f'extends = "{base}"\n{declares}', encoding="utf-8")
    return simulated(load(file))


@cache
def _loaded(station: str) -> Station:
    return load(station)


def simulated(station: Station) -> Station:
    """``station`` with simulated hardware where it declares real one."""
    plain = Device(driver=SIMULATED, parameters={})

    def device(declared: Device) -> Device:
        return declared if declared.driver == SIMULATED else plain

    readers = tuple(replace(reader, device=device(reader.device)) for reader in station.readers)
    return replace(station, drivers=tuple(map(device, station.drivers)), readers=readers)


async def _play(station: Station, case: Case, folder: Path) -> Run:
    steps: list[tuple[datetime, int, int, Step]] = []
    stage: Stage | None = None

    def watch(time: datetime, step: Step) -> None:
        if stage is not None:
            steps.append((time, len(stage.csms.transcript), len(stage.notes.all), step))

    async with laboratory(station, folder, store_type=UnsyncedStore, watch=watch) as lab:
        notes = Notes(lab.now, lambda: len(lab.csms.transcript))
        declared = announced(station, lab.declared)
        stage = Stage(
            lab.csms, _PatientRig(lab.rig, notes), notes, declared, declared.connectors, TOLERANCE_S
        )
        bed = stage.bed()
        result = for_what_is_offered(station, await judge(stage, case, bed))
        order = _order(lab.csms.transcript, bed.start, notes.all)
        taken = tuple(
            _noted(_place(order, frames - bed.start, noted), time, address, row)
            for time, frames, noted, step in steps
            for address, row, _ in step.taken
        )
    return Run(result, case.declares, taken)


class _PatientRig(NotedRig):
    """A rig that lets everybody come to rest before it does anything, as a person would.

    Else chance decides which of two comes first: what it does, or what follows from the message that it waited for.
    """

    async def do(self, stimulus: Stimulus) -> None:
        """As :class:`NotedRig`."""
        await wait_all_tasks_blocked()
        await super().do(stimulus)

    async def is_locked(self, connector: int) -> bool | None:
        """As :class:`NotedRig`."""
        await wait_all_tasks_blocked()
        return await super().is_locked(connector)

    async def has_energy(self, connector: int) -> bool | None:
        """As :class:`NotedRig`."""
        await wait_all_tasks_blocked()
        return await super().has_energy(connector)

    async def register_wh(self, connector: int) -> float | None:
        """As :class:`NotedRig`."""
        await wait_all_tasks_blocked()
        return await super().register_wh(connector)


def profiles_of(station: Station) -> tuple[str, ...]:
    """The feature profiles of which ``station`` takes a request, or makes a report; Core is always one."""
    offered = station.settings.sends | station.settings.receives
    found = dict.fromkeys(action.profile for action in ACTIONS.values() if action.name in offered)
    return tuple(dict.fromkeys(["Core", *found]))


def announced(station: Station, declared: Declared) -> Declared:
    """``declared``; the profiles of a station that does not tell them are those that it has messages of."""
    if declared.profiles:
        return declared
    return replace(declared, keys={**declared.keys, PROFILES: Key(",".join(profiles_of(station)), True)})


def for_what_is_offered(station: Station, result: Result) -> Result:
    """``result``; a case that failed for a message that is not declared does not apply."""
    if result.verdict is not Verdict.FAILED:
        return result
    sends, receives = station.settings.sends, station.settings.receives
    refused = [line.name for line in result.trace if line.kind is Kind.ERROR and not line.from_csms]
    missing = [f"takes no {name}" for name in refused if name not in receives]
    first = result.reason.partition("\n")[0]
    if "ChangeConfiguration is NotSupported" in first:
        asked = [str(line.detail.get("key")) for line in result.trace if line.name == "ChangeConfiguration"]
        missing += [f"has no key {key}" for key in asked if key != "None" and station.keys.find(key) is None]
    expected = first.rpartition("expected is ")[2].split()[:1]
    missing += [f"sends no {name}" for name in expected if name in ACTIONS and name not in sends]
    if not missing:
        return result
    return replace(
        result, verdict=Verdict.NOT_APPLICABLE, reason=f"the station {missing[0]} ({first})", deviates_at=None
    )


def _noted(place: int, time: datetime, address: str, row: Row) -> Noted:
    transition = id_of(kind_of(address), row)
    does_something = row.source != row.target or bool(row.action)
    return Noted(place, time, address, transition, row.source, row.target, does_something)


def _order(frames: Sequence[Entry], start: int, notes: Sequence[Note]) -> tuple[list[int], list[int]]:
    """The places in the trace (``conformance.trace.merged``) of the frames from ``start`` on, and of the notes."""
    came = [*((note.frames, 0, number) for number, note in enumerate(notes))]
    came += [(number, 1, number - start) for number in range(start, len(frames))]
    places: tuple[list[int], list[int]] = ([0] * (len(frames) - start), [0] * len(notes))
    for place, (_, is_frame, number) in enumerate(sorted(came)):
        places[0 if is_frame else 1][number] = place
    return places


def _place(order: tuple[list[int], list[int]], frames: int, notes: int) -> int:
    """Before which line of the trace a step comes that was taken after so many frames and notes."""
    return max([-1, *order[0][:frames], *order[1][:notes]]) + 1
