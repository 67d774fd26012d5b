"""``statecharge dossier``: the papers of a station, and whether they belong to a firmware."""

import os
import sys
from pathlib import Path

import click

from engine import options
from engine.dossier.words import LANGUAGES


@click.command()
@click.argument("station", required=False)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/dossier"),
    show_default=True,
    help="Where the dossier goes. An earlier one there is replaced.",
)
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of headings and labels."
)
@click.option(
    "--tests",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A record of the tests, as `make test` writes it: what the traceability tells beside the cases.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Of a station, running or not: the states that it is in are marked in the pictures.",
)
@click.option(
    "--select", default="", metavar="CASES", help="Only these cases, as of `statecharge conformance`."
)
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes that play cases."
)
@click.option("--no-pdf", is_flag=True, help="The site alone.")
@click.option(
    "--verify",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write nothing: tell whether the dossier in DIR is whole, and of this code and of STATION.",
)
def dossier(
    station: str | None,
    out: Path,
    lang: str,
    tests: Path | None,
    state_dir: Path | None,
    select: str,
    jobs: int,
    no_pdf: bool,
    verify: Path | None,
) -> None:
    """Write the certification dossier of STATION: a site, and a PDF.

    Every test case of the programme is played on the declared station in virtual time and recorded; pictures, tables
    and traceability are made from the machines that run. The exit code is 0, whatever came of the cases; with --verify
    it is 1 if something does not match.
    """
    from engine.dossier.errors import DossierError

    if verify is not None:
        options.in_one_line(lambda: _verify(verify, station), (DossierError,))
        return
    from engine.conformance.cases import CASES
    from engine.conformance.results import Verdict
    from engine.conformance.selection import SelectionError
    from engine.conformance.selection import select as selected
    from engine.diagrams import DiagramError
    from engine.dossier.build import build, check_out, write
    from engine.dossier.record import read_record
    from engine.dossier.standing import Standing, read_standing
    from engine.options import declared_station, default_station

    name = station or default_station()

    def make() -> None:
        check_out(out)
        files, runs = build(
            declared_station(name),
            name,
            selected(CASES, select),
            record=read_record(tests) if tests else None,
            where=read_standing(state_dir) if state_dir else Standing(),
            language=lang,
            with_pdf=not no_pdf,
            jobs=jobs,
            tell=click.echo,
        )
        write(files, out)
        sums = {verdict: sum(run.result.verdict is verdict for run in runs) for verdict in Verdict}
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in sums.items() if count))
        click.echo(out / "index.html")

    options.in_one_line(make, (DossierError, DiagramError, SelectionError))


def _verify(directory: Path, station: str | None) -> None:
    from engine.dossier.manifest import read_manifest
    from engine.dossier.verify import differences
    from engine.options import declared_station

    manifest = read_manifest(directory)
    found = differences(directory, manifest, declared_station(station or manifest.station))
    for line in found:
        click.echo(line)
    if found:
        sys.exit(1)
    digests = manifest.digests
    click.echo(f"{directory}: whole, {len(manifest.files)} files; of this code and this declaration")
    click.echo(f"code {digests.code}\ndeclaration {digests.declaration}\nresults {digests.results}")
