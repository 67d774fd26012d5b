"""What must hold of the list of cases."""

import re

from engine.conformance.cases import CASES, UNTESTED

ID = re.compile(r"\d{3}(_\d)?")


def test_no_two_cases_have_one_name():
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_cases_with_one_id_have_one_title_and_profile():
    assert len({case.id for case in CASES}) == len({(case.id, case.title, case.profile) for case in CASES})


def test_every_case_says_what_must_be_seen():
    assert [case.name for case in CASES if not (case.title and case.text)] == []


def test_every_id_is_one_of_the_programme():
    assert all(ID.fullmatch(each.id) for each in (*CASES, *UNTESTED))


def test_no_case_counts_as_untested():
    assert not {case.id for case in CASES} & {each.id for each in UNTESTED}


def test_a_case_is_declared_for_what_cannot_be_set_over_ocpp():
    assert {case.id for case in CASES if case.declares} == {
        *("032_2", "048_4", "049", "050_4", "073", "085"),
    }
