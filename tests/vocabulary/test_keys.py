"""Texts of ChangeConfiguration become values of the declared type and range, or a refusal that says why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from engine.station_file import load
from machines.vocabulary.keys import (
    Access,
    KeyRefusal,
    KeyRule,
    Keys,
    KeySet,
    KeyType,
    attribute_of,
    check_value,
    format_value,
    parse_value,
    read_value,
    with_value,
)

EXAMPLE = KeyRule(
    name="Example", attribute="example", type=KeyType.BOOL, access=Access.READ_WRITE, reboot=False
)


def rule(type: KeyType, **entries: Any) -> KeyRule:  # noqa: A002
    return structs.replace(EXAMPLE, type=type, **entries)


SWITCH = rule(KeyType.BOOL)
SECONDS = rule(KeyType.INT, min=0, max=86_400, unit="s")
ITEMS = ("Voltage", "Voltage.L1-N", "Current.Import.L1", "SoC")
MEASURANDS = rule(KeyType.LIST, items=ITEMS, items_max=3)
SECRET = rule(KeyType.STRING, access=Access.WRITE, unit="hex", min=32, max=40)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("False", False), ("false", False)]
)
def test_a_boolean_is_read_in_whatever_case(text: str, value: bool) -> None:
    assert parse_value(SWITCH, text) is value


@pytest.mark.parametrize("text", ["", "1", "0", "yes", "true "])
def test_what_is_neither_true_nor_false_is_no_boolean(text: str) -> None:
    assert isinstance(parse_value(SWITCH, text), KeyRefusal)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("60", 60), ("86400", 86_400), ("007", 7)])
def test_an_integer_is_read_within_its_range(text: str, value: int) -> None:
    assert parse_value(SECONDS, text) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "86401", "1.0", "1e3", "+5", "0x10", "\u0661", "6 0", " 60", "9" * 5000]
)
def test_what_is_outside_of_the_range_or_no_integer_is_refused(text: str) -> None:
    assert isinstance(parse_value(SECONDS, text), KeyRefusal)


def test_a_negative_integer_is_taken_where_the_range_has_it() -> None:
    assert parse_value(rule(KeyType.INT, min=-10, max=10), "-10") == -10


def test_blanks_around_the_items_of_a_list_do_not_count() -> None:
    assert parse_value(MEASURANDS, " Voltage.L1-N ,Current.Import.L1,\tSoC") == (
        "Voltage.L1-N",
        "Current.Import.L1",
        "SoC",
    )


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_an_empty_list(text: str) -> None:
    assert parse_value(MEASURANDS, text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Voltage,Voltage.L1-N,SoC,Current.Import.L1",
        "Voltage.L2-N",
        "voltage",
        "Voltage,",
        ",",
        "SoC,SoC",
        "SoC SoC",
    ],
    ids=["too many", "unknown phase", "other case", "empty item", "only empty items", "twice", "no comma"],
)
def test_a_list_takes_every_known_item_once_and_not_too_many(text: str) -> None:
    assert isinstance(parse_value(MEASURANDS, text), KeyRefusal)


def test_a_list_of_anything_is_bounded_by_the_field_on_the_wire() -> None:
    """GetConfiguration.conf has 500 characters for a value (6.22)."""
    anything = rule(KeyType.LIST)
    assert check_value(anything, ("x" * 250, "y" * 249)) is None
    assert isinstance(check_value(anything, ("x" * 250, "y" * 250)), KeyRefusal)


@pytest.mark.parametrize("digits", [32, 38, 40])
def test_an_authorization_key_has_16_to_20_bytes(digits: int) -> None:
    assert parse_value(SECRET, "aF" * (digits // 2)) == "aF" * (digits // 2)


@pytest.mark.parametrize("text", ["", "ab" * 15, "ab" * 21, "a" * 33, "g" * 32])
def test_an_authorization_key_that_is_short_long_odd_or_not_hex_is_refused(text: str) -> None:
    assert isinstance(parse_value(SECRET, text), KeyRefusal)


def test_a_refusal_of_a_text_does_not_repeat_it() -> None:
    refusal = parse_value(SECRET, "hunter2" * 5)
    assert isinstance(refusal, KeyRefusal)
    assert "hunter2" not in refusal.why


@pytest.mark.parametrize(
    ("given_rule", "text", "why"),
    [
        (SECONDS, "-1", "Example takes 0..86400 s, not -1"),
        (SECONDS, "soon", "Example takes a whole number, not 'soon'"),
        (SWITCH, "on", "Example takes true or false, not 'on'"),
        (MEASURANDS, "RPM", "Example takes no item 'RPM'"),
    ],
)
def test_a_refusal_says_what_is_allowed(given_rule: KeyRule, text: str, why: str) -> None:
    assert parse_value(given_rule, text) == KeyRefusal(why)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (-5, "-5"),
        (("Voltage", "SoC"), "Voltage,SoC"),
        ((), ""),
        ("abc", "abc"),
    ],
)
def test_a_value_is_written_as_ocpp_writes_it(value: bool | int | str | tuple[str, ...], text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("given_rule", "value"), [(SECONDS, True), (SWITCH, 1), (MEASURANDS, "SoC"), (SECRET, ("a",))]
)
def test_a_value_of_another_type_is_refused(
    given_rule: KeyRule, value: bool | int | str | tuple[str, ...]
) -> None:
    assert isinstance(check_value(given_rule, value), KeyRefusal)


@given(st.integers(0, 86_400) | st.booleans() | st.lists(st.sampled_from(ITEMS), unique=True, max_size=3))
def test_what_is_written_is_read_back(value: bool | int | list[str]) -> None:
    known = tuple(value) if isinstance(value, list) else value
    of_type = SWITCH if isinstance(known, bool) else SECONDS if isinstance(known, int) else MEASURANDS
    assert parse_value(of_type, format_value(known)) == known


@given(st.sampled_from([SWITCH, SECONDS, MEASURANDS, SECRET]), st.text(max_size=60))
def test_any_text_is_read_or_refused_and_what_is_read_is_allowed(given_rule: KeyRule, text: str) -> None:
    value = parse_value(given_rule, text)
    assert isinstance(value, KeyRefusal) or check_value(given_rule, value) is None


def test_a_key_is_found_in_whatever_case_and_echoes_its_own_spelling() -> None:
    keys = KeySet(
        (
            structs.replace(SECONDS, name="HeartbeatInterval"),
            structs.replace(SWITCH, name="LocalPreAuthorize"),
        )
    )
    found = keys.find("heartbeatINTERVAL")
    assert found is not None
    assert found.name == "HeartbeatInterval"
    assert keys.find("Heartbeat") is None


@pytest.mark.parametrize(
    ("access", "is_readable", "is_writable"),
    [(Access.READ, True, False), (Access.READ_WRITE, True, True), (Access.WRITE, False, True)],
)
def test_access_says_who_may_read_and_write(access: Access, is_readable: bool, is_writable: bool) -> None:
    given_rule = rule(KeyType.INT, access=access)
    assert (given_rule.is_readable, given_rule.is_writable) == (is_readable, is_writable)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("HeartbeatInterval", "heartbeat_interval"),
        ("StopTransactionOnEVSideDisconnect", "stop_transaction_on_ev_side_disconnect"),
        ("WebSocketPingInterval", "web_socket_ping_interval"),
        ("ConnectorSwitch3to1PhaseSupported", "connector_switch3to1_phase_supported"),
        ("MaxEnergyOnInvalidId", "max_energy_on_invalid_id"),
    ],
)
def test_the_attribute_of_a_key_is_its_name_in_lower_case_words(name: str, attribute: str) -> None:
    assert attribute_of(name) == attribute
    assert attribute in Keys.__struct_fields__


def test_a_value_is_read_and_replaced_by_its_rule() -> None:
    station = load("full")
    heartbeat = station.keys.find("HeartbeatInterval")
    assert heartbeat is not None
    changed = with_value(station.defaults, heartbeat, 17)
    assert changed.heartbeat_interval == 17
    assert read_value(changed, heartbeat) == 17
    assert (
        structs.replace(changed, heartbeat_interval=station.defaults.heartbeat_interval) == station.defaults
    )


def test_the_secret_is_never_shown() -> None:
    keys = structs.replace(load("full").defaults, authorization_key="c0ffee" * 6)
    assert "c0ffee" not in f"{keys!r} {keys}"
    assert "heartbeat_interval=300" in repr(keys)
