"""The status table of 4.9, letter for state, digit for next state, against the machines."""

import re

import pytest

from machines.connector import Connector
from machines.fault import Fault
from machines.machine import rows
from machines.vocabulary.ocpp import ChargePointStatus

STATUSES = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
)
FROM = dict(zip("ABCDEFGHI", STATUSES, strict=True))
TO = dict(zip("123456789", STATUSES, strict=True))
PRINTED = (
    "A2 A3 A4 A5 A7 A8 A9",
    "B1 B3 B4 B5 B6 B9",
    "C1 C4 C5 C6 C8 C9",
    "D1 D3 D5 D6 D8 D9",
    "E1 E3 E4 E6 E8 E9",
    "F1 F2 F8 F9",
    "G1 G2 G8 G9",
    "H1 H2 H3 H4 H5 H9",
    "I1 I2 I3 I4 I5 I6 I7 I8",
)
TABLE = frozenset(label for line in PRINTED for label in line.split())

LABEL = re.compile(r"[A-I][1-9]\b")


def labels(row):
    """The labels of the table that a row cites: those that follow 4.9 directly."""
    cited = re.match(r"4\.9((?: [A-I][1-9]\b)+)(?! or\b)", row.clause)
    return LABEL.findall(cited[1]) if cited else []


def labelled(machine):
    return [(label, row) for row in rows(machine) for label in labels(row)]


def test_the_table_has_the_53_transitions_that_are_printed():
    assert len(TABLE) == 53


def test_the_letters_and_digits_name_the_statuses_of_the_specification():
    assert set(STATUSES) == {status.value for status in ChargePointStatus}


def test_every_label_is_in_the_table():
    assert {label for machine in (Connector, Fault) for label, _ in labelled(machine)} <= TABLE


@pytest.mark.parametrize(("label", "row"), labelled(Connector), ids=lambda value: str(value)[:2])
def test_a_label_joins_the_statuses_it_names(label, row):
    assert (row.source, row.target) == (FROM[label[0]], TO[label[1]])


def test_no_move_from_one_status_to_another_is_without_its_label():
    for row in rows(Connector):
        assert len(labels(row)) == (row.source != row.target), row


def test_every_label_is_carried():
    """All 53 of them, by the connector or the fault machine."""
    assert {label for machine in (Connector, Fault) for label, _ in labelled(machine)} == TABLE


def test_a_fault_that_prevents_charging_carries_column_9():
    """A9 to H9 in one row, since the status underneath moves on by itself."""
    column = {label for label in TABLE if label[1] == "9"}
    begins = [set(labels(row)) for row in rows(Fault) if row.source != "faulted" and row.target == "faulted"]
    assert begins
    assert all(found == column for found in begins)


def test_the_end_of_the_last_fault_carries_row_i():
    """I1 to I8: back to the status that the connector has by then."""
    ends = [set(labels(row)) for row in rows(Fault) if row.source == "faulted" and row.target != "faulted"]
    assert ends
    assert all(found == {label for label in TABLE if label[0] == "I"} for found in ends)


def test_no_other_row_of_the_fault_machine_carries_a_label():
    assert not [
        row for label, row in labelled(Fault) if (row.source == "faulted") == (row.target == "faulted")
    ]


def test_no_move_is_drawn_that_the_table_forbids():
    """The common mistakes: Preparing to Unavailable, Finishing to Charging, Charging to Preparing, and so on."""
    allowed = {(FROM[label[0]], TO[label[1]]) for label in TABLE}
    assert {(row.source, row.target) for row in rows(Connector) if row.source != row.target} <= allowed
