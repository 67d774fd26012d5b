"""What a seed makes of a script for the virtual station."""

import pytest

from engine.conformance.script import Asked, Charge, ScriptError, Wait
from engine.conformance.stimuli import PlugIn, Swipe
from engine.play.draw import draw
from engine.play.stage import shipped

HEADER = '{"script": "test"}\n'


def steps(text, seed=0):
    return [played.step for played in draw(HEADER + text, "file", seed).steps]


def test_a_script_without_chance_is_the_same_with_every_seed():
    text = '{"do": "plug-in", "connector": 2}\n# a remark\n\n{"wait": 5}\n{"charge": 100}\n'

    assert steps(text, 1) == steps(text, 2) == [PlugIn(2), Wait(5), Charge(100)]


def test_a_wait_between_two_is_drawn_anew_each_time_and_always_the_same_from_a_seed():
    text = '{"wait": [10, 20]}\n' * 20
    waits = [step.wait for step in steps(text, 1)]

    assert all(10 <= wait <= 20 for wait in waits)
    assert len(set(waits)) > 10
    assert steps(text, 1) == steps(text, 1) != steps(text, 2)


def test_a_name_stands_for_what_was_chosen_last_under_it():
    text = (
        '{"choose": {"card": ["ONLY"], "pause": {"from": 7, "to": 7}}}\n'
        '{"do": "swipe", "idTag": "$card"}\n{"wait": "$pause"}\n'
        '{"choose": {"card": ["OTHER"]}}\n{"do": "swipe", "idTag": "$card"}\n'
    )

    assert steps(text) == [Swipe("ONLY"), Wait(7), Swipe("OTHER")]


def test_a_name_is_found_within_payloads():
    (asked,) = steps('{"choose": {"n": [2]}}\n{"asked": "ReserveNow", "payload": {"connectorId": "$n"}}')

    assert asked == Asked("ReserveNow", {"connectorId": 2})


def test_hexadecimal_digits_are_drawn():
    (swipe,) = steps('{"choose": {"card": {"hex": 14}}}\n{"do": "swipe", "idTag": "$card"}')

    assert len(swipe.id_tag) == 14
    assert int(swipe.id_tag, 16) >= 0


def test_a_block_is_repeated_and_drawn_anew_each_time():
    text = '{"repeat": 3}\n{"repeat": 2}\n{"wait": [1, 1000]}\n{"end": "repeat"}\n{"do": "plug-in"}\n{"end": "repeat"}'
    found = steps(text)

    assert [type(step) for step in found] == [Wait, Wait, PlugIn] * 3
    assert len({step.wait for step in found if isinstance(step, Wait)}) == 6


def test_what_was_drawn_is_a_script_that_is_the_same_with_every_seed():
    drawn = draw(
        HEADER
        + '{"choose": {"card": ["A", "B"]}}\n{"repeat": [1, 5]}\n{"wait": [1, 9]}\n{"do": "swipe", "idTag": "$card"}\n'
        + '{"end": "repeat"}',
        "file",
        3,
    )
    again = draw(drawn.text, "other", 4)

    assert [each.step for each in again.steps] == [each.step for each in drawn.steps]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"wait": [9, 1]}', "wait"),
        ('{"do": "swipe", "idTag": "$card"}', "$card"),
        ('{"repeat": 2}', "repeat"),
        ('{"repeat": "often"}\n{"end": "repeat"}', "often"),
        ('{"end": "repeat"}', "repeat"),
        ('{"choose": {"a b": [1]}}', "a b"),
        ('{"choose": {"a": []}}', "[]"),
        ('{"choose": {"a": {"from": 2, "to": 1}}}', "from"),
        ('{"dance": 1}', "dance"),
        ('{"do": "dance"}', "dance"),
        ('{"asked": "Authorize"}', "Authorize"),
        ('{"answered": "Reset"}', "Reset"),
        ('{"request": "Reset", "payload": {"type": "Soft"}}', "request"),
        ("plug in", "file:2"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_place_and_finding(line, found):
    with pytest.raises(ScriptError) as refused:
        steps(line)

    assert str(refused.value).startswith("file:2: ")
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("seed", range(3))
def test_every_shipped_script_can_be_drawn_and_is_called_as_its_file(name, seed):
    drawn = draw(shipped()[name].read_text(), name, seed)

    assert drawn.header.script == name
    assert drawn.header.title
    assert drawn.steps
