"""The local authorization list, clause by clause, and against a model of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.station_file import load
from machines.facts import Facts
from machines.local_list import LocalList, LocalListData
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call, Instant
from machines.vocabulary.notices import IdTagLearnt
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    GetLocalListVersion,
    IdTagInfo,
    SendLocalList,
    StatusNotificationConf,
    UpdateStatus,
    UpdateType,
)
from machines.vocabulary.tags import TagBook, TagEntry
from machines.vocabulary.wire import CallFailed, Failure

STATION = load("full")
ENTRIES_MAX, REQUEST_MAX = 4, 3
KEYS = replace(
    STATION.defaults, local_auth_list_max_length=ENTRIES_MAX, send_local_list_max_length=REQUEST_MAX
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FULL, DIFFERENTIAL = UpdateType.FULL, UpdateType.DIFFERENTIAL
ACCEPTED, BLOCKED = AuthorizationStatus.ACCEPTED, AuthorizationStatus.BLOCKED


def facts(machine, **known):
    return Facts(
        now=Instant(1, 0.0, NOON.timestamp()),
        settings=STATION.settings,
        keys=KEYS,
        key_set=STATION.keys,
        number=0,
        is_open=True,
        is_accepted=True,
        was_accepted=True,
        **{"has_local_list": True, "local_list": machine.data.book, **known},
    )


def handle(machine, message, **known):
    return machine.handle(message, facts(machine, **known))


def said(tag, status=ACCEPTED, **members):
    """An entry of SendLocalList; without a status it is to go."""
    info = IdTagInfo(status=status, **members) if status is not None else None
    return AuthorizationData(id_tag=tag, id_tag_info=info)


def send(machine, version, update_type, *entries, **known):
    """What SendLocalList is answered."""
    request = SendLocalList(
        list_version=version, update_type=update_type, local_authorization_list=entries or None
    )
    (answer,) = handle(machine, request, **known)
    assert isinstance(answer, Answer)
    return answer.answer.status


def version_of(machine, **known):
    (answer,) = handle(machine, GetLocalListVersion(), **known)
    return answer.answer.list_version


def tags(machine):
    return [entry.id_tag for entry in machine.data.book.entries]


@pytest.fixture
def machine():
    """A list of version 5 with A Accepted and B Blocked."""
    one = LocalList(LocalListData())
    assert send(one, 5, FULL, said("A"), said("B", BLOCKED)) is UpdateStatus.ACCEPTED
    return one


# Send Local List


def test_a_full_update_replaces_everything(machine):
    assert send(machine, 6, FULL, said("C")) is UpdateStatus.ACCEPTED
    assert (tags(machine), version_of(machine)) == (["C"], 6)


def test_a_full_update_may_carry_a_lower_version(machine):
    assert send(machine, 2, FULL, said("C")) is UpdateStatus.ACCEPTED
    assert version_of(machine) == 2


@pytest.mark.parametrize("entries", [None, ()])
def test_a_full_update_without_entries_clears_the_list(machine, entries):
    request = SendLocalList(list_version=6, update_type=FULL, local_authorization_list=entries)
    (answer,) = handle(machine, request)
    assert answer.answer.status is UpdateStatus.ACCEPTED
    assert tags(machine) == []


def test_an_empty_list_has_version_0(machine):
    """5.10, TC_042_2: whichever way it became empty."""
    assert version_of(LocalList(LocalListData())) == 0
    send(machine, 6, DIFFERENTIAL, said("A", None), said("B", None))
    assert version_of(machine) == 0


def test_a_differential_update_adds_replaces_and_deletes(machine):
    update = (said("C", parent_id_tag="P"), said("A", BLOCKED), said("B", None))
    assert send(machine, 6, DIFFERENTIAL, *update) is UpdateStatus.ACCEPTED
    assert version_of(machine) == 6
    assert machine.data.book == TagBook((TagEntry("C", ACCEPTED, "P"), TagEntry("A", BLOCKED)))


def test_an_entry_is_found_in_whatever_case_it_is_written(machine):
    send(machine, 6, DIFFERENTIAL, said("a", BLOCKED), said("b", None))
    assert machine.data.book.find("A").status is BLOCKED
    assert tags(machine) == ["a"]


def test_deleting_what_is_not_there_is_no_error(machine):
    assert send(machine, 6, DIFFERENTIAL, said("X", None)) is UpdateStatus.ACCEPTED
    assert tags(machine) == ["A", "B"]


def test_a_differential_update_without_entries_sets_the_version_only(machine):
    assert send(machine, 6, DIFFERENTIAL) is UpdateStatus.ACCEPTED
    assert (tags(machine), version_of(machine)) == (["A", "B"], 6)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_differential_update_must_be_newer_than_the_list(machine, version):
    """5.15: VersionMismatch, nothing changed."""
    assert send(machine, version, DIFFERENTIAL, said("C")) is UpdateStatus.VERSION_MISMATCH
    assert (tags(machine), version_of(machine)) == (["A", "B"], 5)


@pytest.mark.parametrize(
    ("version", "update_type", "entries"),
    [
        pytest.param(0, FULL, [said("C")], id="version 0"),
        pytest.param(-1, FULL, [said("C")], id="version -1"),
        pytest.param(0, DIFFERENTIAL, [said("C")], id="differential version 0"),
        pytest.param(6, FULL, [said("C"), said("D", None)], id="full without idTagInfo"),
        pytest.param(6, FULL, [said("C"), said("c")], id="an idTag twice"),
        pytest.param(6, DIFFERENTIAL, [said("A", None), said("a")], id="deleted and added"),
        pytest.param(6, FULL, [said(tag) for tag in "CDEF"], id="over SendLocalListMaxLength"),
        pytest.param(6, DIFFERENTIAL, [said(tag) for tag in "CDE"], id="over LocalAuthListMaxLength"),
    ],
)
def test_what_breaks_a_rule_fails_and_changes_nothing(machine, version, update_type, entries):
    """Decision LL4."""
    before = machine.data
    assert send(machine, version, update_type, *entries) is UpdateStatus.FAILED
    assert machine.data == before


def test_what_a_deletion_makes_room_for_fits(machine):
    """LocalAuthListMaxLength is that of the result."""
    send(machine, 6, DIFFERENTIAL, said("C"), said("D"))
    assert send(machine, 7, DIFFERENTIAL, said("E"), said("A", None)) is UpdateStatus.ACCEPTED
    assert tags(machine) == ["B", "C", "D", "E"]


# LocalAuthListEnabled


def test_a_list_that_is_off_is_not_supported(machine):
    """TC_042_1, TC_043_1."""
    assert version_of(machine, has_local_list=False) == -1
    assert send(machine, 6, FULL, said("C"), has_local_list=False) is UpdateStatus.NOT_SUPPORTED


def test_a_list_that_was_off_is_still_there(machine):
    send(machine, 6, FULL, has_local_list=False)
    assert (tags(machine), version_of(machine)) == (["A", "B"], 5)


def test_the_list_is_kept_over_a_restart(machine):
    again = LocalList(LocalListData())
    handle(again, Resumed(machine.state, machine.remember()))
    assert again.snapshot() == machine.snapshot()


# Expiry


def test_an_entry_is_expired_from_its_expiry_date_on(machine):
    send(machine, 6, FULL, said("A", expiry_date=NOON), said("B", BLOCKED, expiry_date=NOON), said("C"))
    find, noon = machine.data.book.find, NOON.timestamp()
    assert find("A").status_at(noon - 1) is ACCEPTED
    assert find("A").status_at(noon) is AuthorizationStatus.EXPIRED
    assert find("B").status_at(noon) is BLOCKED
    assert find("C").status_at(noon) is ACCEPTED


def test_an_expiry_date_counts_as_passed_while_the_time_is_not_known(machine):
    """Decision LL1."""
    send(machine, 6, FULL, said("A", expiry_date=NOON), said("C"))
    assert machine.data.book.find("A").status_at(None) is AuthorizationStatus.EXPIRED
    assert machine.data.book.find("C").status_at(None) is ACCEPTED


# LocalListConflict


def learn(machine, tag, status, **known):
    return handle(machine, IdTagLearnt(tag, IdTagInfo(status=status)), **known)


def test_an_answer_that_contradicts_the_list_is_reported_for_connector_0(machine):
    (call,) = learn(machine, "a", AuthorizationStatus.INVALID)
    assert isinstance(call, Call)
    assert call.request.connector_id == 0
    assert call.request.error_code is ChargePointErrorCode.LOCAL_LIST_CONFLICT
    assert call.request.status is ChargePointStatus.AVAILABLE
    assert call.at.utc == NOON.timestamp()


@pytest.mark.parametrize(
    ("known", "status"), [({"is_faulted": True}, "Faulted"), ({"is_operative": False}, "Unavailable")]
)
def test_the_report_of_a_conflict_tells_the_status_as_it_is(machine, known, status):
    (call,) = learn(machine, "B", ACCEPTED, **known)
    assert call.request.status == status


@pytest.mark.parametrize("status", AuthorizationStatus)
@pytest.mark.parametrize(("tag", "may_charge"), [("A", True), ("B", False)])
def test_only_another_outcome_is_a_conflict(machine, tag, may_charge, status):
    """Decision LL7: Accepted and ConcurrentTx are one outcome, Blocked, Expired and Invalid the other."""
    is_conflict = (status in {"Accepted", "ConcurrentTx"}) is not may_charge
    assert bool(learn(machine, tag, status)) is is_conflict


def test_an_entry_that_has_expired_is_contradicted_by_accepted(machine):
    send(machine, 6, FULL, said("A", expiry_date=NOON))
    assert learn(machine, "A", ACCEPTED)
    assert not learn(machine, "A", AuthorizationStatus.EXPIRED)


def test_an_id_tag_that_is_not_in_the_list_is_no_conflict_and_not_learnt(machine):
    assert not learn(machine, "X", BLOCKED)
    assert tags(machine) == ["A", "B"]


def test_a_list_that_is_off_contradicts_nobody(machine):
    assert not learn(machine, "A", BLOCKED, has_local_list=False, local_list=TagBook())


@pytest.mark.parametrize(
    "end", [StatusNotificationConf(), CallFailed("local_list", "StatusNotification", Failure.TIMED_OUT)]
)
def test_the_end_of_the_report_changes_nothing(machine, end):
    before = machine.snapshot()
    assert handle(machine, end) == []
    assert machine.snapshot() == before


# Against a model


ENTRY = st.builds(
    said,
    st.sampled_from(["A", "a", "B", "b", "C", "D", "E", "F"]),
    st.sampled_from([None, ACCEPTED, BLOCKED]),
)
UPDATE = st.tuples(st.integers(-1, 6), st.sampled_from(UpdateType), st.lists(ENTRY, max_size=REQUEST_MAX + 1))


class Model:
    """The list as a dictionary, and the rules of 5.15 in the order in which they are written there."""

    def __init__(self):
        self.statuses = {}
        self.version = 0

    def send(self, version, update_type, entries):
        names = [entry.id_tag.lower() for entry in entries]
        if update_type is FULL and any(entry.id_tag_info is None for entry in entries):
            return "Failed"
        if version < 1:
            return "Failed"
        if update_type is DIFFERENTIAL and version <= self.version:
            return "VersionMismatch"
        if len(names) > REQUEST_MAX or len(names) != len(set(names)):
            return "Failed"
        after = {} if update_type is FULL else dict(self.statuses)
        for name, entry in zip(names, entries, strict=True):
            if entry.id_tag_info is None:
                after.pop(name, None)
            else:
                after[name] = entry.id_tag_info.status
        if len(after) > ENTRIES_MAX:
            return "Failed"
        self.statuses, self.version = after, version if after else 0
        return "Accepted"


@given(st.lists(UPDATE, max_size=30))
def test_any_sequence_of_updates_leaves_what_the_model_says(updates):
    machine, model = LocalList(LocalListData()), Model()
    for version, update_type, entries in updates:
        assert send(machine, version, update_type, *entries) == model.send(version, update_type, entries)
        book = machine.data.book
        assert {entry.id_tag.lower(): entry.status for entry in book.entries} == model.statuses
        assert len(book.entries) == len(model.statuses)
        assert version_of(machine) == model.version
