"""The command line: ``statecharge run | check | demo | diagram``."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import click

STATION_FILE = "station.toml"
SHIPPED = "ac-smart"


def main() -> NoReturn:
    """Run the command line; what a user did wrong is one line and exit code 2."""
    try:
        sys.exit(command.main(standalone_mode=False))
    except click.ClickException as error:
        if sys.argv[1:]:
            message = " ".join(error.format_message().split())
            click.echo(f"statecharge: {message} Try --help.", err=True)
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)  # as a shell says of a program that was interrupted


@click.group(name="statecharge")
@click.version_option(package_name="statecharge")
def command() -> None:
    """OCPP 1.6J charge point whose every behaviour is a state machine."""


def default_station() -> str:
    """station.toml here, or the shipped declaration of the AC SMART."""
    return STATION_FILE if Path(STATION_FILE).exists() else SHIPPED


@command.command()
@click.argument("station", required=False)
def check(station: str | None) -> None:
    """Check the declaration STATION: a file, or the name of a shipped one (ac-smart, full)."""
    from engine.station_file import check as check_file

    sys.exit(check_file(station or default_station(), sys.stdout, sys.stderr))


def _host_and_port(_context: object, _parameter: object, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter(f"{value!r}; allowed: HOST:PORT or PORT, with a port of 0 to 65535.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _url(_context: object, _parameter: object, value: str | None) -> str | None:
    from engine.declaration.checks import complain_url

    if value is not None and (complaint := complain_url(value)):
        raise click.BadParameter(f"{value!r}; allowed: {complaint}.")
    return value


def _identity(_context: object, _parameter: object, value: str | None) -> str | None:
    from engine.declaration.schema import ENTRIES

    (entry,) = (entry for entry in ENTRIES if entry.path == "csms.identity")
    assert entry.max is not None
    if value is not None and (not re.fullmatch(entry.pattern, value) or len(value) > entry.max):
        raise click.BadParameter(f"{value!r}; allowed: 1..{entry.max:g} characters, {entry.words}.")
    return value


@command.command()
@click.argument("station", required=False)
@click.option("--csms", callback=_url, help="URL of the Central System, without the identity.")
@click.option("--identity", callback=_identity, help="Identity of the charge point.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database lies. Default: state/IDENTITY.",
)
@click.option(
    "--bench",
    callback=_host_and_port,
    metavar="[HOST:]PORT",
    help="Offer the simulated hardware as an HTTP API.",
)
@click.option("--log", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--log-level", type=click.Choice(["error", "warning", "info", "debug"]))
def run(
    station: str | None,
    csms: str | None,
    identity: str | None,
    state_dir: Path | None,
    bench: tuple[str, int] | None,
    form: str,
    log_level: str | None,
) -> None:
    """Run the station that STATION declares, until SIGTERM."""
    import trio

    from engine import log
    from engine.bench import BenchError
    from engine.devices import DeviceError
    from engine.process import NoSimulationError, at, run_until_told
    from engine.store import StoreError

    declared = at(_load(station), csms, identity)
    log.configure(sys.stderr, level=log_level or declared.log.level, form=form)
    if bench is None and declared.bench.enabled:
        bench = (declared.bench.host, declared.bench.port)
    state = state_dir or Path("state") / quote(declared.csms.identity, safe=" ")
    mendable = (BenchError, DeviceError, NoSimulationError, StoreError)
    _in_one_line(lambda: trio.run(run_until_told, declared, state, bench), mendable)


@command.command()
@click.argument("station", required=False)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Where the diagrams go.",
)
def demo(station: str | None, out: Path) -> None:
    """Play three charging sessions with an embedded Central System, hours in seconds."""
    from engine.demo import play
    from engine.devices import DeviceError
    from engine.diagrams import DiagramError
    from engine.process import NoSimulationError

    declared = _load(station)
    mendable = (DeviceError, DiagramError, NoSimulationError)
    sys.exit(_in_one_line(lambda: play(declared, out, sys.stdout), mendable))


@command.command()
@click.argument("machines", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg", "png", "md"]),
    default="mermaid",
    show_default=True,
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out"), show_default=True
)
def diagram(machines: tuple[str, ...], form: str, out: Path) -> None:
    """Draw MACHINES (default: all of them, and the overview) from the classes that run."""
    from engine.diagrams import DiagramError, export

    for path in _in_one_line(lambda: export(machines, form, out), (DiagramError,)):
        click.echo(path)


def _load(station: str | None) -> Any:
    from engine.station_file import StationFileError, load

    try:
        return load(station or default_station())
    except StationFileError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)


def _in_one_line(action: Callable[[], Any], mendable: tuple[type[Exception], ...]) -> Any:
    """Do ``action``; what the user can mend becomes one line and exit code 2, a defect stays what it is."""
    try:
        return action()
    except mendable as error:
        found: BaseException = error
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is None:
            raise click.Abort from group
        mended, rest = group.split(mendable)
        if mended is None or rest is not None:
            raise
        found = next(_leaves(mended))
    click.echo(f"statecharge: {found}", err=True)
    sys.exit(2)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
