"""From a station and what was played on it to the files of its dossier."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import msgspec

from engine.conformance.case import Case
from engine.declaration.station import Station
from engine.diagrams.dot import dot
from engine.diagrams.files import FORMATS, SUFFIXES, drawing, names
from engine.diagrams.overview import NAME as OVERVIEW
from engine.diagrams.picture import picture, standing
from engine.diagrams.render import render
from engine.dossier import manifest as manifests
from engine.dossier.digests import Digests, code_digest, results_digest
from engine.dossier.document import Page
from engine.dossier.errors import DossierError
from engine.dossier.evidence import Run, play_all
from engine.dossier.evidence_pages import case_page
from engine.dossier.feature_page import feature_page
from engine.dossier.front_pages import cover_page, decisions_page, overview_page
from engine.dossier.machine_pages import machine_page
from engine.dossier.manifest import FORMAT, Manifest, digests_of, stated
from engine.dossier.record import TestRecord
from engine.dossier.results import result_files
from engine.dossier.site import STYLE, Site
from engine.dossier.standing import Standing
from engine.dossier.subject import Subject
from engine.dossier.trace_pages import cases_page, clauses_page, tests_page
from engine.dossier.views import drawn
from engine.dossier.words import Words
from machines import routes

PDF, TRACEABILITY = "dossier.pdf", "traceability.json"

Told = Callable[[str], None]
"""Hears what is being done, for the user."""


def pages_of(subject: Subject, digests: Digests, made: str, files: Mapping[str, str]) -> list[Page]:
    """All pages of the dossier, in their order; ``files`` are those that the cover leads to, by their names."""
    pages = [cover_page(subject, digests, made, files), overview_page(subject)]
    for kind, machine in routes.KINDS.items():
        pictures = list(drawn(kind, machine, subject.runs, subject.standing))
        pages.append(machine_page(kind, machine, pictures, subject))
    pages += [clauses_page(subject), tests_page(subject), cases_page(subject), feature_page(subject)]
    for case_id, runs in groupby(subject.runs, key=lambda run: run.result.id):
        pages.append(case_page(case_id, list(runs), subject))
    return [*pages, decisions_page(subject)]


def diagrams(subject: Subject) -> dict[str, bytes]:
    """The whole picture of each machine and of the composition, in every format."""
    files: dict[str, bytes] = {}
    for name in names():
        where = {} if name == OVERVIEW else subject.standing.of(name)
        for file_format in FORMATS:
            if file_format == "md" or (name == OVERVIEW and file_format == "scxml"):
                continue
            path = f"diagrams/{name}.{SUFFIXES.get(file_format, file_format)}"
            if where and file_format in ("dot", "svg", "png"):
                text = dot(standing(picture(name, routes.KINDS[name]), where))
                files[path] = text.encode() if file_format == "dot" else render(text, file_format)
            else:
                files[path] = drawing(name, file_format)
    return files


def traceability(subject: Subject) -> bytes:
    """All that takes each transition, for other programs."""
    table = [
        {
            "transition": each.id,
            "clause": each.row.clause,
            "tests": [{"name": proof.name, "passed": proof.is_good} for proof in subject.proofs([each.id])],
        }
        for each in subject.transitions
    ]
    return msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n"


def made_at() -> str:
    """When a dossier is made: now, or what SOURCE_DATE_EPOCH says, so that it can be made again to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def build(
    station: Station,
    name: str,
    cases: Sequence[Case],
    *,
    record: TestRecord | None,
    where: Standing,
    language: str,
    with_pdf: bool,
    jobs: int,
    tell: Told,
) -> tuple[Mapping[str, bytes], list[Run]]:
    """The files of the dossier by path, and what came of the cases.

    Raises:
        DossierError: Something that is needed is not installed.
        DiagramError: pygraphviz is not installed.
    """
    words = Words(language)
    if with_pdf:
        _check_pdf()
    tell(f"playing {len(cases)} cases on {name}")
    runs = play_all(name, cases, jobs)
    results = result_files(runs, record)
    digests = Digests(code=code_digest(), declaration=station.hash, results=results_digest(results.values()))
    subject = Subject(station, name, runs, record, where, words)
    tell("drawing the machines")
    made = made_at()
    listed = {
        path.rpartition("/")[2]: path for path in (*([PDF] if with_pdf else []), TRACEABILITY, *results)
    }
    pages = pages_of(subject, digests, made, listed)
    title = f"{station.settings.identity.vendor} {station.settings.identity.model}"
    files: dict[str, bytes] = {**results, **diagrams(subject), TRACEABILITY: traceability(subject)}
    files[STYLE] = Path(__file__).with_name(STYLE).read_bytes()
    files |= {path: text.encode() for path, text in Site(pages, title, digests, words).files()}
    if with_pdf:
        from engine.dossier.paper import printed

        tell("writing the PDF")
        files[PDF] = printed(pages, title, digests, words)
    manifest = Manifest(
        format=FORMAT,
        version=version("statecharge"),
        station=name,
        language=language,
        made=made,
        digests=digests,
        transitions=stated(subject.transitions),
        files=digests_of(files),
    )
    files[manifests.FILE] = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    return files, runs


def _check_pdf() -> None:
    """Find out at once whether a PDF can be written."""
    try:
        import reportlab  # noqa: F401
    except ImportError as error:
        raise DossierError(
            "the PDF needs reportlab, which is not installed: pip install 'statecharge[dossier]', or --no-pdf"
        ) from error


def check_out(out: Path) -> None:
    """Find out whether a dossier may be written to ``out``.

    Raises:
        DossierError: There is something else.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / manifests.FILE).is_file())):
        raise DossierError(
            f"{out}: holds something else; allowed: a new or empty folder, or an earlier dossier"
        )


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Write the files to ``out``; an earlier dossier there goes.

    Raises:
        DossierError: That cannot be done.
    """
    try:
        if out.exists():
            shutil.rmtree(out)
        for path, content in files.items():
            file = out / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise DossierError(f"cannot write to {out}: {error.strerror}") from error
