"""The report for machines: JUnit XML, as continuous integration reads it."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from engine.conformance.cards import told
from engine.conformance.results import Header, Result, Verdict

NAME = "junit.xml"

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, whatever a station sends."""


def document(header: Header, results: Iterable[Result]) -> bytes:
    """The document of a run: ``failure`` for failed, ``error`` for inconclusive, ``skipped`` for not applicable."""
    results = list(results)
    numbers = {
        "tests": str(len(results)),
        "failures": _count(results, Verdict.FAILED),
        "errors": _count(results, Verdict.INCONCLUSIVE),
        "skipped": _count(results, Verdict.NOT_APPLICABLE),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    suites = ET.Element("testsuites", {"name": "statecharge conformance", **numbers})
    timestamp = header.began.strftime("%Y-%m-%dT%H:%M:%S")
    suite = ET.SubElement(
        suites, "testsuite", {"name": _clean(header.identity), "timestamp": timestamp, **numbers}
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(header):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for result in results:
        _add(suite, result)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _properties(header: Header) -> list[tuple[str, str]]:
    seed = "" if header.seed is None else str(header.seed)
    boot = [(f"boot.{name}", value) for name, value in header.boot.items()]
    return [
        ("version", header.version),
        ("rig", header.rig),
        ("cards", told(header.declared.cards)),
        ("select", header.select),
        ("seed", seed),
        ("profiles", ",".join(header.declared.profiles)),
        *boot,
    ]


def _add(suite: ET.Element, result: Result) -> None:
    """One ``testcase``."""
    name = _clean(f"{result.label} {result.title}".strip())
    classname = f"conformance.{result.profile or 'scripts'}"
    case = ET.SubElement(
        suite, "testcase", {"classname": classname, "name": name, "time": f"{result.seconds:.3f}"}
    )
    first, _, _ = result.reason.partition("\n")
    message = _clean(first)
    match result.verdict:
        case Verdict.FAILED:
            ET.SubElement(case, "failure", {"message": message, "type": "Deviation"}).text = _story(result)
        case Verdict.INCONCLUSIVE:
            ET.SubElement(case, "error", {"message": message, "type": "Inconclusive"}).text = _story(result)
        case Verdict.NOT_APPLICABLE:
            ET.SubElement(case, "skipped", {"message": message})
        case Verdict.PASSED:
            pass


def _story(result: Result) -> str:
    """Why, and what came before."""
    first, _, _ = result.reason.partition("\n")
    return _clean("\n".join([first, *map(str, result.trace)]))


def _count(results: list[Result], verdict: Verdict) -> str:
    return str(sum(result.verdict is verdict for result in results))


def _clean(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
