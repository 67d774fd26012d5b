"""``statecharge schedule``: a table and a picture of what charging profiles mean."""

import json
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from engine.schedule.command import schedule
from tests.smart_charging.payloads import payload

AT, AT_S = "2027-01-15T08:00:00Z", 1_800_000_000


@pytest.fixture
def shown(tmp_path):
    """Runs the command on the AC SMART over 400 s, with a file that holds what it is given."""

    def show(content, *options, station="ac-smart"):
        file = tmp_path / "profiles.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        arguments = [station, "--profiles", str(file), "--at", AT, "--duration", "400", *options]
        return CliRunner().invoke(schedule, arguments)

    return show


def rows(result):
    """Seconds, limits, and what sets them, of the table."""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    lines = result.stdout.splitlines()[3:]
    found = []
    for line in lines:
        if not line:
            break
        _, clock, after, limit, unit, _, *by = line.split()
        hours, minutes, seconds = (int(part) for part in after.split(":"))
        assert clock
        found.append((hours * 3600 + minutes * 60 + seconds, float(limit), unit, " ".join(by)))
    return found


def test_the_worked_example_of_tc_066(shown):
    result = shown(
        [
            payload("max", {0: 10}, start_s=AT_S, duration=86_400, id_=1),
            payload("default", {0: 6, 60: 10, 120: 8, 180: 25, 260: 8}, start_s=AT_S, duration=300, id_=2),
            payload(
                "tx",
                {0: 8, 50: 11, 140: 16, 200: 6, 240: 12},
                start_s=AT_S,
                duration=260,
                id_=3,
                connector=1,
                transactionId=9,
            ),
        ]
    )
    assert result.exit_code == 0
    assert rows(result) == [
        (0, 8, "A", "TxProfile 3"),
        (50, 10, "A", "ChargePointMaxProfile 1"),
        (200, 6, "A", "TxProfile 3"),
        (240, 10, "A", "ChargePointMaxProfile 1"),
        (260, 8, "A", "TxDefaultProfile 2"),
        (300, 10, "A", "ChargePointMaxProfile 1"),
    ]


PROFILE = payload("default", {0: 10, 60: 5}, start_s=AT_S)


@pytest.mark.parametrize(
    "content",
    [
        PROFILE,
        [PROFILE],
        [2, "call", "SetChargingProfile", PROFILE],
        [[2, "call", "SetChargingProfile", PROFILE]],
        PROFILE["csChargingProfiles"],
        [PROFILE["csChargingProfiles"]],
    ],
)
def test_a_profile_may_be_written_in_several_ways(shown, content):
    assert rows(shown(content)) == [
        (0, 10, "A", "TxDefaultProfile 1"),
        (60, 5, "A", "TxDefaultProfile 1, a pause"),
    ]


def test_watts(shown):
    assert rows(shown(PROFILE, "--unit", "W"))[0] == (0, 6900, "W", "TxDefaultProfile 1")


def test_a_tx_profile_alone_is_for_the_connector_that_is_asked_about(shown):
    profile = payload("tx", {0: 10}, kind="Relative")["csChargingProfiles"]
    assert rows(shown(profile)) == [(0, 10, "A", "TxProfile 1")]


def test_a_transaction_may_have_begun_before(shown):
    profile = payload("default", {0: 10, 60: 16}, kind="Relative")
    result = shown(profile, "--started", "2027-01-15T07:59:30Z")
    assert [row[:2] for row in rows(result)] == [(0, 10), (30, 16)]


def test_the_cable_is_a_limit(shown):
    assert rows(shown([], "--cable", "13")) == [(0, 13, "A", "hardware")]


@pytest.fixture
def limited(tmp_path):
    """A station with two connectors and an installation that carries 22 A."""
    file = tmp_path / "limited.toml"
    file.write_text('extends = "full"\n[installation]\ncurrent_max_a = 22')
    return str(file)


def test_the_installation_is_a_limit(shown, limited):
    profiles = [payload("max", {0: 40, 60: 12}, start_s=AT_S)]
    assert rows(shown(profiles, station=limited)) == [
        (0, 22, "A", "installation"),
        (60, 12, "A", "ChargePointMaxProfile 1"),
    ]


def test_who_charges_beside_has_its_share(shown, limited):
    profiles = [
        payload("max", {0: 40, 60: 12, 120: 10}, start_s=AT_S, id_=1),
        payload("default", {0: 16, 100: 5}, start_s=AT_S, connector=2, id_=2),
    ]
    both = ("--charging", "1", "--charging", "2")
    assert rows(shown(profiles, *both, station=limited)) == [
        (0, 11, "A", "installation, shared"),
        (60, 6, "A", "ChargePointMaxProfile 1, shared"),
        (100, 12, "A", "ChargePointMaxProfile 1"),
        (120, 10, "A", "ChargePointMaxProfile 1"),
    ]


def test_where_it_is_too_little_for_both_a_turn_shows(shown, limited):
    both = ("--charging", "1", "--charging", "2", "--duration", "1800")
    assert rows(shown(payload("max", {0: 10}, start_s=AT_S), *both, station=limited)) == [
        (0, 10, "A", "ChargePointMaxProfile 1"),
        (900, 0, "A", "ChargePointMaxProfile 1, not its turn, a pause"),
    ]


def test_of_all_connectors_it_says_whether_they_or_the_station_set_the_limit(shown, limited):
    profiles = [
        payload("max", {0: 30, 60: 10, 120: 30}, start_s=AT_S, id_=1),
        payload("default", {0: 16, 120: 8}, start_s=AT_S, id_=2),
    ]
    assert rows(shown(profiles, "--connector", "0", station=limited)) == [
        (0, 22, "A", "installation"),
        (60, 10, "A", "ChargePointMaxProfile 1"),
        (120, 16, "A", "sum of the connectors"),
    ]


def test_a_connector_that_cannot_charge_beside_is_refused_in_one_line(shown):
    result = shown(PROFILE, "--charging", "2")
    assert result.exit_code == 2
    assert "there is no connector 2 to charge; allowed: 1..1" in result.stderr


def test_a_profile_that_is_refused_is_told_and_the_others_count(shown):
    wrong = payload("default", {0: -1}, start_s=AT_S, id_=7)
    worse = payload("default", {0: 8}, start_s=AT_S, id_=8, unit="kW")
    result = shown([PROFILE, wrong, worse])
    assert result.exit_code == 1
    assert rows(result)[0] == (0, 10, "A", "TxDefaultProfile 1")
    first, second = result.stderr.splitlines()
    assert first.endswith("profile 2 (chargingProfileId 7): Rejected, the limit at 0 is -1")
    assert "profile 3 (chargingProfileId 8): CALLERROR PropertyConstraintViolation" in second


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "allowed: JSON"),
        ('[{"limit": NaN}]', "allowed: JSON"),
        ("7", "item 1 is no charging profile"),
        ([PROFILE, "x"], "item 2 is no charging profile"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_in_one_line(shown, content, found):
    result = shown(content)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert found in line


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path):
    result = CliRunner().invoke(schedule, ["ac-smart", "--profiles", str(tmp_path / "none.json")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_connector_that_does_not_exist_is_refused_in_one_line(shown):
    result = shown(PROFILE, "--connector", "2")
    assert result.exit_code == 2
    assert "there is no connector 2; allowed: 0..1" in result.stderr


def test_the_picture_has_a_step_for_each_row(shown, tmp_path):
    picture = tmp_path / "schedule.svg"
    shown(PROFILE, "--plot", str(picture))
    root = ET.fromstring(picture.read_text())
    paths = [path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    (limit,) = [path for path in paths if path.count("L") == 3 and not path.endswith("Z")][-1:]
    corners = [tuple(float(number) for number in corner.split()) for corner in limit[1:].split("L")]
    assert [x for x, _ in corners] == [76.0, 205.6, 205.6, 940.0]
    assert corners[0][1] == corners[1][1] < corners[2][1] == corners[3][1]


def test_the_picture_shows_pauses(shown, tmp_path):
    picture = tmp_path / "schedule.svg"
    shown(payload("default", {0: 10, 100: 5, 200: 16}, start_s=AT_S), "--plot", str(picture))
    bands = [
        rectangle
        for rectangle in ET.fromstring(picture.read_text()).iter("{http://www.w3.org/2000/svg}rect")
        if rectangle.get("fill-opacity") and rectangle.get("height") != "16"
    ]
    assert [(band.get("x"), band.get("width")) for band in bands] == [("292.0", "216.0")]


def test_dates_at_an_edge_of_the_picture_are_whole(shown, tmp_path):
    picture = tmp_path / "schedule.svg"
    shown(PROFILE, "--plot", str(picture), "--duration", "172800", "--at", "2027-01-15T00:00:00Z")
    texts = ET.fromstring(picture.read_text()).iter("{http://www.w3.org/2000/svg}text")
    dates = [(float(text.get("x")), text.text) for text in texts if text.text.startswith("2027-01-1")]
    assert [text for _, text in dates] == ["2027-01-15", "2027-01-16", "2027-01-17"]
    assert all(38 <= x <= 960 - 38 for x, _ in dates)


def test_the_picture_says_what_it_is(shown, tmp_path):
    picture = tmp_path / "schedule.svg"
    shown(PROFILE, "--plot", str(picture))
    texts = [
        text.text for text in ET.fromstring(picture.read_text()).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert {"limit", "profiles of the transaction", "hardware", "08:00", "2027-01-15", "10 A"} <= set(texts)
