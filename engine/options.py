"""What the commands of the command line share: options that are checked, and errors in one line."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

STATION_FILE = "station.toml"
SHIPPED = "ac-smart"


def default_station() -> str:
    """station.toml here, or the shipped declaration of the AC SMART."""
    return STATION_FILE if Path(STATION_FILE).exists() else SHIPPED


def declared_station(station: str | None) -> Any:
    """The declaration STATION; every problem in it is told, and ends the command with exit code 2.

    A file that cannot be read now ends it with 1: a supervisor shall try again.
    """
    from engine.station_file import StationFileError, load

    try:
        return load(station or default_station())
    except StationFileError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"statecharge: {error.filename or station}: {error.strerror}", err=True)
        sys.exit(1)


def host_and_port(_context: object, _parameter: object, value: str | None) -> tuple[str, int] | None:
    """Check an option that is ``HOST:PORT`` or ``PORT``."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter(f"{value!r}; allowed: HOST:PORT or PORT, with a port of 0 to 65535.")
    return host.strip("[]") or "127.0.0.1", int(port)


def part(_context: object, _parameter: object, value: str | None) -> tuple[int, int] | None:
    """Check an option that is ``K/N``, the Kth of N parts."""
    if value is None:
        return None
    number, _, count = value.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise click.BadParameter(f"{value!r}; allowed: K/N with 1 <= K <= N, such as 2/6.")
    return int(number), int(count)


def cards(_context: object, _parameter: object, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Check an option that is ``NAME=IDTAG``, each time that it is given."""
    from engine.declaration.schema import PRINTABLE
    from engine.id_tags import ID_TAG_SIZE_MAX

    pairs = []
    for value in values:
        name, equals, id_tag = value.partition("=")
        if not (name and equals and id_tag):
            raise click.BadParameter(f"{value!r}; allowed: NAME=IDTAG, such as CARD=04A1B2C3D4.")
        if len(id_tag) > ID_TAG_SIZE_MAX or not re.fullmatch(PRINTABLE, id_tag) or id_tag != id_tag.strip():
            allowed = (
                f"an idTag of 1..{ID_TAG_SIZE_MAX} characters, printable ASCII, without a space at either end"
            )
            raise click.BadParameter(f"{value!r}; allowed: {allowed}.")
        pairs.append((name, id_tag))
    return tuple(pairs)


def url(_context: object, _parameter: object, value: str | None) -> str | None:
    """Check an option that is the URL of a Central System."""
    from engine.declaration.checks import complain_url

    if value is not None and (complaint := complain_url(value)):
        raise click.BadParameter(f"{value!r}; allowed: {complaint}.")
    return value


def identity(_context: object, _parameter: object, value: str | None) -> str | None:
    """Check an option that is the identity of a charge point."""
    from engine.declaration.schema import ENTRIES

    (entry,) = (entry for entry in ENTRIES if entry.path == "csms.identity")
    assert entry.max is not None
    if value is not None and (not re.fullmatch(entry.pattern, value) or len(value) > entry.max):
        raise click.BadParameter(f"{value!r}; allowed: 1..{entry.max:g} characters, {entry.words}.")
    return value


UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def since(_context: object, _parameter: object, value: str | None) -> float | None:
    """Read an option that is a point in the past, as POSIX seconds; a time without a zone is UTC."""
    from datetime import UTC, datetime

    if value is None:
        return None
    now = datetime.now(UTC)
    ago = re.fullmatch(r"([0-9]{1,9})([smhd])", value)
    if ago is not None:
        return now.timestamp() - int(ago[1]) * UNITS_S[ago[2]]
    text = f"{now:%Y-%m-%d}T{value}" if re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?", value) else value
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        complaint = f"{value!r}; allowed: such as 2026-11-22T14:00, 14:00 (UTC), 90s, 15m, 2h or 3d."
        raise click.BadParameter(complaint) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def in_one_line(
    action: Callable[[], Any],
    mendable: tuple[type[Exception], ...],
    passing: tuple[type[Exception], ...] = (),
) -> Any:
    """Do ``action``; a defect stays what it is.

    Args:
        action: What is done.
        mendable: What the user can mend becomes one line and exit code 2.
        passing: What may be over when it is tried again becomes one line and exit code 1.
    """
    try:
        return action()
    except BrokenPipeError:
        raise  # whoever reads the output has enough of it; an OSError all the same
    except (*mendable, *passing) as error:
        found: BaseException = error
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is None:
            raise click.Abort from group
        if group.split(BrokenPipeError)[1] is None:  # as above
            raise
        mended, rest = group.split((*mendable, *passing))
        if mended is None or rest is not None:
            raise
        found = next(_leaves(mended))
    click.echo(f"statecharge: {found}", err=True)
    sys.exit(1 if isinstance(found, passing) else 2)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
