"""What the executor of scripts judges, on a station that does as it should."""

import pytest
from click.testing import CliRunner

from engine.conformance.in_memory import play_all
from engine.conformance.matching import Reading, fits
from engine.conformance.prepared import station_of
from engine.conformance.script import Call, Header, ScriptError, decode
from engine.conformance.touring import tours
from engine.conformance.transitions import Catalogue, Tally, shown, summary
from machines.charge_point import Taken

CATALOGUE = Catalogue()
HEADER = '{"script": "a", "keys": {"MeterValueSampleInterval": "0", "ClockAlignedDataInterval": "0"}}'
BOOT = """
{"expect": [{"action": "BootNotification"}, {"action": "StatusNotification", "payload": {"connectorId": 0}},
{"action": "StatusNotification", "payload": {"connectorId": 1}},
{"action": "StatusNotification", "payload": {"connectorId": 2}}]}
""".replace("\n", "")
PREPARING = (
    '{"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Preparing"}}]}'
)


def deviation_of(*lines, header=HEADER):
    """What comes of a script after the boot, in its first line."""
    script = decode("\n".join((header, *lines)))
    (played,) = play_all([script], Tally(CATALOGUE))
    return played.deviation.partition("\n")[0]


def test_what_is_expected_passes():
    assert not deviation_of(BOOT, '{"do": "plug-in"}', PREPARING, '{"wait": 5}')


@pytest.mark.parametrize(
    ("lines", "deviation"),
    [
        (('{"do": "plug-in"}', '{"wait": 1}'), "step 3: StatusNotification {'connectorId': 1, "),
        ((PREPARING,), "step 2: 5 s passed; expected is StatusNotification {'connectorId': 1, "),
        (
            ('{"do": "plug-in"}', PREPARING.replace("Preparing", "Charging")),
            "step 3: StatusNotification {'connectorId': 1, 'errorCode': 'NoError', 'status': 'Preparing'",
        ),
        (
            ('{"request": "ClearCache", "expect": {"status": "Rejected"}}',),
            "step 2: ClearCache was answered {'status': 'Accepted'}; expected is {'status': 'Rejected'}",
        ),
        (
            ('{"request": "ClearCache", "error": "NotSupported"}',),
            "step 2: ClearCache was answered {'status': 'Accepted'}; expected is NotSupported",
        ),
        (
            ('{"request": "ClearCache", "payload": {"a": 1}, "expect": {}}',),
            "step 2: ClearCache was answered FormationViolation; expected is {}",
        ),
        (
            ('{"request": "ClearCache", "nothing": true, "withinS": 1}',),
            "step 2: ClearCache was answered ",
        ),
        (
            ('{"do": "link-down"}', '{"request": "ClearCache"}'),
            "step 3: ClearCache met no station, or it left; expected is an answer",
        ),
    ],
)  # fmt: skip
def test_anything_else_is_a_deviation(lines, deviation):
    assert deviation_of(BOOT, *lines).startswith(f"a, {deviation}")


def test_a_script_may_wait_for_a_connection():
    """However long the station takes to dial again."""
    cut = ('{"wait": 1}', '{"do": "link-down"}', '{"wait": 8}', '{"do": "link-up"}')
    ask = '{"request": "ClearCache", "expect": {"status": "Accepted"}}'
    missed = "a, step 7: ClearCache met no station, or it left; expected is an answer"
    assert not deviation_of(BOOT, *cut, '{"wait": 1, "connected": true}', ask)
    assert deviation_of(BOOT, *cut, '{"wait": 1}', ask).startswith(missed)
    assert deviation_of(BOOT, *cut[:3], '{"wait": 1, "connected": true}') == (
        "a, step 5: 90 s more passed; expected is a connection"
    )


def test_a_station_that_must_not_answer_does_not():
    rejected = '{"answers": "BootNotification", "with": {"status": "Rejected", "interval": 60}}'
    boot = '{"expect": [{"action": "BootNotification"}]}'
    ask = '{"request": "ClearCache", "nothing": true, "withinS": 2}'
    assert not deviation_of(rejected, boot, ask)
    asked = '{"request": "ClearCache", "withinS": 2}'
    assert (
        deviation_of(rejected, boot, asked) == "a, step 3: ClearCache was not answered; expected is an answer"
    )


@pytest.mark.parametrize(
    ("policy", "seen"),
    [
        ('"with": {"idTagInfo": {"status": "Blocked"}}', "Preparing"),
        ('"error": "InternalError"', "Preparing"),
        ('"nothing": true', "Preparing"),
        ('"usual": true, "afterS": 8', "Preparing"),
        ('"usual": true', "Charging"),
    ],
)
def test_the_central_system_answers_as_it_is_told(policy, seen):
    authorize = '{"action": "Authorize", "payload": {"idTag": "CARD"}}'
    start = (
        '{"action": "StartTransaction"}, {"action": "StatusNotification", "payload": {"status": "Charging"}}'
    )
    calls = authorize if seen == "Preparing" else f"{authorize}, {start}"
    lines = (
        f'{{"answers": "Authorize", {policy}}}',
        BOOT,
        '{"do": "plug-in"}',
        PREPARING,
        '{"do": "swipe", "idTag": "CARD"}',
        f'{{"expect": [{calls}]}}',
        '{"wait": 5}',
    )
    assert not deviation_of(*lines)


def test_a_script_may_say_what_its_station_declares():
    header = HEADER.replace('"keys"', '"declares": "[transactions]\\nfree_id_tag = \\"FREE\\"\\n", "keys"')
    lines = (
        '{"do": "plug-in", "connector": 2}',
        '{"expect": [{"action": "StartTransaction", "payload": {"idTag": "FREE"}}, {"action": "StatusNotification"}]}',
    )
    assert not deviation_of(BOOT, *lines, header=header)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (Header("a", station="nowhere.toml"), "a: station nowhere.toml: "),
        (Header("a", declares="[limits]\nqueue_size_max = 1\n"), "a: station full: "),
        (Header("a", keys={"Nonsense": "1"}), "a: key Nonsense: the station has none of that name"),
        (Header("a", keys={"ConnectionTimeOut": "x"}), "a: key ConnectionTimeOut: "),
    ],
)
def test_a_station_that_cannot_be_had_is_named(header, complaint):
    with pytest.raises(ScriptError) as raised:
        station_of(header)
    assert str(raised.value).startswith(complaint)
    assert "\n" not in str(raised.value)


# Order


def status(connector, value):
    return Call("StatusNotification", {"connectorId": connector, "status": value})


def took(reading, *calls):
    return [reading.take(call.action, call.payload) for call in calls]


def test_statuses_of_one_connector_come_in_their_order():
    first, second = status(1, "SuspendedEV"), status(1, "Finishing")
    assert took(Reading((first, second), ()), second) == [False]
    assert took(Reading((first, second), ()), first, second) == [True, True]


def test_statuses_of_two_connectors_come_in_any_order():
    first, second = status(1, "Available"), status(2, "Available")
    assert took(Reading((first, second), ()), second, first) == [True, True]


def test_messages_of_transactions_come_in_their_order():
    start = Call("StartTransaction", {"connectorId": 1})
    stop = Call("StopTransaction", {"transactionId": 1})
    assert took(Reading((start, stop), ()), stop) == [False]


def test_a_status_and_a_transaction_come_in_any_order():
    start = Call("StartTransaction", {"connectorId": 1})
    charging = status(1, "Charging")
    assert took(Reading((start, charging), ()), charging, start) == [True, True]


def test_what_is_optional_may_come_often_and_never():
    reading = Reading((), (Call("Heartbeat"),))
    assert took(reading, Call("Heartbeat"), Call("Heartbeat"), Call("Authorize")) == [True, True, False]
    assert not reading.missing


@pytest.mark.parametrize(
    ("wanted", "found", "is_so"),
    [
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {}, False),
        ({"a": None}, {}, True),
        ({"a": None}, {"a": 1}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, False),
        ({"reason": "Local"}, {}, True),
        ({"reason": "Remote"}, {}, False),
    ],
)
def test_members_fit_if_all_that_are_wanted_are_there(wanted, found, is_so):
    assert fits(wanted, found) is is_so


# Counting


def taken(address, number):
    return Taken(address, CATALOGUE.transitions[number][1], object())


def test_a_pair_is_two_transitions_of_the_same_machine():
    first = next(n for n, (kind, _) in enumerate(CATALOGUE.transitions) if kind == "connector")
    one, other = first, first + 1
    seen = shown(
        CATALOGUE, [[taken("connector/1", one)], [taken("connector/2", one), taken("connector/1", other)]]
    )
    assert seen.items == {one, other, CATALOGUE.pair(one, other)}
    assert dict(seen.lasts) == {"connector/1": other, "connector/2": one}


def test_the_parts_of_a_pair_are_known():
    pair = CATALOGUE.pair(3, 5)
    assert CATALOGUE.parts(pair) == (3, 5)
    assert CATALOGUE.is_pair(pair)
    assert not CATALOGUE.is_pair(3)


def test_nothing_follows_what_came_before_a_restart():
    script = decode("\n".join((HEADER, BOOT, '{"do": "power-cut"}', BOOT.replace("]}", '], "withinS": 90}'))))
    tally = Tally(CATALOGUE)
    assert [played.deviation for played in play_all([script], tally)] == [""]
    number = next(
        n for n, (kind, row) in enumerate(CATALOGUE.transitions) if "first connection" in row.clause
    )
    assert not any(number == CATALOGUE.parts(item)[1] for item in tally.items if CATALOGUE.is_pair(item))
    assert number in tally.items


def test_a_summary_counts_states_transitions_and_pairs():
    assert str(summary(CATALOGUE, {0, 1, CATALOGUE.pair(0, 1)})).startswith(
        f"states {len(CATALOGUE.states_of({0, 1}))} of {len(CATALOGUE.states)}, transitions 2 of "
    )


# The command


def test_the_command_writes_scripts_runs_them_and_tells_what_they_cover(tmp_path):
    ran = CliRunner().invoke(
        tours, ["--select", "data-transfer", "--effort", "60", "--out", str(tmp_path), "--run"]
    )
    assert ran.exit_code == 0, ran.output
    files = sorted(tmp_path.glob("*.jsonl"))
    assert files
    assert decode(files[0].read_text()).header.script == "data-transfer-01"
    assert f"run on our own engine: {len(files)} of {len(files)} scripts passed" in ran.output
    assert "no ground is about that machine: allowance: " in (tmp_path / "not-covered.txt").read_text()


def test_a_ground_that_is_not_there_is_named_with_those_that_are():
    ran = CliRunner().invoke(tours, ["--select", "moon"])
    assert ran.exit_code == 2
    assert "'moon'; allowed: sessions, " in ran.output


def test_a_station_that_is_not_there_is_one_line(tmp_path):
    """And not one for each ground."""
    ran = CliRunner().invoke(tours, ["nowhere.toml", "--out", str(tmp_path)])
    assert ran.exit_code == 2
    assert ran.stderr.startswith("nowhere.toml: found nowhere.toml: No such file")
    assert (ran.stdout, ran.stderr.count("\n")) == ("", 1)
