"""What is left of a conformance run: the journal it goes on from, and the reports for people and machines."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from engine.conformance import report_html, report_junit
from engine.conformance.coverage import ALLOWED, coverage_of
from engine.conformance.declared import Declared, Key
from engine.conformance.results import Header, Journal, JournalError, Result, Verdict
from engine.conformance.trace import Kind, Line
from tests.machines.test_status_table import TABLE

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
NASTY = "<b>&\"'\x00\x1b</script>"
"""What a station may put into a field."""

DECLARED = Declared(
    keys={
        "ConnectionTimeOut": Key("60", is_readonly=False),
        "SupportedFeatureProfiles": Key("Core,Reservation", is_readonly=True),
    },
    cards={"OTHER": "04A2", "CARD": "04A1"},
)
HEADER = Header(
    version="1",
    began=BEGAN,
    identity="CP-1",
    url="ws://127.0.0.1:9000",
    rig="prompt",
    seed=7,
    tolerance_s=1.5,
    declared=DECLARED,
    boot={"chargePointVendor": "V", "chargePointModel": NASTY},
    cases=("003", "004_1", "012-tethered", "032_1"),
)


def line(seconds, kind, name, *, from_csms=False, **detail):
    return Line(
        time=BEGAN + timedelta(seconds=seconds), kind=kind, from_csms=from_csms, name=name, detail=detail
    )


def told(seconds, status, connector=1):
    return line(seconds, Kind.CALL, "StatusNotification", connectorId=connector, status=status)


def result(name, verdict, *trace, reason="", **members):
    return Result(
        name=name,
        id=name.partition("-")[0],
        title="A title",
        profile="Core",
        verdict=verdict,
        reason=reason,
        began=BEGAN,
        seconds=2.5,
        trace=trace,
        **members,
    )


RESULTS = [
    result("003", Verdict.PASSED, told(0, "Preparing"), told(1, "Charging")),
    result(
        "004_1",
        Verdict.FAILED,
        line(0, Kind.STIMULUS, "plug-in", connector=1),
        line(1, Kind.CALL, "Authorize", idTag=NASTY),
        reason=f"Authorize {{idTag: {NASTY}}} came; expected is nothing",
        deviates_at=1,
    ),
    result("012-tethered", Verdict.NOT_APPLICABLE, reason="no connector has a fixed cable"),
    result("032_1", Verdict.INCONCLUSIVE, reason="the rig failed"),
]


# The journal


@pytest.fixture
def journal(tmp_path):
    journal = Journal.begin(tmp_path, HEADER)
    for each in RESULTS[:2]:
        journal.add(each)
    return journal


def test_a_journal_is_read_as_it_was_written(journal, tmp_path):
    resumed = Journal.resume(tmp_path)

    assert (resumed.header, resumed.results) == (HEADER, RESULTS[:2])


def test_a_line_that_was_cut_off_is_forgotten(journal, tmp_path):
    with journal.path.open("ab") as file:
        file.write(b'{"name":"012-te')

    Journal.resume(tmp_path).add(RESULTS[2])

    assert Journal.resume(tmp_path).results == RESULTS[:3]


def test_a_new_run_keeps_the_journal_before(journal, tmp_path):
    before = journal.path.read_bytes()
    Journal.begin(tmp_path, HEADER)

    assert (tmp_path / "journal-1.jsonl").read_bytes() == before
    assert Journal.resume(tmp_path).results == []


@pytest.mark.parametrize("content", [b"", b"what\n", b"{}\n", b'{"format":2}\n'])
def test_what_is_no_journal_is_told_in_a_line(tmp_path, content):
    (tmp_path / "journal.jsonl").write_bytes(content)
    with pytest.raises(JournalError) as raised:
        Journal.resume(tmp_path)

    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (tmp_path / "journal.jsonl").read_bytes() == content


def test_no_journal_is_told_in_a_line(tmp_path):
    with pytest.raises(JournalError, match="nothing to resume"):
        Journal.resume(tmp_path)


# Coverage


def test_the_transitions_are_those_of_the_table():
    assert ALLOWED == TABLE


def test_transitions_are_seen_from_rest_and_per_connector():
    seen = coverage_of(
        DECLARED,
        [result("003", Verdict.PASSED, told(0, "Preparing"), told(1, "Faulted", 2), told(2, "Charging"))],
    ).transitions

    assert set(seen) == {"A2", "A9", "B3"}


def test_what_happens_while_nobody_listens_is_no_transition():
    gone, back = line(1, Kind.CONNECTION, "disconnected"), line(2, Kind.CONNECTION, "connected")
    seen = coverage_of(
        DECLARED, [result("039", Verdict.PASSED, told(0, "Preparing"), gone, back, told(3, "Finishing"))]
    ).transitions

    assert set(seen) == {"A2"}


def test_a_transition_that_the_table_does_not_have_is_shown():
    seen = coverage_of(DECLARED, [result("003", Verdict.FAILED, told(0, "Finishing"))]).transitions

    assert set(seen) - ALLOWED == {"A6"}


def test_actions_count_by_direction():
    trace = [
        line(0, Kind.CALL, "DataTransfer"),
        line(0, Kind.RESULT, "DataTransfer", from_csms=True),
        line(1, Kind.CALL, "DataTransfer", from_csms=True),
        line(1, Kind.ERROR, "DataTransfer", code="NotSupported"),
    ]
    actions = coverage_of(DECLARED, [result("062", Verdict.PASSED, *trace)]).actions
    seen = {(each.name, each.direction): (each.calls, each.errors) for each in actions if each.calls}

    assert seen == {("DataTransfer", "from the station"): (1, 0), ("DataTransfer", "to the station"): (1, 1)}


def test_keys_count_what_was_done_to_them():
    trace = [
        line(0, Kind.CALL, "ChangeConfiguration", from_csms=True, key="ConnectionTimeOut", value="1"),
        line(0, Kind.RESULT, "ChangeConfiguration", status="Accepted"),
        line(1, Kind.CALL, "ChangeConfiguration", from_csms=True, key="Colour", value="1"),
        line(1, Kind.RESULT, "ChangeConfiguration", status="NotSupported"),
        line(2, Kind.CALL, "GetConfiguration", from_csms=True, key=["ConnectionTimeOut"]),
    ]
    keys = coverage_of(DECLARED, [result("021", Verdict.PASSED, *trace)]).keys

    assert {each.name: (each.is_told, each.asked, each.changed, each.refused) for each in keys} == {
        "Colour": (False, 0, 0, 1),
        "ConnectionTimeOut": (True, 1, 1, 0),
        "SupportedFeatureProfiles": (True, 0, 0, 0),
    }


# HTML


class Page(HTMLParser):
    """Tags in and out, and the text."""

    VOID = frozenset({"meta", "br", "col"})

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.open = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def classes(self, name):
        return [attrs for _, attrs in self.tags if name in attrs.get("class", "").split()]


@pytest.fixture(scope="module")
def page():
    return Page(report_html.page(HEADER, RESULTS))


def test_the_page_is_well_formed(page):
    assert page.open == []


def test_the_page_needs_nothing_from_elsewhere(page):
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "img", "iframe"}]
    assert all(attrs["href"].startswith("#") for tag, attrs in page.tags if tag == "a")


def test_what_a_station_says_is_text(page):
    """As a tag it would be missing there."""
    assert page.text.count("<b>&\"'") >= 3


def test_every_case_has_its_verdict_twice(page):
    """In the summary and with its trace."""
    for verdict in ("passed", "failed", "not-applicable", "inconclusive"):
        assert len([a for a in page.classes("verdict") if verdict in a["class"]]) == 2


def test_the_trace_shows_where_it_deviates(page):
    assert len(page.classes("deviates")) == 1
    assert len(page.classes("deviation")) == 1


def test_both_reports_tell_which_card_has_which_id_tag(page, suite):
    told = "CARD=04A1, OTHER=04A2"
    assert told in page.text
    assert suite.find("properties/property[@name='cards']").get("value") == told


def test_the_links_of_the_summary_lead_to_the_cases(page):
    there = {attrs.get("id") for _, attrs in page.tags}
    assert all(attrs["href"][1:] in there for tag, attrs in page.tags if tag == "a")


def test_a_page_of_a_run_that_is_not_finished_says_so():
    assert "1 of 4 cases were played" in Page(report_html.page(HEADER, RESULTS[:1])).text


# JUnit XML


@pytest.fixture(scope="module")
def suite():
    return ET.fromstring(report_junit.document(HEADER, RESULTS)).find("testsuite")


def test_a_case_is_a_testcase(suite):
    names = [case.get("name") for case in suite.findall("testcase")]
    assert [name.split()[0] for name in names] == ["TC_003_CS", "TC_004_1_CS", "TC_012_CS", "TC_032_1_CS"]


def test_each_verdict_is_what_readers_know(suite):
    kinds = [[child.tag for child in case] for case in suite.findall("testcase")]
    assert kinds == [[], ["failure"], ["skipped"], ["error"]]


def test_the_numbers_are_those_of_the_verdicts(suite):
    numbers = [suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")]
    assert numbers == ["4", "1", "1", "1", "10.000"]


def test_what_xml_cannot_hold_is_replaced(suite):
    assert "<b>&\"'\ufffd\ufffd" in suite.find("testcase/failure").get("message")


def test_a_failure_tells_the_trace(suite):
    assert re.search(r"\* plug-in connector=1\n.* > Authorize", suite.find("testcase/failure").text)
