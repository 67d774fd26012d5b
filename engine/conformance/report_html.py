"""The report for people: one HTML page that needs nothing else, with the trace of each case as a sequence."""

from collections.abc import Iterable
from pathlib import Path

from engine.conformance.cards import told
from engine.conformance.coverage import ALLOWED, CAME, STATUSES, WENT, coverage_of
from engine.conformance.results import Header, Result, Verdict
from engine.conformance.trace import brief

NAME = "report.html"
TEMPLATE = Path(__file__).with_name("report.html")


def page(header: Header, results: Iterable[Result]) -> str:
    """The page of a run, whether it is finished or not."""
    from jinja2 import Environment, StrictUndefined

    results = list(results)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(brief=brief, slug=lambda verdict: str(verdict).replace(" ", "-"))
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        header=header,
        results=results,
        is_complete=len(results) == len(header.cases),
        sums={verdict: sum(each.verdict is verdict for each in results) for verdict in Verdict},
        coverage=coverage_of(header.declared, results),
        allowed=ALLOWED,
        statuses=[status.value for status in STATUSES],
        directions=(CAME, WENT),
        facts=_facts(header, results),
    )


def _facts(header: Header, results: list[Result]) -> list[tuple[str, str]]:
    """What a reader must know to repeat the run."""
    boot = header.boot
    station = " ".join(boot[name] for name in ("chargePointVendor", "chargePointModel") if name in boot)
    seconds = sum(result.seconds for result in results)
    facts = [
        ("Station", station),
        ("Firmware", boot.get("firmwareVersion", "")),
        ("Connectors", str(header.declared.connectors)),
        ("Feature profiles", ", ".join(header.declared.profiles)),
        ("Address", header.url),
        ("Rig", header.rig),
        ("Cards", told(header.declared.cards)),
        ("Selection", header.select or "everything"),
        ("Scripts", header.scripts),
        ("Order", "as listed" if header.seed is None else f"shuffled by seed {header.seed}"),
        ("Tolerance", f"{header.tolerance_s:g} s"),
        ("Speed", "" if header.speed == 1 else f"{header.speed:g} times real time"),
        ("Playing time", f"{seconds:.0f} s on the clock of the station"),
    ]
    return [(name, value) for name, value in facts if value]
