"""``statecharge schedule``."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from engine import options

DURATION_MAX_S = 31 * 86_400


def _moment(_context: object, _parameter: object, value: str | None) -> datetime | None:
    """Check an option that is a time as ISO 8601 writes it; without a zone it is UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (OverflowError, ValueError) as error:
        raise click.BadParameter(f"{value!r}; allowed: a time such as 2026-01-31T12:00:00Z.") from error


@click.command()
@click.argument("station", required=False)
@click.option(
    "--profiles",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON: SetChargingProfile requests, CALLs with them, or charging profiles; one or a list.",
)
@click.option(
    "--at",
    callback=_moment,
    metavar="TIME",
    help="When the schedule begins, and the profiles arrive.  [default: now]",
)
@click.option(
    "--duration", type=click.IntRange(1, DURATION_MAX_S), default=86_400, show_default=True, metavar="SECONDS"
)
@click.option(
    "--connector", type=click.IntRange(0), default=1, show_default=True, help="0 is all of them together."
)
@click.option("--unit", type=click.Choice(["A", "W"]), default="A", show_default=True)
@click.option(
    "--started",
    callback=_moment,
    metavar="TIME",
    help="When the transaction began.  [default: at --at if there is a TxProfile, else there is none]",
)
@click.option(
    "--charging",
    multiple=True,
    type=click.IntRange(1),
    metavar="CONNECTOR",
    help="A transaction runs there too, and shares the limit of the station. May be repeated.",
)
@click.option("--cable", type=click.Choice(["13", "20", "32", "63"]), help="What the cable carries, in A.")
@click.option(
    "--plot",
    metavar="FILE.svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the schedule too.",
)
def schedule(
    station: str | None,
    profiles: Path,
    at: datetime | None,
    duration: int,
    connector: int,
    unit: str,
    started: datetime | None,
    charging: tuple[int, ...],
    cable: str | None,
    plot: Path | None,
) -> None:
    """Show what charging profiles mean on the declaration STATION, without a station running.

    Ends with 1 if a profile is refused; the others count.
    """
    from engine.schedule.chart import chart
    from engine.schedule.errors import ScheduleError
    from engine.schedule.meaning import Meaning, Question, meaning_of
    from engine.schedule.profiles_file import read_profiles
    from engine.schedule.table import table
    from engine.station_file import StationFileError, load
    from machines.smart_charging.profiles import seconds_of
    from machines.vocabulary.ocpp import ChargingRateUnitType

    try:
        declared = load(station or options.default_station())
    except StationFileError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    question = Question(
        at_s=seconds_of(at or datetime.now(UTC)),
        duration_s=duration,
        connector=connector,
        unit=ChargingRateUnitType(unit),
        started_s=seconds_of(started) if started is not None else None,
        cable_a=float(cable) if cable is not None else None,
        charging=frozenset(charging),
    )

    def found() -> Meaning:
        return meaning_of(declared, read_profiles(profiles, connector or 1), question)

    meaning: Meaning = options.in_one_line(found, (ScheduleError,))
    for refused in meaning.refused:
        click.echo(f"statecharge: {profiles}: {refused}", err=True)
    click.echo(table(meaning))
    if plot is not None:
        options.in_one_line(lambda: plot.write_text(chart(meaning)), (OSError,))
        click.echo(f"\n{plot}")
    sys.exit(1 if meaning.refused else 0)
