"""How one limit is shared: whatever is asked for, never more than there is, and evenly."""

from hypothesis import given
from hypothesis import strategies as st

from machines.smart_charging.sharing import shares

connectors = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 12)), min_size=1, max_size=6)


@given(st.integers(0, 200), connectors)
def test_those_that_can_use_their_share_have_no_more_than_there_is(pool, asked):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least)
    assert sum(share for share, low in zip(given_, least, strict=True) if share >= low) <= pool


@given(st.integers(0, 200), connectors)
def test_nobody_has_more_than_it_wants(pool, asked):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    assert all(share <= want for share, want in zip(shares(pool, wants, least), wants, strict=True))


@given(st.integers(0, 200), connectors)
def test_one_that_is_served_has_less_than_another_only_if_it_wants_less_or_the_other_needs_more(pool, asked):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least)
    served = [i for i, share in enumerate(given_) if share >= least[i]]
    for i in served:
        for j in served:
            if given_[i] < given_[j]:
                assert given_[i] == wants[i] or given_[j] == least[j]


@given(st.integers(0, 200), connectors)
def test_of_what_can_be_used_no_whole_part_for_each_is_left(pool, asked):
    wants, least = [want for want, _ in asked], [low for _, low in asked]
    given_ = shares(pool, wants, least)
    served = [i for i, share in enumerate(given_) if share >= least[i]]
    hungry = [i for i in served if given_[i] < wants[i]]
    if hungry:
        assert pool - sum(given_[i] for i in served) < len(hungry)


def test_the_first_ones_are_served_where_it_is_too_little_for_all():
    assert shares(14, [32, 32, 32], [6, 6, 6]) == [7, 7, 0]


def test_one_that_needs_less_is_served_where_another_is_not():
    assert shares(7, [32, 32], [8, 6]) == [0, 7]


def test_one_that_wants_less_than_it_can_use_takes_nothing_from_the_others():
    assert shares(20, [5, 32], [6, 6]) == [5, 20]


def test_where_nobody_can_be_served_each_is_told_what_there_is():
    assert shares(5, [32, 3], [6, 6]) == [5, 3]
