"""The command line: ``statecharge run | check | why | demo | diagram``."""

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import click

from engine import options
from engine.lazy_commands import LazyGroup


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
    except (BrokenPipeError, BaseExceptionGroup) as error:
        if isinstance(error, BaseExceptionGroup) and error.split(BrokenPipeError)[1] is not None:
            raise
        # Whoever reads the output has enough of it (``| head``). Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@click.group(name="statecharge", cls=LazyGroup)
@click.version_option(package_name="statecharge")
def command() -> None:
    """OCPP 1.6J charge point whose every behaviour is a state machine."""


@command.command()
@click.argument("station", required=False)
def check(station: str | None) -> None:
    """Check the declaration STATION: a file, or the name of a shipped one (ac-smart, full)."""
    from engine.station_file import check as check_file

    sys.exit(check_file(station or options.default_station(), sys.stdout, sys.stderr))


@command.command()
@click.argument("station", required=False)
@click.option("--csms", callback=options.url, help="URL of the Central System, without the identity.")
@click.option("--identity", callback=options.identity, help="Identity of the charge point.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database lies. Default: state/IDENTITY.",
)
@click.option(
    "--bench",
    callback=options.host_and_port,
    metavar="[HOST:]PORT",
    help="Offer the simulated hardware as an HTTP API.",
)
@click.option(
    "--stations",
    "count",
    type=int,
    metavar="N",
    help="Run N simulated stations: IDENTITY-1 and so on, their databases in directories of --state-dir so named, "
    "their benches at PORT and after it.",
)
@click.option(
    "--speed", type=float, default=1, metavar="N", help="Let the simulated station live N times as fast."
)
@click.option(
    "--csms-speed",
    type=float,
    default=1,
    metavar="N",
    help="How many times as fast the Central System lives.",
)
@click.option("--until-eof", is_flag=True, help="End when standard input ends, too.")
@click.option("--log", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--log-level", type=click.Choice(["error", "warning", "info", "debug"]))
def run(
    station: str | None,
    csms: str | None,
    identity: str | None,
    state_dir: Path | None,
    bench: tuple[str, int] | None,
    count: int | None,
    speed: float,
    csms_speed: float,
    until_eof: bool,
    form: str,
    log_level: str | None,
) -> None:
    """Run the station that STATION declares, until SIGTERM.

    The exit code is 1 if its state directory cannot be used, or its declaration not be read, which may pass.
    """
    # Nothing of what is loaded now will ever be garbage: looking for some would only make the start later.
    gc.disable()
    import trio

    from engine import log
    from engine.devices import DeviceError
    from engine.process import NoSimulationError, Placed, at, run_until_told
    from engine.progress import Works
    from engine.speed import SpeedError, clock_of
    from engine.store import StoreError

    declared = at(options.declared_station(station), csms, identity)
    clock = options.in_one_line(lambda: clock_of(declared, speed, csms_speed), (SpeedError,))
    if bench is None and declared.bench.enabled:
        bench = (declared.bench.host, declared.bench.port)
    stations: Sequence[Placed]
    if count is None:
        state = state_dir or Path("state") / quote(declared.csms.identity, safe=" ")
        stations = (Placed(declared, state, bench),)
    else:
        stations = _fleet(declared, count, state_dir, bench)
    gc.freeze()
    gc.enable()
    mendable: tuple[type[Exception], ...] = (DeviceError, NoSimulationError)
    if bench is not None:
        from engine.bench import BenchError

        mendable = (BenchError, *mendable)
    level, several = log_level or declared.log.level, count is not None
    with Works() as works:
        log.configure(works.log, level=level, form=form, several=several)
        watch = () if several else (works.watch,)  # a bar for each of many stations shows nothing
        code = options.in_one_line(
            lambda: trio.run(run_until_told, stations, until_eof, *watch, clock=clock),
            mendable,
            # A supervisor shall try again, which it does not after 2: a disk may come back.
            passing=(StoreError,),
        )
    sys.exit(code)


@command.command()
@click.argument("station", required=False)
@click.option("--identity", callback=options.identity, help="Identity of the charge point.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its database lies. Default: state/IDENTITY.",
)
@click.option(
    "--connector",
    type=click.IntRange(0),
    metavar="N",
    help="Only connector N and the station (0: the station).",
)
@click.option(
    "--since",
    callback=options.since,
    metavar="TIME",
    help="Only from then on: 2026-11-22T14:00, 14:00 (UTC), or 90s, 15m, 2h, 3d ago.",
)
def why(
    station: str | None,
    identity: str | None,
    state_dir: Path | None,
    connector: int | None,
    since: float | None,
) -> None:
    """Tell what led to the present state of a station, in plain language. It may be running."""
    from engine import past
    from engine.why import story

    if state_dir is None:
        state_dir = Path("state") / quote(
            identity or options.declared_station(station).csms.identity, safe=" "
        )
    file = state_dir / past.FILE

    def lines() -> list[str]:
        happened = past.read(file, connector=connector, start=since)
        return story(happened, past.read_log(file, start=since))

    for line in options.in_one_line(lines, (past.HistoryError,)):
        click.echo(line)


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
    """Play three charging sessions with an embedded Central System, hours in seconds.

    The exit code is 1 if its books do not agree.
    """
    from engine.demo import play
    from engine.devices import DeviceError
    from engine.diagrams import DiagramError
    from engine.process import NoSimulationError

    declared = options.declared_station(station)
    mendable = (DeviceError, DiagramError, NoSimulationError)
    sys.exit(options.in_one_line(lambda: play(declared, out, sys.stdout), mendable))


@command.command()
@click.argument("station", required=False)
@click.option("--watch", is_flag=True, help="Read again and again, until interrupted.")
def devices(station: str | None, watch: bool) -> None:
    """Read the declared hardware of STATION once and print what it says; nothing is written to it.

    The exit code is 1 if something does not answer, or says what cannot be.
    """
    from engine.device_table import show
    from engine.devices import DeviceError

    declared = options.declared_station(station)
    sys.exit(options.in_one_line(lambda: show(declared, sys.stdout, watch=watch), (DeviceError,)))


@command.command()
@click.argument("machines", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg", "png", "plantuml", "scxml", "md"]),
    default="mermaid",
    show_default=True,
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out"), show_default=True
)
def diagram(machines: tuple[str, ...], form: str, out: Path) -> None:
    """Draw MACHINES (default: all of them, and the overview) from the classes that run."""
    from engine.diagrams import DiagramError, export

    for path in options.in_one_line(lambda: export(machines, form, out), (DiagramError,)):
        click.echo(path)


def _fleet(declared: Any, count: int, state: Path | None, bench: tuple[str, int] | None) -> Any:
    from engine.fleet import FleetError, fleet

    return options.in_one_line(lambda: fleet(declared, count, state, bench), (FleetError,))


if __name__ == "__main__":
    main()
