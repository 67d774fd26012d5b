"""A play from the file to the verdict."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from engine import speed
from engine.conformance.script import Header, ScriptError
from engine.conformance.stimuli import Stimulus
from engine.declaration.station import Station
from engine.play import tell
from engine.play.actor import Actor
from engine.play.complaints import Complaint, complaints
from engine.play.draw import Drawn, draw
from engine.play.player import Player, StepFailed
from engine.play.transcript import Entry, Frame, Transcript
from engine.station_file import load
from machines.vocabulary.keys import KeyRefusal, parse_value, with_value

SCRIPTS = Path(__file__).parents[1] / "scripts"
"""Those that are shipped."""


class Verdict(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of a play."""

    script: str
    seed: int
    is_passed: bool
    failures: tuple[str, ...]
    """What the Central System did against the script or against OCPP."""
    remarks: tuple[str, ...]
    """What the station got on with, and others may not."""
    steps: int
    """Played, the one that failed included."""
    calls: int
    """In both directions."""


def shipped() -> Mapping[str, Path]:
    """The scripts that are shipped, by name."""
    return {path.stem: path for path in sorted(SCRIPTS.glob("*.jsonl"))}


def read(path_or_name: str, seed: int) -> Drawn:
    """The script in a file, or a shipped one, with everything drawn from ``seed``.

    Raises:
        ScriptError: There is none, or it is wrong.
    """
    path = Path(path_or_name)
    if not path.exists():
        path = shipped().get(path_or_name, path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        names = ", ".join(shipped())
        raise ScriptError(f"{path_or_name}: neither a file nor a shipped script ({names})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: {error}") from error
    return draw(text, path.name, seed)


def title(path: Path) -> str:
    """What the script in ``path`` is about."""
    return draw(path.read_text(encoding="utf-8"), path.name, 0).header.title


def station_for(header: Header, path_or_name: str | None) -> Station:
    """The station that a script is for, or another one in its place, with what the script declares otherwise.

    Raises:
        StationFileError: There is no such station, or what the script declares does not fit it.
        ScriptError: It has no such key, or does not take the value.
    """
    base = path_or_name or header.station
    if header.declares:
        extended = str(Path(base).resolve()) if Path(base).exists() else base
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / f"{header.script}.toml"
            file.write_text(f"extends = {msgspec.json.encode(extended).decode()}\n{header.declares}\n")
            station = load(file)
    else:
        station = load(base)
    defaults = station.defaults
    for name, text in header.keys.items():
        rule = station.keys.find(name)
        value = None if rule is None else parse_value(rule, text)
        if rule is None or value is None or isinstance(value, KeyRefusal):
            raise ScriptError(f"{header.script}: key {name!r}: {text!r} is nothing that the station takes")
        defaults = with_value(defaults, rule, value)
    return replace(station, defaults=defaults)


class Run(Struct, frozen=True, kw_only=True):
    """How a script is to be played."""

    station: Station
    seed: int
    clock: speed.FastClock | None
    """None is real time."""
    state: Path | None
    """The directory of the database; None is a new one that is thrown away."""
    out: Path | None
    """Where the verdict, the frames and the drawn script go."""


def play(drawn: Drawn, how: Run, text: TextIO) -> int:
    """Play ``drawn``, tell it on ``text``; return the exit code.

    Raises:
        DeviceError, NoSimulationError, StoreError: The station cannot be run; in an exception group.
    """
    return trio.run(_play, drawn, how, text, clock=how.clock)


async def _play(drawn: Drawn, how: Run, text: TextIO) -> int:
    station = how.station
    pace = f", {how.clock.speed:g} times as fast" if how.clock is not None else ""
    print(f"{drawn.header.script}: {drawn.header.title}", file=text)
    print(f"{station.csms.identity} at {station.csms.url}, seed {how.seed}{pace}", file=text)
    transcript = Transcript()
    with tempfile.TemporaryDirectory() as directory:
        actor = Actor(station, how.state or Path(directory), how.seed)
        with transcript.of(station.csms.identity, lambda entry: _tell(entry, text)):
            verdict = await perform(drawn, how.seed, actor, transcript, text)
    _tell_verdict(verdict, text)
    if how.out is not None:
        _write(how.out, drawn, verdict, transcript.entries)
    return 0 if verdict.is_passed else 1


async def perform(drawn: Drawn, seed: int, actor: Actor, transcript: Transcript, text: TextIO) -> Verdict:
    """Let ``actor`` act ``drawn``; judge what came of it.

    Args:
        drawn: The script.
        seed: For the verdict.
        actor: Not running yet.
        transcript: Of its station.
        text: Where stimuli are told.
    """

    def act(stimulus: Stimulus) -> None:
        now = datetime.fromtimestamp(speed.system_utc(), UTC)
        print(f"{now:%H:%M:%S}  {tell.act(stimulus)}", file=text, flush=True)

    player = Player(actor, transcript, act)
    failures: list[str] = []
    steps, owed = 0, None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(actor.run)
        try:
            for steps, played in enumerate(drawn.steps, 1):  # noqa: B007 - counted
                await player.play(played)
        except StepFailed as failed:
            failures.append(str(failed))
        else:
            owed = await player.settle()
        nursery.cancel_scope.cancel()
    found = list(complaints(transcript.entries, player.excused))
    if owed is not None:
        missed = Complaint(owed, f"{owed.action} was not answered", is_failure=True)
        if missed.text not in {complaint.text for complaint in found}:  # It may have been sent anew.
            found.append(missed)
    failures += [_text(complaint) for complaint in found if complaint.is_failure]
    remarks = dict.fromkeys(_text(complaint) for complaint in found if not complaint.is_failure)
    calls = sum(isinstance(entry, Frame) and entry.kind == 2 for entry in transcript.entries)
    return Verdict(
        script=drawn.header.script,
        seed=seed,
        is_passed=not failures,
        failures=tuple(failures),
        remarks=tuple(remarks),
        steps=steps,
        calls=calls,
    )


def _text(complaint: Complaint) -> str:
    return f"{complaint.entry.time:%H:%M:%S} {complaint.text}"


def _tell(entry: Entry, text: TextIO) -> None:
    if line := tell.line(entry):
        print(line, file=text, flush=True)


def _tell_verdict(verdict: Verdict, text: TextIO) -> None:
    print(file=text)
    for remark in verdict.remarks:
        print(f"remark: {remark}", file=text)
    for failure in verdict.failures:
        print(f"FAILED: {failure}", file=text)
    word = "passed" if verdict.is_passed else "failed"
    print(f"{verdict.script} {word}: {verdict.steps} steps, {verdict.calls} CALLs", file=text)


def _write(out: Path, drawn: Drawn, verdict: Verdict, entries: list[Entry]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    stem = drawn.header.script
    (out / f"{stem}.script.jsonl").write_text(drawn.text)
    lines = (msgspec.json.encode(entry).decode() + "\n" for entry in entries)
    (out / f"{stem}.transcript.jsonl").write_text("".join(lines))
    (out / f"{stem}.verdict.json").write_bytes(msgspec.json.format(msgspec.json.encode(verdict)) + b"\n")
