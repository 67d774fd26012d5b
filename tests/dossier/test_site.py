"""The site: whole by itself, and every link leads somewhere."""

import re
from html.parser import HTMLParser
from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from engine.conformance.cases import CASES
from engine.conformance.coverage import ALLOWED
from engine.diagrams.dot import HERE
from engine.dossier.digests import Digests, code_digest
from engine.dossier.document import BrokenLinkError, Page, Paragraph, Row, Span, Table
from engine.dossier.german import GERMAN
from engine.dossier.site import Site
from engine.dossier.standing import Standing
from engine.dossier.words import MissingWordError, Words
from engine.station_file import load
from machines import routes
from machines.machine import rows
from tests.dossier.conftest import SELECTED, made


class Looked(HTMLParser):
    """What a page refers to, and what it can be referred to by."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.text = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values[name] for name in ("href", "src", "xlink:href") if values.get(name)]

    def handle_data(self, data):
        self.text.append(data)


def pages_of(files):
    return {path: Looked(content.decode()) for path, content in files.items() if path.endswith(".html")}


def broken(files):
    """Every link that leads nowhere."""
    pages = pages_of(files)
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            there = normpath(PurePosixPath(path).parent / target) if target else path
            if there not in files or (anchor and anchor not in pages[there].ids):
                yield path, link


def rows_of(text, heading):
    """The rows of the table below a heading, as texts without tags."""
    table = text[text.index(f">{heading}</h2>") :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_every_link_leads_to_a_place(dossier, german):
    assert list(broken(dossier)) == []
    assert list(broken(german)) == []


def test_nothing_is_fetched_from_elsewhere(dossier):
    for path, content in dossier.items():
        if path.endswith((".html", ".css")):
            assert not re.search(rb"(?:href|src)=\"(?:https?:)?//|@import|url\(", content), path


def test_a_link_to_nowhere_is_found_when_the_site_is_written():
    digests = Digests(code="", declaration="", results="")
    page = Page("index.html", "A page", "page", (Paragraph(Span("x", to="nowhere")),))
    with pytest.raises(BrokenLinkError, match=r"^index\.html leads to nowhere, which is nowhere$"):
        list(Site([page], "", digests, Words("en")).files())


def test_no_anchor_is_there_twice():
    table = Table(("",), (Row(("",), "one"), Row(("",), "one")), (1,))
    with pytest.raises(BrokenLinkError, match=r"^one is in"):
        Site(
            [Page("index.html", "", "page", (table,))],
            "",
            Digests(code="", declaration="", results=""),
            Words("en"),
        )


def test_every_page_has_the_three_digests(dossier):
    code = code_digest()
    declaration = load("full").hash
    for path, content in dossier.items():
        if path.endswith(".html"):
            footer = content.decode().partition("<footer>")[2]
            assert footer.count("<dd>") == 3, path
            assert code in footer
            assert declaration in footer


def test_every_machine_has_a_page_with_all_its_transitions(dossier):
    for kind, machine in routes.KINDS.items():
        page = dossier[f"machines/{kind}.html"].decode()
        for number, row in enumerate(rows(machine), start=1):
            assert f'<tr id="{kind}-{number}"' in page
            assert row.message.__name__ in page
        assert "<svg" in page
        shown = rows_of(page, "What cannot happen") if machine.impossible else []
        assert [each[2] for each in shown] == list(machine.impossible.values())


def test_the_connector_page_has_the_53_labels(dossier):
    page = dossier["machines/connector.html"].decode()
    assert "53 of 53 labels have transitions" in page
    found = {
        cell[:2]: cell[2:]
        for row in rows_of(page, "Status table of 4.9")
        for cell in row[1:]
        if cell != "\u2014"
    }
    assert found.keys() == ALLOWED
    assert all(found.values())


def test_a_transition_tells_its_tests_those_that_failed_too(dossier):
    page = dossier["machines/heartbeat.html"].decode()
    first, second, *_ = (row[7] for row in rows_of(page, "Transitions"))
    assert first.startswith("T1, T2")
    assert '<span class="bad">T1</span>' in page
    assert second == "T1"


def test_what_has_no_test_comes_first_and_in_red(dossier):
    page = dossier["traceability/clauses.html"].decode()
    untested = page.index("Transitions without a test")
    assert untested < page.index("Transitions without a clause") < page.index("From clauses to tests")
    table = page[untested : page.index("Transitions without a clause")]
    assert table.count('<tr class="bad"') > 100  # three cases do not take much
    assert "heartbeat-1<" not in table
    assert "firmware_update-20<" in table


def test_what_has_no_clause_is_listed(dossier):
    page = dossier["traceability/clauses.html"].decode()
    without = [each[0] for each in rows_of(page, "Transitions without a clause")]
    assert "heartbeat-7" in without  # "another key"
    assert "heartbeat-1" not in without


def test_clauses_lead_to_transitions_and_tests_with_their_results(dossier):
    page = dossier["traceability/clauses.html"].decode()
    found = {each[0]: each[1:] for each in rows_of(page, "From clauses to tests")}
    assert {f"4.9 {label}" for label in ALLOWED} <= found.keys()
    assert "heartbeat 1" in found["4.2"][0]
    assert found["4.2"][2].startswith("1 of")  # test_one failed
    assert found["3.7"][2].endswith("passed")


def test_tests_lead_back_to_clauses_and_transitions(dossier):
    page = dossier["traceability/tests.html"].decode()
    first, second = rows_of(page, "From tests to clauses")
    assert first[:4] == ["T1", "test_one<br>tests/a.py".replace("<br>", ""), "2", "failed"]
    assert first[5] == "heartbeat 1\u20132"
    assert second[3] == "passed"
    assert [each[0] for each in rows_of(page, "Tests that take no transition")] == [
        "tests/b.py",
        "tests/conformance/test_cases.py",
    ]


def test_test_cases_lead_to_tests(dossier):
    page = dossier["traceability/cases.html"].decode()
    found = {each[0]: each for each in rows_of(page, "From test cases to tests")}
    assert found["TC_003"][3:] == ["passed", "test_our_station_passes[TC_003]: passed"]
    assert found["TC_041"][3] == "passed, passed, passed"
    assert rows_of(page, "Test cases without a test")


def test_every_case_has_a_page_with_its_sequence(dossier):
    ids = {case.id for case in CASES if case.id in SELECTED.split(",")}
    for case_id in ids:
        page = dossier[f"evidence/TC_{case_id}.html"].decode()
        assert ">passed<" in page
        for word in ("Hardware", "Station", "CSMS"):
            assert f">{word}</text>" in page
    page = dossier["evidence/TC_003.html"].decode()
    assert (
        page.index("plug-in") < page.index("control_pilot 1: connected") < page.index("connector 1: Charging")
    )
    assert page.index("StartTransaction connectorId=1") < page.index("StartTransaction.conf")


def test_the_decisions_are_included_and_cited_ones_lead_to_their_transitions(dossier):
    page = dossier["decisions.html"].decode()
    assert "../docs" not in page
    assert '<a href="traceability/clauses.html#clause-decision-BN1">BN1</a>' in page
    assert page.count("<tr") > 60


def test_the_features_are_those_of_the_declaration(dossier, german):
    full, smart = dossier["features.html"].decode(), german["features.html"].decode()
    assert {row[0]: row[1] for row in rows_of(full, "Feature profiles")}["Reservation"] == "all"
    offered = {row[0]: row[1:] for row in rows_of(smart, "Funktionsprofile")}
    assert offered["LocalAuthListManagement"][0] == "nein"
    assert offered["FirmwareManagement"][0] == "teilweise"
    assert "FirmwareStatusNotification" in offered["FirmwareManagement"][1]
    keys = [row[0] for row in rows_of(smart, "Konfigurationsschl\u00fcssel")]
    assert keys == [rule.name for rule in load("ac-smart").keys.rules]


def test_a_secret_is_in_no_file(tmp_path):
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("00112233445566778899AABBCCDDEEFF")
    station = tmp_path / "station.toml"
    station.write_text('extends = "full"\n[csms]\nauthorization_key_file = "password"\n')
    files = made(str(station), cases="003")
    assert not any(b"8899AABB" in content for content in files.values())


def test_where_a_station_stands_is_marked_in_pictures_and_told_in_the_overview():
    where = Standing({"connector/1": "Charging", "connection": "online"})
    files = made(cases="003", where=where)
    page = files["machines/connector.html"].decode()
    assert ">connector 1<" in page
    assert HERE in page
    assert HERE in files["diagrams/connector.svg"].decode()
    assert HERE not in files["diagrams/heartbeat.svg"].decode()
    stands = {row[0]: row[6] for row in rows_of(files["machines/index.html"].decode(), "Machines")}
    assert stands["Connection"] == "station: online"
    assert stands["Heartbeat"] == ""


def test_the_furniture_is_german_and_nothing_is_left_over(german):
    page = german["index.html"].decode()
    assert '<html lang="de">' in page
    assert "Zertifizierungsdossier" in page
    assert {GERMAN[text] for text in ("Pictures", "Guard", "What cannot happen")} <= set(
        re.findall(r">([^<]+)<", german["machines/fault.html"].decode())
    )


def test_a_text_without_german_is_a_defect():
    with pytest.raises(MissingWordError):
        Words("de")("Nobody has translated this")


def test_without_a_record_of_tests_that_is_said_in_red(german):
    assert '<p class="bad">Tests: nur die aufgezeichneten' in german["traceability/clauses.html"].decode()
