"""A wrong station file is refused with the entry, the line, what was found and what is allowed."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.declaration.layers import read_layers
from engine.declaration.problems import EntryPath, show_path
from engine.declaration.schema import ENTRIES, Kind
from engine.station_file import Problem, StationFileError, load

Refuse = Callable[..., list[Problem]]

MERGED = read_layers("ac-smart").merged()


def toml(value: object) -> str:
    """``value`` as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return DATE if value == DATE else msgspec.json.encode(value).decode()


DATE = "1979-05-27"
"""A type that no entry has."""


@pytest.fixture
def refuse(tmp_path: Path) -> Refuse:
    """Writes a file, which must be refused, and returns its problems."""

    def load_refused(text: str) -> list[Problem]:
        file = tmp_path / "station.toml"
        file.write_text(text)
        with pytest.raises(StationFileError) as caught:
            load(file)
        assert all(problem.file == file for problem in caught.value.problems)
        assert all("\n" not in str(problem) for problem in caught.value.problems)
        return list(caught.value.problems)

    return load_refused


def test_five_mistakes_are_five_problems_with_their_lines(refuse: Refuse) -> None:
    problems = refuse(
        """\
extends = "ac-smart"
[csms]
url = "http://localhost:9000/ocpp"
[identity]
vendor = "Weidmueller Interface GmbH"
[limits]
inbox_size = 3
[keys.HeartbeatInterval]
default = 0
[[connectors]]
number = 1
cable = "tethered"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "simulated"
"""
    )
    assert {(problem.line, problem.path, problem.found, problem.allowed) for problem in problems} == {
        (3, "csms.url", '"http://localhost:9000/ocpp"', "a URL that begins with ws:// or wss://"),
        (
            5,
            "identity.vendor",
            '"Weidmueller Interface GmbH", 26 characters',
            "a text, 1..20 characters, printable ASCII",
        ),
        (
            7,
            "limits.inbox_size",
            "the unknown name 'inbox_size'",
            problems_allowed(problems, "limits.inbox_size"),
        ),
        (9, "keys.HeartbeatInterval.default", "0", "HeartbeatInterval takes 1..31536000 s, not 0"),
        (13, "connectors[0].has_lock", "true", "false with a tethered cable"),
    }
    assert len(problems) == 5


def problems_allowed(problems: list[Problem], path: str) -> str:
    """What is allowed at ``path``: a list of names too long to repeat here."""
    (problem,) = (problem for problem in problems if problem.path == path)
    assert problem.allowed.startswith("one of call_timeout_s, connect_timeout_s, ")
    assert problem.hint == "did you mean inbox_size_max?"
    return problem.allowed


def test_a_problem_is_one_line_that_says_it_all(refuse: Refuse) -> None:
    (problem,) = refuse('extends = "ac-smart"\n\ntransactions.recovery = "resumed"')
    assert str(problem) == (
        f'{problem.file}:3: transactions.recovery: found "resumed", allowed: one of resume, end '
        "(did you mean resume?)"
    )


# Every single corruption of the product's declaration


def leaves(value: object, path: EntryPath = ()) -> Iterator[EntryPath]:
    """The paths of all entries that are no tables."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path


def tables(value: object, path: EntryPath = ()) -> Iterator[EntryPath]:
    """The paths of all tables."""
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from tables(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from tables(inner, (*path, number))


def stated(table: str) -> bool:
    """The catalogue has some 500 entries; the product's own are enough here."""
    return table not in ("catalogue", "items")


PRODUCT = {name: value for name, value in MERGED.items() if stated(name)}


def changed(path: EntryPath, change: Callable[[object, str | int], None]) -> str:
    """The declaration as one text, with ``change`` done to the table that has the last part of ``path``."""
    declaration = copy.deepcopy(MERGED)
    table: object = declaration
    for part in path[:-1]:
        table = table[part]  # type: ignore[index]
    change(table, path[-1])
    return "\n".join(f"{name} = {toml(value)}" for name, value in declaration.items())


def replacement(value: object) -> Callable[[object, str | int], None]:
    def put(table: object, name: str | int) -> None:
        table[name] = value  # type: ignore[index]

    return put


@pytest.mark.parametrize("path", list(leaves(PRODUCT)), ids=show_path)
def test_a_value_of_the_wrong_type_is_refused(path: EntryPath, refuse: Refuse) -> None:
    problems = refuse(changed(path, replacement(DATE)))
    assert [(problem.path, problem.found) for problem in problems] == [(show_path(path), DATE)]


@pytest.mark.parametrize("path", list(tables(PRODUCT)), ids=show_path)
def test_an_unknown_name_is_refused(path: EntryPath, refuse: Refuse) -> None:
    unknown = (*path, "vehicel")
    problems = refuse(changed(unknown, replacement({"type": "int"})))
    assert [problem.path for problem in problems] == [show_path(unknown)]


def of_schema(path: EntryPath) -> str:
    """``path`` as the schema writes it."""
    return show_path(path).replace("[0]", "[]")


REQUIRED = {entry.path for entry in ENTRIES if not entry.optional}


@pytest.mark.parametrize(
    "path", [path for path in leaves(PRODUCT) if of_schema(path) in REQUIRED], ids=show_path
)
def test_an_entry_that_is_missing_is_told(path: EntryPath, refuse: Refuse) -> None:
    problems = refuse(changed(path, lambda table, name: table.pop(name)))  # type: ignore[attr-defined]
    assert [(problem.path, problem.found) for problem in problems] == [(show_path(path), "nothing")]


def beyond() -> Iterator[tuple[EntryPath, object]]:
    """Values just outside of the bounds of the schema."""
    bounds = {entry.path: entry for entry in ENTRIES}
    for path in leaves(PRODUCT):
        entry = bounds.get(of_schema(path))
        if entry is None or entry.min is None or entry.max is None:
            continue
        if entry.kind in (Kind.NUMBER, Kind.WHOLE):
            yield path, entry.min - 1 if entry.kind is Kind.NUMBER else int(entry.min) - 1
            yield path, entry.max + 0.5 if entry.kind is Kind.NUMBER else int(entry.max) + 1
        elif entry.kind is Kind.TEXT:
            yield path, ""
            yield path, "x" * (int(entry.max) + 1)
            if "ASCII" in entry.words:
                yield path, "Weidm\u00fcller"


@pytest.mark.parametrize(("path", "value"), list(beyond()))
def test_a_value_out_of_range_is_refused(path: EntryPath, value: object, refuse: Refuse) -> None:
    problems = refuse(changed(path, replacement(value)))
    assert [problem.path for problem in problems] == [show_path(path)]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_a_number_is_finite(value: str, refuse: Refuse) -> None:
    (problem,) = refuse(f'extends = "full"\nlimits.stop_flush_s = {value}')
    assert (problem.path, problem.found) == ("limits.stop_flush_s", value)


def test_an_empty_file_is_told_all_that_it_lacks(refuse: Refuse) -> None:
    problems = refuse("")
    lacking = {problem.path for problem in problems}
    assert {"identity.vendor", "csms.url", "connectors", "messages.sends", "limits.call_timeout_s"} <= lacking
    assert {problem.line for problem in problems} == {1}


# One by one. Each text goes behind `extends = "ac-smart"`, in line 1.

CONNECTOR = {
    "number": 1,
    "cable": "socket",
    "has_lock": True,
    "current_max_a": 32,
    "current_min_a": 6,
    "phases": 3,
    "voltage_v": 230,
    "driver": "simulated",
}


def connectors(*changes: dict[str, object]) -> str:
    """As many connectors as there are changes, each with one of them."""
    declared = toml([{**CONNECTOR, **change} for change in changes])
    return f"connectors = {declared}\nkeys.NumberOfConnectors.default = {len(changes)}"


MISTAKES = {
    "a gap in the numbers": (connectors({}, {"number": 3}), "connectors[1].number"),
    "a number twice": (connectors({}, {}), "connectors[1].number"),
    "numbers out of order": (connectors({}, {"number": 2}, {"number": 4}), "connectors[2].number"),
    "a rating beyond the standard": (connectors({"current_max_a": 90}), "connectors[0].current_max_a"),
    "a rating below the standard": (connectors({"current_max_a": 5.9}), "connectors[0].current_max_a"),
    "currents in the wrong order": (connectors({"current_min_a": 33}), "connectors[0].current_min_a"),
    "a lock without a socket": (connectors({"cable": "tethered"}), "connectors[0].has_lock"),
    "two phases": (connectors({"phases": 2}), "connectors[0].phases"),
    "an unknown cable": (connectors({"cable": "plug"}), "connectors[0].cable"),
    "an unknown driver": (connectors({"driver": "simulatd"}), "connectors[0].driver"),
    "an unknown parameter": (connectors({"parameters": {"vehikle": 1}}), "connectors[0].parameters.vehikle"),
    "a parameter out of range": (
        connectors({"parameters": {"vehicle": {"soc_percent": 101}}}),
        "connectors[0].parameters.vehicle.soc_percent",
    ),
    "a cable that no resistor codes": (
        connectors({"parameters": {"cable_rating_a": 16}}),
        "connectors[0].parameters.cable_rating_a",
    ),
    "no connectors": ("connectors = []", "connectors"),
    "a reader of a connector that is not there": (
        'readers = [{driver = "simulated", connectors = [1, 2]}]',
        "readers[0].connectors[1]",
    ),
    "a reader of a connector twice": (
        'readers = [{driver = "simulated", connectors = [1, 1]}]',
        "readers[0].connectors[1]",
    ),
    "a reader with an unknown driver": (
        'readers = [{driver = "telepathy", connectors = [1]}]',
        "readers[0].driver",
    ),
    "a message twice": (
        'messages.sends = ["BootNotification", "Heartbeat", "Heartbeat"]',
        "messages.sends[2]",
    ),
    "an unknown message": ('messages.sends = ["BootNotification", "Authorise"]', "messages.sends[1]"),
    "a message in another case": ('messages.receives = ["reset"]', "messages.receives[0]"),
    "a message in the wrong direction": ('messages.receives = ["Heartbeat"]', "messages.receives[0]"),
    "no BootNotification": ('messages.sends = ["Heartbeat"]', "messages.sends"),
    "a vendorId that is too long": (
        f'data_transfer.{"v" * 256} = {{messages = [""], status = "Accepted"}}',
        f"data_transfer.{'v' * 256}",
    ),
    "a vendorId that is empty": (
        'data_transfer."" = {messages = [""], status = "Accepted"}',
        "data_transfer.",
    ),
    "a vendorId that is not printable": (
        'data_transfer."a\\nb" = {messages = [""], status = "Accepted"}',
        'data_transfer."a\\nb"',
    ),
    "a vendorId in two cases": (
        'data_transfer = {A = {messages = [""], status = "Accepted"}, a = {messages = [""], status = "Accepted"}}',
        "data_transfer.a",
    ),
    "a messageId that is too long": (
        f'data_transfer.A = {{messages = ["", "{"m" * 51}"], status = "Accepted"}}',
        "data_transfer.A.messages[1]",
    ),
    "a messageId that is not printable": (
        'data_transfer.A = {messages = ["Grüße"], status = "Accepted"}',
        "data_transfer.A.messages[0]",
    ),
    "a messageId twice": (
        'data_transfer.A = {messages = ["Ping", "ping"], status = "Accepted"}',
        "data_transfer.A.messages[1]",
    ),
    "a reservation that lasts sometimes": (
        'reservations.outlast_faults = "sometimes"',
        "reservations.outlast_faults",
    ),
    "a URL of http": ('csms.url = "http://host/"', "csms.url"),
    "a URL without a host": ('csms.url = "ws:///path"', "csms.url"),
    "a URL with a password": ('csms.url = "ws://user:word@host/"', "csms.url"),
    "a URL with a query": ('csms.url = "ws://host/?a=b"', "csms.url"),
    "a URL with a wrong port": ('csms.url = "ws://host:99999/"', "csms.url"),
    "a URL with a wrong address": ('csms.url = "ws://[::1/"', "csms.url"),
    "an identity with a colon": ('csms.identity = "A:B"', "csms.identity"),
    "an identity that begins with a blank": ('csms.identity = " A"', "csms.identity"),
    "certificates without TLS": ('csms.ca_file = "station.toml"', "csms.ca_file"),
    "certificates that are not there": ('csms = {url = "wss://host", ca_file = "no.pem"}', "csms.ca_file"),
    "a password that is short": (f'csms.authorization_key = "{"ab" * 15}"', "csms.authorization_key"),
    "a password of odd length": (f'csms.authorization_key = "{"a" * 33}"', "csms.authorization_key"),
    "a password file that is not there": (
        'csms.authorization_key_file = "no.key"',
        "csms.authorization_key_file",
    ),
    "two passwords": (
        f'csms = {{authorization_key = "{"ab" * 16}", authorization_key_file = "no.key"}}',
        "csms.authorization_key_file",
    ),
    "back-offs in the wrong order": ("limits.back_off_first_s = 121", "limits.back_off_first_s"),
    "a bench port that does not exist": ("bench.port = 65536", "bench.port"),
    "an unknown log level": ('log.level = "verbose"', "log.level"),
    "an unknown table": ("driver = 1", "driver"),
    "a table that is none": ("limits = 3", "limits"),
    "an unknown key": ("keys.HeartBeatInterval = {}", "keys.HeartBeatInterval"),
    "a default out of range": ("keys.LightIntensity.default = 101", "keys.LightIntensity.default"),
    "a default of the wrong type": ("keys.LightIntensity.default = true", "keys.LightIntensity.default"),
    "a default outside of the narrowed range": (
        "keys.LightIntensity = {max = 50}",
        "keys.LightIntensity.default",
    ),
    "a default with an unknown item": (
        'keys.MeterValuesAlignedData.default = ["Energy"]',
        "keys.MeterValuesAlignedData.default",
    ),
    "a default with too many items": (
        'keys = {MeterValuesAlignedData = {default = ["SoC", "Voltage"], items_max = 1}}',
        "keys.MeterValuesAlignedData.default",
    ),
    "another type than the catalogue's": ('keys.LightIntensity.type = "string"', "keys.LightIntensity.type"),
    "another unit than the catalogue's": ('keys.LightIntensity.unit = "lx"', "keys.LightIntensity.unit"),
    "a unit where the catalogue has none": (
        'keys.LocalPreAuthorize.unit = "s"',
        "keys.LocalPreAuthorize.unit",
    ),
    "a wider access": ('keys.NumberOfConnectors.access = "RW"', "keys.NumberOfConnectors.access"),
    "a secret that can be read": ('keys.AuthorizationKey.access = "R"', "keys.AuthorizationKey.access"),
    "a secret in the declaration": (
        f'keys.AuthorizationKey.default = "{"ab" * 16}"',
        "keys.AuthorizationKey.default",
    ),
    "a wider range": ("keys.LightIntensity.max = 200", "keys.LightIntensity.max"),
    "a range upside down": ("keys.LightIntensity = {min = 60, max = 40}", "keys.LightIntensity.min"),
    "a range of a boolean": ("keys.LocalPreAuthorize.max = 1", "keys.LocalPreAuthorize.max"),
    "items of an integer": ('keys.LightIntensity.items = ["1"]', "keys.LightIntensity.items"),
    "an unknown set of items": (
        'keys.MeterValuesAlignedData.items = "measurends"',
        "keys.MeterValuesAlignedData.items",
    ),
    "items that the rules do not know": (
        'keys.MeterValuesAlignedData.items = ["Energy.Active.Import.Register", "Noise"]',
        "keys.MeterValuesAlignedData.items",
    ),
    "a length named after an unknown key": (
        'keys.MeterValuesAlignedData.items_max = "Length"',
        "keys.MeterValuesAlignedData.items_max",
    ),
    "another number of connectors": (
        "keys.NumberOfConnectors.default = 2",
        "keys.NumberOfConnectors.default",
    ),
    "more current than the hardware has": (
        "keys.ConnectorMaximumCurrent.default = 33",
        "keys.ConnectorMaximumCurrent.default",
    ),
    "a spelling of an unknown key": ('keys.Beat.stands_for = "Heart"', "keys.Beat.stands_for"),
    "a spelling that is a key itself": (
        'keys.BlinkRepeat.stands_for = "LightIntensity"',
        "keys.BlinkRepeat.stands_for",
    ),
    "a spelling with a blank": (
        'keys."Max Current".stands_for = "ConnectorMaximumCurrent"',
        "keys.Max Current",
    ),
    "a spelling in another case": (
        'keys.chargescheduleallowedchargingrateunit.stands_for = "ChargingScheduleAllowedChargingRateUnit"',
        "keys.chargescheduleallowedchargingrateunit",
    ),
    "two defaults for one key": (
        'keys.ChargingScheduleAllowedChargingRateUnit.default = ["Power"]',
        "keys.ChargeScheduleAllowedChargingRateUnit.default",
    ),
}


@pytest.mark.parametrize(("text", "path"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_problem(text: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text(f'extends = "ac-smart"\n{text}')
    with pytest.raises(StationFileError) as caught:
        load(file)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_texts_of_data_transfer_of_the_greatest_length_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    vendor, message = "v" * 255, "m" * 50
    file.write_text(
        f'extends = "ac-smart"\ndata_transfer.{vendor} = {{messages = ["{message}"], status = "Rejected"}}'
    )
    (declared,) = load(file).settings.data_transfer
    assert (declared.vendor_id, declared.messages) == (vendor, (message,))


UNLOCKED = f"""
extends = "full"
connectors = {toml([{**CONNECTOR, "cable": "tethered", "has_lock": False}])}
readers = []
keys.ConnectorPhaseRotation.default = []
keys.UnlockConnectorOnEVSideDisconnect"""


def test_without_a_lock_the_cable_cannot_be_released(refuse: Refuse, tmp_path: Path) -> None:
    """9.1.35: with a fixed cable the key is false and cannot be changed."""
    released, writable = refuse(f'{UNLOCKED} = {{ default = true, access = "RW" }}')
    assert released.path == "keys.UnlockConnectorOnEVSideDisconnect.default"
    assert writable.path == "keys.UnlockConnectorOnEVSideDisconnect.access"
    (tmp_path / "right.toml").write_text(f'{UNLOCKED} = {{ access = "R" }}')
    assert load(tmp_path / "right.toml").defaults.unlock_connector_on_ev_side_disconnect is False


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('messages.sends = ["BootNotification", "Authorise"]', "did you mean Authorize?"),
        ('messages.receives = ["Heartbeat"]', "it is sent by the charge point only"),
        ('messages.sends = ["BootNotification", "Reset"]', "it is sent by the Central System only"),
        ("keys.HeartBeatIntervall = {}", "did you mean HeartbeatInterval?"),
        ("limit = {}", "did you mean limits?"),
        ('identity.modle = "x"', "did you mean model?"),
        ('keys.Beat.stands_for = "HeartbeatIntervall"', "did you mean HeartbeatInterval?"),
        ("keys.Zebra = {}", ""),
    ],
)
def test_the_nearest_known_name_is_suggested(text: str, hint: str, refuse: Refuse) -> None:
    (problem,) = refuse(f'extends = "ac-smart"\n{text}')
    assert problem.hint == hint


# Secrets


@pytest.mark.parametrize("value", ['"c0ffee"', '"' + "c0ffee" * 9 + '"', "123456789012345678901234567890"])
def test_a_wrong_secret_is_not_repeated(value: str, refuse: Refuse) -> None:
    (problem,) = refuse(f'extends = "ac-smart"\ncsms.authorization_key = {value}')
    assert value.strip('"')[:6] not in str(problem)


@pytest.mark.parametrize(
    ("content", "mode", "found"),
    [
        ("ab" * 20, 0o640, "mode 0640"),
        ("ab" * 20, 0o604, "mode 0604"),
        ("c0ffee" * 5, 0o600, "30 characters"),
        ("c0ffee" * 9, 0o600, "54 characters"),
        ("c0ffee-" * 5, 0o600, "something else"),
        ("caf\u00e9" * 10, 0o600, "something else"),
    ],
)
def test_a_password_file_is_private_and_has_a_key(
    content: str, mode: int, found: str, tmp_path: Path, refuse: Refuse
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    secret.chmod(mode)
    (problem,) = refuse('extends = "ac-smart"\ncsms.authorization_key_file = "secret"')
    assert (problem.line, problem.path) == (2, "csms.authorization_key_file")
    assert found in problem.found
    assert "c0ffee" not in str(problem)


def test_an_outbox_has_room_for_all_statuses(refuse: Refuse) -> None:
    """They are told at once: one for each connector and one for the station; what has no room is told to nobody."""
    (problem,) = refuse('extends = "full"\nlimits.outbox_size_max = 5')
    assert (problem.path, problem.found, problem.allowed) == (
        "limits.outbox_size_max",
        "5",
        "at least 6 with 2 connectors",
    )


# The catalogue


def test_a_file_without_a_catalogue_is_told_where_to_get_it(refuse: Refuse) -> None:
    declaration = {name: value for name, value in MERGED.items() if name != "catalogue"}
    (problem,) = refuse("\n".join(f"{name} = {toml(value)}" for name, value in declaration.items()))
    assert (problem.path, problem.hint) == ("catalogue", 'extend "base" or "catalogue"')


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('catalogue.LightIntensity.type = "string"', "catalogue.LightIntensity.type"),
        ('catalogue.LightIntensity.access = "X"', "catalogue.LightIntensity.access"),
        ('catalogue.Light = {type = "int", access = "R"}', "catalogue.Light.description"),
        ("items.measurands = []", "items.measurands"),
        ("catalogue = 1", "catalogue"),
        ("keys = 1", "keys"),
    ],
)
def test_the_catalogue_cannot_be_broken_unnoticed(text: str, path: str, refuse: Refuse) -> None:
    assert path in {problem.path for problem in refuse(f'extends = "ac-smart"\n{text}')}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("catalogue.HeartbeatInterval.min = 0", "catalogue.HeartbeatInterval"),
        ('catalogue.NumberOfConnectors.access = "RW"', "catalogue.NumberOfConnectors"),
        ('items.measurands = ["Energy.Active.Import.Register", "Nonsense"]', "items.measurands"),
    ],
)
def test_what_the_rules_take_is_widened_nowhere(text: str, path: str, refuse: Refuse) -> None:
    """A measurand that nobody knows would end the station with the first sample, and so would a start after it."""
    (problem,) = refuse(f'extends = "ac-smart"\n{text}')
    assert problem.path == path
    assert "keys" in problem.allowed


# Whatever is written


ANYTHING = st.recursive(
    st.sampled_from([0, -1, 7, 0.5, True, "", "x", "Core", "{connector}", "R"]) | st.just(DATE),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "default", "items", "number", "driver", "x"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([path for path in [*leaves(PRODUCT), *tables(PRODUCT)] if path]), ANYTHING)
def test_whatever_is_put_anywhere_is_taken_or_refused(tmp_path: Path, path: EntryPath, value: object) -> None:
    file = tmp_path / "station.toml"
    file.write_text(changed(path, replacement(value)))
    with suppress(StationFileError):
        load(file)
