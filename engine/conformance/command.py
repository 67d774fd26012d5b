"""``statecharge conformance``: docs/testing-a-charge-point.md tells how it is used."""

import sys
from pathlib import Path

import click

from engine import options


@click.command()
@click.option(
    "--listen",
    callback=options.host_and_port,
    metavar="[HOST:]PORT",
    help="Where the charge point connects to.  [default: 127.0.0.1:9000]",
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve wss with this certificate (PEM, the chain after it).",
)
@click.option(
    "--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its private key (PEM)."
)
@click.option(
    "--identity", callback=options.identity, help="Of the charge point; default: the first to connect."
)
@click.option("--password", help="For Basic authentication: a text, or the hex digits of AuthorizationKey.")
@click.option(
    "--rig", help="What moves the hardware: bench:URL, command:PROGRAM or prompt.  [default: prompt]"
)
@click.option(
    "--card",
    "cards",
    callback=options.cards,
    multiple=True,
    metavar="NAME=IDTAG",
    help="The idTag of a card at hand, by its name in the cases: CARD, FOREIGN, HOLDER, MEMBER, OTHER, CARD-1, CARD-2 "
    "(one for each connector); GROUP and REMOTE, which nobody shows. Once for each card; --list tells which case "
    "shows which.  [default: the names are the idTags]",
)
@click.option(
    "--select", help="Cases, by id, name, profile or 'tours', with * and ?: 004_1,TC_01*,Reservation."
)
@click.option(
    "--scripts",
    type=click.Path(exists=True, path_type=Path),
    help="Test scripts to play, too: a file, or a directory of *.jsonl.",
)
@click.option(
    "--declares",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the station file says beside what it extends (TOML): scripts for exactly such a station are played.",
)
@click.option(
    "--part",
    callback=options.part,
    metavar="K/N",
    help="Of the selected cases every Nth from the Kth on: N charge points play them side by side.",
)
@click.option("--seed", type=int, help="Play the cases in an order that this number decides.")
@click.option(
    "--socket", "sockets", type=int, multiple=True, help="A connector with a socket outlet and lock."
)
@click.option("--tethered", type=int, multiple=True, help="A connector with a fixed cable.")
@click.option(
    "--files",
    default="",
    metavar="URL",
    help="A folder on a server with firmware.bin, and broken.bin that cannot be installed; takes uploads.",
)
@click.option("--connectors", type=click.IntRange(1, 100), help="How many, if the charge point tells wrong.")
@click.option("--tolerance", type=click.FloatRange(0, 3600), metavar="S", help="How far times may be off.")
@click.option(
    "--speed", type=float, metavar="N", help="The charge point lives N times as fast.  [default: 1]"
)
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=300,
    show_default=True,
    metavar="S",
    help="How long to wait for the charge point to connect.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/conformance"),
    show_default=True,
    help="Where journal and reports go.",
)
@click.option("--resume", is_flag=True, help="Go on where the run in --out was interrupted.")
@click.option("--list", "is_list", is_flag=True, help="Show the selected cases, and play none.")
def conformance(
    listen: tuple[str, int] | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    identity: str | None,
    password: str | None,
    rig: str | None,
    cards: tuple[tuple[str, str], ...],
    select: str | None,
    scripts: Path | None,
    declares: Path | None,
    part: tuple[int, int] | None,
    seed: int | None,
    sockets: tuple[int, ...],
    files: str,
    tethered: tuple[int, ...],
    connectors: int | None,
    tolerance: float | None,
    speed: float | None,
    patience: float,
    out: Path,
    resume: bool,
    is_list: bool,
) -> None:
    """Test an OCPP 1.6 charge point: play its Central System, move its hardware, report what it does.

    The charge point connects to ws://HOST:PORT/IDENTITY (or wss). The rig plugs in cables and shows cards: the bench
    of a simulated charge point, a program for each stimulus, or a person who is told what to do. Ends with 0 if every
    case passed or is not applicable, with 1 if not. Reports: report.html and junit.xml in --out.
    """
    from engine.conformance.plan import MENDABLE, Wishes, prepare
    from engine.conformance.terminal import conduct, show

    wishes = Wishes(
        listen=listen,
        tls=None if tls_cert is None else (tls_cert, tls_key),
        identity=identity,
        password=password,
        rig=rig,
        cards=cards,
        select=select,
        scripts=scripts,
        declares=declares,
        part=part,
        seed=seed,
        sockets=sockets,
        files=files,
        tethered=tethered,
        connectors=connectors,
        tolerance_s=tolerance,
        speed=speed,
        patience_s=patience,
        out=out,
        resume=resume,
    )
    plan = options.in_one_line(lambda: prepare(wishes), MENDABLE)
    if is_list:
        show(plan, sys.stdout)
        sys.exit(0)
    sys.exit(options.in_one_line(lambda: conduct(plan), MENDABLE))
