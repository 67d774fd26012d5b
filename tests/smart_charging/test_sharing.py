"""How one limit is shared: whatever is asked for, never more than there is, evenly, and in turns where it is short."""

from hypothesis import given
from hypothesis import strategies as st

from machines.smart_charging.sharing import is_short, shares

connectors = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 12)), min_size=1, max_size=6)
turns = st.integers(0, 10**9)


@given(st.integers(0, 200), connectors, turns)
def test_those_that_can_use_their_share_have_no_more_than_there_is(pool, asked, turn):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least, turn)
    assert sum(share for share, low in zip(given_, least, strict=True) if share >= low) <= pool


@given(st.integers(0, 200), connectors, turns)
def test_nobody_has_more_than_it_wants(pool, asked, turn):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    assert all(share <= want for share, want in zip(shares(pool, wants, least, turn), wants, strict=True))


@given(st.integers(0, 200), connectors, turns)
def test_one_that_is_served_has_less_than_another_only_if_it_wants_less_or_the_other_needs_more(
    pool, asked, turn
):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least, turn)
    served = [i for i, share in enumerate(given_) if share >= least[i]]
    for i in served:
        for j in served:
            if given_[i] < given_[j]:
                assert given_[i] == wants[i] or given_[j] == least[j]


@given(st.integers(0, 200), connectors, turns)
def test_of_what_can_be_used_no_whole_part_for_each_is_left(pool, asked, turn):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least, turn)
    served = [i for i, share in enumerate(given_) if share >= least[i]]
    hungry = [i for i in served if given_[i] < wants[i]]
    if hungry:
        assert pool - sum(given_[i] for i in served) < len(hungry)


def test_the_first_ones_are_served_where_it_is_too_little_for_all():
    assert shares(14, [32, 32, 32], [6, 6, 6], 0) == [7, 7, 0]


def test_one_that_needs_less_is_served_where_another_is_not():
    assert shares(7, [32, 32], [8, 6], 0) == [0, 7]


def test_one_that_wants_less_than_it_can_use_takes_nothing_from_the_others():
    assert shares(20, [5, 32], [6, 6], 0) == [5, 20]


def test_where_nobody_can_be_served_each_is_told_what_there_is():
    assert shares(5, [32, 3], [6, 6], 0) == [5, 3]


# Turns


def test_each_turn_begins_with_the_next_one():
    assert [shares(14, [32, 32, 32], [6, 6, 6], turn) for turn in range(4)] == [
        [7, 7, 0],
        [0, 7, 7],
        [7, 0, 7],
        [7, 7, 0],
    ]


def test_those_that_could_not_be_served_anyway_have_no_turn():
    """Else who comes after one of them would come first twice."""
    given_ = [shares(9, [32, 5, 32, 32], [6, 6, 10, 6], turn) for turn in range(4)]
    assert given_ == [[9, 5, 0, 0], [0, 5, 0, 9], [9, 5, 0, 0], [0, 5, 0, 9]]


def could_be_served(pool, wants, least):
    return [index for index, want in enumerate(wants) if least[index] <= min(want, pool)]


@given(st.integers(0, 200), connectors, turns)
def test_in_as_many_turns_as_could_be_served_everyone_of_them_is(pool, asked, turn):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    able = could_be_served(pool, wants, least)
    given_ = [shares(pool, wants, least, turn + later) for later in range(len(able))]
    assert all(any(turn_[index] >= least[index] for turn_ in given_) for index in able)


@given(st.integers(0, 60), st.integers(2, 6), st.integers(1, 12), turns)
def test_who_is_alike_is_served_alike(pool, count, low, turn):
    wants, least = [100] * count, [low] * count
    if low <= pool:
        given_ = [shares(pool, wants, least, turn + later) for later in range(count)]
        assert len({sum(turn_[index] for turn_ in given_) for index in range(count)}) == 1


@given(st.integers(0, 200), connectors, turns)
def test_turns_make_a_difference_only_where_there_is_too_little(pool, asked, turn):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    able = could_be_served(pool, wants, least)
    assert is_short(pool, wants, least) == (sum(least[index] for index in able) > pool)
    if not is_short(pool, wants, least):
        assert shares(pool, wants, least, turn) == shares(pool, wants, least, 0)
