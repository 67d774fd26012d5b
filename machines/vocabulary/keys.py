"""Configuration keys: their typed values, and the rules by which texts of OCPP become values (sections 5.4, 9).

On the wire every value is a text. A :class:`KeyRule` says what a text must look like for one declared key; the
station's whole declaration is a :class:`KeySet`. The values themselves live in one frozen :class:`Keys`, which has
an attribute for every key the rules of this project read, declared or not: a key that the station does not
declare keeps the default of the catalogue and cannot be seen over OCPP.
"""

import re
from enum import StrEnum
from functools import cache

from msgspec import Struct, structs

KeyValue = bool | int | str | tuple[str, ...]

INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)
HEX_DIGITS = re.compile(r"(?:[0-9A-Fa-f]{2})*")
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

TEXT_SIZE_MAX = 500
"""Characters of a value on the wire (ChangeConfiguration.req, GetConfiguration.conf)."""


class Keys(Struct, frozen=True, kw_only=True):
    """The value of every configuration key. Times in s, currents in A, energies in Wh.

    There are no defaults here: the catalogue and the station file have them.
    """

    # Core
    allow_offline_tx_for_unknown_id: bool
    authorization_cache_enabled: bool
    authorize_remote_tx_requests: bool
    blink_repeat: int
    clock_aligned_data_interval: int
    connection_time_out: int
    connector_phase_rotation: tuple[str, ...]
    connector_phase_rotation_max_length: int
    get_configuration_max_keys: int
    heartbeat_interval: int
    light_intensity: int
    """Percent."""
    local_authorize_offline: bool
    local_pre_authorize: bool
    max_energy_on_invalid_id: int
    message_timeout: int
    meter_values_aligned_data: tuple[str, ...]
    """Measurands, each with its phase if only one is wanted, such as ``Voltage.L1-N``."""
    meter_values_aligned_data_max_length: int
    meter_values_sampled_data: tuple[str, ...]
    meter_values_sampled_data_max_length: int
    meter_value_sample_interval: int
    minimum_status_duration: int
    number_of_connectors: int
    reset_retries: int
    stop_transaction_max_meter_values: int
    stop_transaction_on_ev_side_disconnect: bool
    stop_transaction_on_invalid_id: bool
    stop_txn_aligned_data: tuple[str, ...]
    stop_txn_aligned_data_max_length: int
    stop_txn_sampled_data: tuple[str, ...]
    stop_txn_sampled_data_max_length: int
    supported_feature_profiles: tuple[str, ...]
    supported_feature_profiles_max_length: int
    transaction_message_attempts: int
    transaction_message_retry_interval: int
    unlock_connector_on_ev_side_disconnect: bool
    web_socket_ping_interval: int
    # FirmwareManagement
    supported_file_transfer_protocols: tuple[str, ...]
    # LocalAuthListManagement
    local_auth_list_enabled: bool
    local_auth_list_max_length: int
    send_local_list_max_length: int
    # Reservation
    reserve_connector_zero_supported: bool
    # SmartCharging
    charge_profile_max_stack_level: int
    charging_schedule_allowed_charging_rate_unit: tuple[str, ...]
    """``Current``, ``Power`` or both."""
    charging_schedule_max_periods: int
    connector_switch3to1_phase_supported: bool
    max_charging_profiles_installed: int
    # Security
    authorization_key: str
    """Password of Basic authentication as hexadecimal digits; empty when there is none. A secret."""
    # Vendor
    connector_maximum_current: int
    """Upper limit of what any connector offers, A per phase."""

    def __repr__(self) -> str:
        """All values but the secret one, so that no log can show it."""
        shown = (
            f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
            if name != "authorization_key"
        )
        return f"Keys({', '.join(shown)}, authorization_key=...)"


class KeyType(StrEnum):
    """What a value is."""

    BOOL = "bool"
    INT = "int"
    LIST = "list"
    STRING = "string"


class Access(StrEnum):
    """What the Central System may do with a key."""

    READ = "R"
    READ_WRITE = "RW"
    WRITE = "W"
    """Never shown: a secret."""


class KeyRule(Struct, frozen=True, kw_only=True):
    """One declared key."""

    name: str
    """As spelt on the wire."""
    attribute: str
    """Where the value lives in :class:`Keys`. Two names may stand for one attribute."""
    type: KeyType
    access: Access
    reboot: bool
    """Whether a new value counts only after a restart (answer RebootRequired)."""
    unit: str | None = None
    """``s``, ``A``, ``Wh``, ``%``, ...; ``hex`` for a string of hexadecimal digits, two a byte."""
    min: int | None = None
    """Least value of an integer, least length of a string."""
    max: int | None = None
    """Greatest value of an integer, greatest length of a string."""
    items: tuple[str, ...] | None = None
    """What a list may hold; None is anything without a comma."""
    items_max: int | None = None
    """How many items a list may hold."""

    @property
    def is_readable(self) -> bool:
        """Whether GetConfiguration shows the key."""
        return self.access is not Access.WRITE

    @property
    def is_writable(self) -> bool:
        """Whether ChangeConfiguration may change the key."""
        return self.access is not Access.READ


class KeyRefusal(Struct, frozen=True):
    """Why a value is not taken. One line, for a log; the wire knows only Rejected."""

    why: str


class KeySet(Struct, frozen=True):
    """The keys that a station declares, in the order of declaration."""

    rules: tuple[KeyRule, ...]

    def find(self, name: str) -> KeyRule | None:
        """The rule of the key ``name``, in whatever case it is written (CiString); None if not declared."""
        wanted = name.lower()
        for rule in self.rules:
            if rule.name.lower() == wanted:
                return rule
        return None


@cache  # There are as many names as the catalogue and the station have keys.
def attribute_of(name: str) -> str:
    """The attribute of :class:`Keys` for the wire spelling ``name``: ``HeartbeatInterval`` is heartbeat_interval."""
    return WORD_START.sub("_", name).lower()


def parse_value(rule: KeyRule, text: str) -> KeyValue | KeyRefusal:
    """The value that ``text`` of a ChangeConfiguration means for ``rule``. Access is not looked at."""
    value = _read(rule, text)
    if isinstance(value, KeyRefusal):
        return value
    return check_value(rule, value) or value


def _read(rule: KeyRule, text: str) -> KeyValue | KeyRefusal:
    """``text`` as the type of ``rule``, ranges not looked at."""
    match rule.type:
        case KeyType.BOOL:
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
            return KeyRefusal(f"{rule.name} takes true or false, not {text!r}")
        case KeyType.INT:
            if INTEGER.fullmatch(text):
                return int(text)
            return KeyRefusal(f"{rule.name} takes a whole number, not {text!r}")
        case KeyType.LIST:
            # An empty text is an empty list: that is how a measurand list is switched off.
            return tuple(item.strip() for item in text.split(",")) if text.strip() else ()
        case KeyType.STRING:
            return text


def check_value(rule: KeyRule, value: KeyValue) -> KeyRefusal | None:
    """Why ``value`` is outside of what ``rule`` allows; None if it is inside."""
    match rule.type, value:
        case KeyType.BOOL, bool():
            return None
        case KeyType.INT, int() if not isinstance(value, bool):
            return _check_range(rule, value)
        case KeyType.LIST, tuple():
            return _check_items(rule, value)
        case KeyType.STRING, str():
            return _check_text(rule, value)
    return KeyRefusal(f"{rule.name} is of type {rule.type}, not {type(value).__name__}")


def _is_outside(rule: KeyRule, number: int) -> bool:
    return (rule.min is not None and number < rule.min) or (rule.max is not None and number > rule.max)


def _check_range(rule: KeyRule, value: int) -> KeyRefusal | None:
    if _is_outside(rule, value):
        return KeyRefusal(f"{rule.name} takes {allowed_values(rule)}, not {value}")
    return None


def _check_items(rule: KeyRule, value: tuple[str, ...]) -> KeyRefusal | None:
    if rule.items_max is not None and len(value) > rule.items_max:
        return KeyRefusal(f"{rule.name} takes at most {rule.items_max} items, not {len(value)}")
    for item in value:
        if not item or "," in item or item != item.strip():
            return KeyRefusal(f"{rule.name} takes no item {item!r}")
        if rule.items is not None and item not in rule.items:
            return KeyRefusal(f"{rule.name} takes no item {item!r}")
    if len(set(value)) < len(value):
        return KeyRefusal(f"{rule.name} takes every item once")
    if len(format_value(value)) > TEXT_SIZE_MAX:
        return KeyRefusal(f"{rule.name} takes at most {TEXT_SIZE_MAX} characters")
    return None


def _check_text(rule: KeyRule, value: str) -> KeyRefusal | None:
    # The value may be a secret and is not repeated.
    if len(value) > TEXT_SIZE_MAX or _is_outside(rule, len(value)):
        return KeyRefusal(f"{rule.name} takes {allowed_values(rule)}, not {len(value)} characters")
    if rule.unit == "hex" and not HEX_DIGITS.fullmatch(value):
        return KeyRefusal(f"{rule.name} takes hexadecimal digits, two a byte")
    return None


def allowed_values(rule: KeyRule) -> str:
    """What ``rule`` allows, in words for people."""
    unit = f" {rule.unit}" if rule.unit else ""
    match rule.type:
        case KeyType.BOOL:
            return "true or false"
        case KeyType.INT:
            return f"{_range(rule)}{unit}"
        case KeyType.STRING:
            return f"{_range(rule)}{unit} characters"
        case KeyType.LIST:
            count = f"at most {rule.items_max} of " if rule.items_max is not None else ""
            return f"{count}{', '.join(rule.items) if rule.items is not None else 'any items'}"


def _range(rule: KeyRule) -> str:
    low = "" if rule.min is None else str(rule.min)
    high = "" if rule.max is None else str(rule.max)
    return f"{low}..{high}"


def format_value(value: KeyValue) -> str:
    """``value`` as OCPP writes it: lower-case booleans, decimal integers, lists separated by commas."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return value
        case tuple():
            return ",".join(value)


def read_value(keys: Keys, rule: KeyRule) -> KeyValue:
    """The present value of the key that ``rule`` declares."""
    value: KeyValue = getattr(keys, rule.attribute)
    return value


def with_value(keys: Keys, rule: KeyRule, value: KeyValue) -> Keys:
    """``keys`` with another value for the key that ``rule`` declares. The value was checked before."""
    return structs.replace(keys, **{rule.attribute: value})
