"""``statecharge play``."""

import sys
from pathlib import Path

import click

from engine import options


@click.command()
@click.argument("script", required=False)
@click.option("--csms", callback=options.url, help="URL of the Central System, without the identity.")
@click.option("--identity", callback=options.identity, help="Identity of the charge point.")
@click.option("--station", help="A station file or the name of a shipped one.  [default: as the script says]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what the script leaves to chance.")
@click.option("--speed", type=float, default=1, metavar="N", help="Let the station live N times as fast.")
@click.option(
    "--csms-speed",
    type=float,
    default=1,
    metavar="N",
    help="How many times as fast the Central System lives.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database lies.  [default: a new one, thrown away]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the verdict, the transcript and the script with everything drawn to this directory.",
)
@click.option("--list", "is_list", is_flag=True, help="Show the shipped scripts, and play none.")
def play(
    script: str | None,
    csms: str | None,
    identity: str | None,
    station: str | None,
    seed: int,
    speed: float,
    csms_speed: float,
    state_dir: Path | None,
    out: Path | None,
    is_list: bool,
) -> None:
    """Act SCRIPT, a file or the name of a shipped one, as a simulated station of a Central System under test.

    Ends with 0 if the Central System did all that the script expects and nothing against OCPP, with 1 if not.
    """
    from engine.conformance.script import ScriptError
    from engine.devices import DeviceError
    from engine.play import stage
    from engine.play.draw import Drawn
    from engine.process import NoSimulationError, at
    from engine.speed import SpeedError, clock_of
    from engine.station_file import StationFileError
    from engine.store import StoreError

    if is_list:
        for name, path in stage.shipped().items():
            click.echo(f"{name:20} {stage.title(path)}")
        return
    if script is None:
        raise click.UsageError("Name a SCRIPT; --list shows the shipped ones.")

    def prepare() -> tuple[Drawn, stage.Run]:
        drawn = stage.read(script, seed)
        declared = at(stage.station_for(drawn.header, station), csms, identity)
        clock = clock_of(declared, speed, csms_speed)
        return drawn, stage.Run(station=declared, seed=seed, clock=clock, state=state_dir, out=out)

    try:
        drawn, how = options.in_one_line(prepare, (ScriptError, SpeedError))
    except StationFileError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    mendable = (DeviceError, NoSimulationError, StoreError, OSError)
    sys.exit(options.in_one_line(lambda: stage.play(drawn, how, sys.stdout), mendable))
