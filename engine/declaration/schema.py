"""Every entry that a station file may have: what it is and within which bounds.

Bounds here are those of the protocol and of physics; what a station offers within them is in its file. ``[]``
in a path is an item of a list, ``*`` any name.
"""

from enum import Flag, auto

from msgspec import Struct

from drivers.lines import INPUTS, OUTPUTS

PRINTABLE = r"[ -~]*"
"""What OCPP texts may hold: printable ASCII."""
WORD = r"[a-z][a-z0-9_]*"
KEY_NAME = r"[A-Za-z][A-Za-z0-9]*"

CONNECTORS_MAX = 50
IDENTITY_SIZE_MAX = 48
"""Characters of the identity of a charge point."""
DAY_S = 86_400
OUTBOX_SPARE = 3
"""Messages that there is room for beside the statuses of all connectors and of the station, which are told at once."""


class Kind(Flag):
    """Types of values."""

    FLAG = auto()
    WHOLE = auto()
    NUMBER = auto()
    TEXT = auto()
    TEXTS = auto()
    WHOLES = auto()
    TABLES = auto()
    ANYTHING = auto()
    """A table whose entries somebody else checks: the parameters of a driver."""


class Entry(Struct, frozen=True, kw_only=True):
    """One entry. It must be there, in the file or in one that it extends, unless ``optional``."""

    path: str
    kind: Kind
    min: float | None = None
    """Least value; of texts and lists the least length."""
    max: float | None = None
    choices: tuple[str | int, ...] = ()
    """What the value may be; empty is anything within the bounds."""
    pattern: str = ""
    """What a text must match as a whole."""
    words: str = ""
    """How to tell people of the pattern."""
    optional: bool = False
    secret: bool = False
    """Never repeated in a message."""


def text(path: str, low: int, high: int, *, optional: bool = False) -> Entry:
    """A text of OCPP with its length."""
    return Entry(
        path=path,
        kind=Kind.TEXT,
        min=low,
        max=high,
        pattern=PRINTABLE,
        words="printable ASCII",
        optional=optional,
    )


def flag(path: str, *, optional: bool = False) -> Entry:
    """True or false."""
    return Entry(path=path, kind=Kind.FLAG, optional=optional)


def whole(path: str, low: int, high: int, *, optional: bool = False) -> Entry:
    """A whole number."""
    return Entry(path=path, kind=Kind.WHOLE, min=low, max=high, optional=optional)


def number(path: str, low: float, high: float, *, optional: bool = False) -> Entry:
    """A whole or decimal number."""
    return Entry(path=path, kind=Kind.NUMBER, min=low, max=high, optional=optional)


def choice(path: str, *choices: str, optional: bool = False) -> Entry:
    """One of some texts."""
    return Entry(path=path, kind=Kind.TEXT, choices=choices, optional=optional)


def key_entries(table: str, *, is_catalogue: bool) -> tuple[Entry, ...]:
    """The entries of a configuration key, in the catalogue or in a station."""
    optional = not is_catalogue
    any_number = 2**31
    return (
        choice(f"{table}.type", "bool", "int", "list", "string", optional=optional),
        choice(f"{table}.access", "R", "RW", "W", optional=optional),
        text(f"{table}.unit", 1, 10, optional=True),
        Entry(path=f"{table}.default", kind=Kind.FLAG | Kind.WHOLE | Kind.TEXT | Kind.TEXTS, optional=True),
        whole(f"{table}.min", -any_number, any_number, optional=True),
        whole(f"{table}.max", -any_number, any_number, optional=True),
        # The name of a set in [items], or the items themselves.
        Entry(path=f"{table}.items", kind=Kind.TEXT | Kind.TEXTS, optional=True),
        # The name of the key that says it, or the number itself.
        Entry(path=f"{table}.items_max", kind=Kind.TEXT | Kind.WHOLE, min=0, max=1000, optional=True),
        flag(f"{table}.reboot", optional=True),
        text(f"{table}.description", 1, 500, optional=optional),
    )


ENTRIES: tuple[Entry, ...] = (
    # Who the charge point says it is. Lengths of BootNotification.req.
    text("identity.vendor", 1, 20),
    text("identity.model", 1, 20),
    text("identity.serial_number", 1, 25, optional=True),
    text("identity.box_serial_number", 1, 25, optional=True),
    text("identity.firmware_version", 1, 50, optional=True),
    text("identity.iccid", 1, 20, optional=True),
    text("identity.imsi", 1, 20, optional=True),
    text("identity.meter_type", 1, 25, optional=True),
    text("identity.meter_serial_number", 1, 25, optional=True),
    # The Central System. The identity becomes the last part of the URL and the user name of Basic
    # authentication, which a colon would end.
    text("csms.url", 1, 500),
    Entry(
        path="csms.identity",
        kind=Kind.TEXT,
        min=1,
        max=IDENTITY_SIZE_MAX,
        pattern=r"[!-9;-~](?:[ -9;-~]*[!-9;-~])?",
        words="printable ASCII without a colon",
    ),
    text("csms.ca_file", 1, 500, optional=True),
    text("csms.authorization_key_file", 1, 500, optional=True),
    Entry(
        path="csms.authorization_key",
        kind=Kind.TEXT,
        min=32,
        max=40,
        pattern=r"(?:[0-9A-Fa-f]{2})*",
        words="hexadecimal digits, two a byte",
        optional=True,
        secret=True,
    ),
    # The connectors, and what drives them.
    Entry(path="connectors", kind=Kind.TABLES, min=1, max=CONNECTORS_MAX),
    whole("connectors[].number", 1, CONNECTORS_MAX),
    choice("connectors[].cable", "tethered", "socket"),
    flag("connectors[].has_lock"),
    number("connectors[].current_max_a", 6, 80),
    number("connectors[].current_min_a", 6, 80),
    Entry(path="connectors[].phases", kind=Kind.WHOLE, choices=(1, 3)),
    number("connectors[].voltage_v", 100, 300),
    Entry(
        path="connectors[].driver", kind=Kind.TEXT, min=1, max=50, pattern=WORD, words="the name of a driver"
    ),
    Entry(path="connectors[].parameters", kind=Kind.ANYTHING, optional=True),
    # Card readers.
    Entry(path="readers", kind=Kind.TABLES, min=0, max=CONNECTORS_MAX),
    Entry(path="readers[].driver", kind=Kind.TEXT, min=1, max=50, pattern=WORD, words="the name of a driver"),
    Entry(path="readers[].connectors", kind=Kind.WHOLES, min=1, max=CONNECTORS_MAX),
    Entry(path="readers[].parameters", kind=Kind.ANYTHING, optional=True),
    # The messages offered; their names are checked against the vocabulary.
    Entry(path="messages.sends", kind=Kind.TEXTS, min=1, max=100),
    Entry(path="messages.receives", kind=Kind.TEXTS, min=0, max=100),
    # Vendors whose DataTransfer is taken, by vendorId. "" among the messages is a transfer without messageId.
    Entry(path="data_transfer.*.messages", kind=Kind.TEXTS, min=1, max=100),
    choice("data_transfer.*.status", "Accepted", "Rejected"),
    text("data_transfer.*.data", 0, 10_000, optional=True),
    choice("transactions.recovery", "resume", "end"),
    text("transactions.free_id_tag", 0, 20, optional=True),
    flag("reservations.outlast_faults"),
    # What all connectors together may draw, per phase.
    number("installation.current_max_a", 6, 10_000, optional=True),
    number("installation.offline_current_max_a", 0, 10_000, optional=True),
    number("installation.offline_after_s", 0, 7 * DAY_S, optional=True),
    # Every bound that is not a configuration key.
    number("limits.call_timeout_s", 1, 600),
    number("limits.connect_timeout_s", 1, 600),
    number("limits.pong_timeout_s", 1, 600),
    number("limits.back_off_first_s", 0.1, DAY_S),
    number("limits.back_off_max_s", 0.1, DAY_S),
    number("limits.back_off_jitter", 0, 1),
    number("limits.connection_stable_s", 0, DAY_S),
    number("limits.boot_retry_s", 1, DAY_S),
    number("limits.boot_retry_jitter", 0, 1),
    # A frame must hold a CertificateSigned (10 000 characters), or a schedule of some hundred periods.
    whole("limits.frame_size_max", 16_384, 16_777_216),
    whole("limits.inbox_size_max", 1, 65_536),
    whole("limits.outbox_size_max", OUTBOX_SPARE + 2, 65_536),
    whole("limits.uncommitted_max", 1, 65_536),
    number("limits.disk_retry_s", 0.1, 600),
    # A station with one connector takes 17 when it is accepted; fewer would end it whenever it starts.
    whole("limits.deliveries_max", 32, 4_096),
    whole("limits.queue_size_max", 100, 10_000_000),
    whole("limits.collected_max", 2, 10_000),
    # With the second that follows, no less than a vehicle takes to follow (IEC 61851-1, table A.6).
    number("limits.phase_switch_wait_s", 4, 600),
    number("limits.phase_switch_dwell_s", 0, DAY_S),
    whole("limits.sharing_turn_s", 60, DAY_S),
    whole("limits.schedule_duration_max_s", 60, 31 * DAY_S),
    whole("limits.schedule_periods_max", 1, 10_000),
    whole("limits.cache_size_max", 1, 10_000),
    number("limits.vehicle_response_s", 0, 600),
    number("limits.status_repeat_s", 1, DAY_S),
    number("limits.meter_timeout_s", 0.1, 60),
    number("limits.meter_start_s", 0, 600),
    number("limits.unlock_timeout_s", 0.1, 60),
    number("limits.stop_flush_s", 0, 600),
    whole("limits.transfer_retries", 0, 100),
    number("limits.transfer_retry_interval_s", 0, DAY_S),
    whole("limits.install_attempts_max", 1, 100),
    whole("limits.history_max", 0, 1_000_000),
    whole("limits.log_max", 0, 1_000_000),
    # Files: firmware that comes, diagnostics that go.
    whole("transfers.size_max", 1_024, 2**40),
    number("transfers.connect_timeout_s", 1, 600),
    number("transfers.stall_timeout_s", 1, 3_600),
    number("transfers.duration_max_s", 1, 7 * DAY_S),
    whole("transfers.redirects_max", 0, 20),
    whole("transfers.disk_free_min", 0, 2**40),
    text("transfers.ca_file", 1, 500, optional=True),
    text("transfers.known_hosts_file", 1, 500, optional=True),
    text("transfers.ssh_key_file", 1, 500, optional=True),
    choice("firmware.installer", "simulated", "command", "rauc"),
    choice("firmware.after", "restart", "reboot"),
    number("firmware.timeout_s", 1, DAY_S),
    Entry(path="firmware.command", kind=Kind.TEXTS, min=1, max=100, optional=True),
    Entry(path="firmware.confirm", kind=Kind.TEXTS, min=1, max=100, optional=True),
    Entry(path="firmware.environment.*", kind=Kind.TEXT, min=0, max=1_000, secret=True, optional=True),
    text("firmware.checksum_suffix", 1, 20, optional=True),
    choice("process.reset", "in place", "exit"),
    # The bench: a web page for the laboratory. Never on in the field.
    flag("bench.enabled"),
    text("bench.host", 1, 255),
    whole("bench.port", 0, 65_535),
    choice("log.level", "error", "warning", "info", "debug"),
    flag("log.frames"),
    # Configuration keys: the catalogue of what the rules read, and what the station declares of it.
    Entry(path="items.*", kind=Kind.TEXTS, min=1, max=200),
    *key_entries("catalogue.*", is_catalogue=True),
    text("catalogue.*.profile", 1, 40),
    flag("catalogue.*.required"),
    *key_entries("keys.*", is_catalogue=False),
    flag("keys.*.declared", optional=True),
    Entry(
        path="keys.*.stands_for",
        kind=Kind.TEXT,
        min=1,
        max=50,
        pattern=KEY_NAME,
        words="the name of a key in the catalogue",
        optional=True,
    ),
)


def serial_entries(table: str = "") -> tuple[Entry, ...]:
    """The entries of a serial line; what is not stated is as the device usually has it."""
    return (
        text(f"{table}device", 1, 200, optional=True),
        whole(f"{table}baudrate", 300, 1_000_000, optional=True),
        choice(f"{table}parity", "N", "E", "O", optional=True),
        whole(f"{table}stopbits", 1, 2, optional=True),
        choice(f"{table}rs485", "rts", "rts_inverted", optional=True),
        choice(f"{table}backend", "trio", "asyncio", optional=True),
    )


def modbus_entries(table: str) -> tuple[Entry, ...]:
    """The entries of a device on a Modbus line; what is not stated is as its register map has it."""
    return (
        *serial_entries(f"{table}."),
        text(f"{table}.host", 1, 255, optional=True),
        whole(f"{table}.port", 1, 65_535, optional=True),
        choice(f"{table}.framing", "rtu", "tcp", optional=True),
        whole(f"{table}.unit", 0, 255, optional=True),
        number(f"{table}.timeout_s", 0.01, 10, optional=True),
        whole(f"{table}.retries", 0, 10, optional=True),
        number(f"{table}.late_window_s", 0.1, 10, optional=True),
        number(f"{table}.poll_s", 0.05, 60, optional=True),
        number(f"{table}.silent_after_s", 0.5, 600, optional=True),
    )


def reader_entries() -> tuple[Entry, ...]:
    """The entries of a card reader on a serial line."""
    _, *line = serial_entries()
    return (
        text("device", 1, 200),
        *line,
        choice("byte_order", "as_read", "reversed"),
        number("gone_after_s", 0.2, 60, optional=True),
        number("silent_after_s", 1, 600, optional=True),
    )


# Parameters of each driver, in the tables [connectors.parameters] and [readers.parameters]. One that is not
# stated is as the driver has it.

CONNECTOR_DRIVERS: dict[str, tuple[Entry, ...]] = {
    "simulated": (
        Entry(path="cable_rating_a", kind=Kind.NUMBER, choices=(13, 20, 32, 63), optional=True),
        number("meter_start_wh", 0, 1e12, optional=True),
        number("vehicle.battery_capacity_wh", 1, 1e9, optional=True),
        number("vehicle.soc_percent", 0, 100, optional=True),
        number("vehicle.current_max_a", 6, 80, optional=True),
        whole("vehicle.phases", 1, 3, optional=True),
        number("vehicle.response_s", 0, DAY_S, optional=True),
    ),
    "modbus": (
        text("maps", 1, 200, optional=True),
        text("evse.map", 1, 50),
        *modbus_entries("evse"),
        whole("evse.point", 1, 12, optional=True),
        number("evse.watchdog_s", 1, 600, optional=True),
        number("evse.lock_timeout_s", 0.1, 60, optional=True),
        flag("evse.stays_on_when_silent", optional=True),
        text("meter.map", 1, 50, optional=True),
        *modbus_entries("meter"),
        text("lines.chip", 1, 200, optional=True),
        *(
            entry
            for role in (*OUTPUTS, *INPUTS)
            for entry in (
                text(f"lines.{role}.line", 1, 64, optional=True),
                flag(f"lines.{role}.active_low", optional=True),
            )
        ),
        number("lines.contactor_timeout_s", 0.02, 10, optional=True),
        number("lines.lock_timeout_s", 0.1, 60, optional=True),
    ),
}

READER_DRIVERS: dict[str, tuple[Entry, ...]] = {
    "simulated": (),
    "rdm6300": reader_entries(),
    "ascii_line": reader_entries(),
    "twn4": (*reader_entries(), flag("has_crc", optional=True), number("poll_s", 0.05, 10, optional=True)),
    "pn532": (*reader_entries(), number("poll_s", 0.05, 10, optional=True)),
}
