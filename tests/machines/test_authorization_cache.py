"""The authorization cache, rule by rule, and against a model of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.station_file import load
from machines.authorization_cache import AuthorizationCache, AuthorizationCacheData
from machines.facts import Facts
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Instant
from machines.vocabulary.notices import IdTagLearnt
from machines.vocabulary.ocpp import (
    AuthorizationStatus,
    ClearCache,
    ClearCacheConf,
    ClearCacheStatus,
    IdTagInfo,
)
from machines.vocabulary.tags import TagBook, TagEntry

STATION = load("full")
SIZE_MAX = 3
SETTINGS = replace(STATION.settings, limits=replace(STATION.settings.limits, cache_size_max=SIZE_MAX))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCEPTED, BLOCKED = AuthorizationStatus.ACCEPTED, AuthorizationStatus.BLOCKED


def handle(machine, message, **known):
    facts = Facts(
        now=Instant(1, 0.0, NOON.timestamp()),
        settings=SETTINGS,
        keys=STATION.defaults,
        key_set=STATION.keys,
        number=0,
        is_open=True,
        is_accepted=True,
        was_accepted=True,
        **{"has_cache": True, "cache": machine.data.book, **known},
    )
    return machine.handle(message, facts)


def learn(machine, tag, status=ACCEPTED, *, listed="", has_cache=True, **members):
    """Hear what the Central System says of ``tag``, with those of ``listed`` in the local list."""
    local_list = TagBook(tuple(TagEntry(one, ACCEPTED) for one in listed))
    learnt = IdTagLearnt(tag, IdTagInfo(status=status, **members))
    assert handle(machine, learnt, has_cache=has_cache, local_list=local_list) == []


def tags(machine):
    """From the oldest to the latest."""
    return [entry.id_tag for entry in machine.data.book.entries]


@pytest.fixture
def machine():
    """An empty cache with room for three."""
    return AuthorizationCache(AuthorizationCacheData())


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_whatever_the_central_system_says_is_learnt(machine, status):
    """3.5.1: valid and invalid alike."""
    learn(machine, "A", status, parent_id_tag="P", expiry_date=NOON)
    assert machine.data.book.find("a") == TagEntry("A", status, "P", NOON.timestamp())


def test_the_latest_word_counts(machine):
    learn(machine, "A", BLOCKED, parent_id_tag="P")
    learn(machine, "a", ACCEPTED)
    assert machine.data.book.entries == (TagEntry("a", ACCEPTED),)


def test_what_the_local_list_has_is_never_added(machine):
    learn(machine, "A", listed="a")
    assert tags(machine) == []


def test_what_was_learnt_before_the_local_list_had_it_goes_with_the_next_answer(machine):
    """Else it would come back, outdated, when the list has it no more."""
    learn(machine, "A")
    learn(machine, "A", BLOCKED, listed="A")
    assert tags(machine) == []


# Full


def test_the_oldest_goes_first_when_all_are_valid(machine):
    for tag in "ABCAD":
        learn(machine, tag)
    assert tags(machine) == ["C", "A", "D"]


def test_what_is_not_valid_goes_before_what_is(machine):
    learn(machine, "A")
    learn(machine, "B", BLOCKED)
    learn(machine, "C")
    learn(machine, "D")
    assert tags(machine) == ["A", "C", "D"]


def test_what_has_expired_is_not_valid(machine):
    learn(machine, "A")
    learn(machine, "B", expiry_date=NOON - timedelta(seconds=1))
    learn(machine, "C", expiry_date=NOON + timedelta(seconds=1))
    learn(machine, "D")
    assert tags(machine) == ["A", "C", "D"]


def test_what_was_just_learnt_stays_even_if_it_is_not_valid(machine):
    for tag in "ABC":
        learn(machine, tag)
    learn(machine, "D", BLOCKED)
    assert tags(machine) == ["B", "C", "D"]


# AuthorizationCacheEnabled


def test_nothing_is_learnt_while_the_cache_is_off(machine):
    learn(machine, "A", has_cache=False)
    assert tags(machine) == []


def test_what_is_outdated_goes_while_the_cache_is_off(machine):
    """Decision LL2."""
    learn(machine, "A")
    learn(machine, "B")
    learn(machine, "A", BLOCKED, has_cache=False)
    assert tags(machine) == ["B"]


# Clear Cache


def test_clear_cache_forgets_everything(machine):
    learn(machine, "A")
    assert handle(machine, ClearCache()) == [Answer(ClearCacheConf(status=ClearCacheStatus.ACCEPTED))]
    assert tags(machine) == []


def test_a_cache_that_is_off_cannot_be_cleared(machine):
    learn(machine, "A")
    answers = handle(machine, ClearCache(), has_cache=False)
    assert answers == [Answer(ClearCacheConf(status=ClearCacheStatus.REJECTED))]
    assert tags(machine) == ["A"]


def test_the_cache_is_kept_over_a_restart(machine):
    learn(machine, "A", parent_id_tag="P", expiry_date=NOON)
    again = AuthorizationCache(AuthorizationCacheData())
    handle(again, Resumed(machine.state, machine.remember()))
    assert again.snapshot() == machine.snapshot()


# Against a model


ANSWER = st.tuples(
    st.sampled_from("AaBCDEF"), st.sampled_from(AuthorizationStatus), st.sampled_from(["", "", "", "B", "CD"])
)


@given(st.lists(st.one_of(ANSWER, st.none()), max_size=40))
def test_any_sequence_of_answers_leaves_what_the_model_says(answers):
    """The model is a list of pairs, from the oldest to the latest; None clears the cache."""
    machine = AuthorizationCache(AuthorizationCacheData())
    model = []
    for answer in answers:
        if answer is None:
            handle(machine, ClearCache())
            model.clear()
            continue
        tag, status, listed = answer
        learn(machine, tag, status, listed=listed)
        model = [pair for pair in model if pair[0].lower() != tag.lower()]
        if tag not in listed:
            if len(model) == SIZE_MAX:
                invalid = [pair for pair in model if pair[1] in {"Blocked", "Expired", "Invalid"}]
                model.remove(invalid[0] if invalid else model[0])
            model.append((tag, status))
        assert [(entry.id_tag, entry.status) for entry in machine.data.book.entries] == model
