"""What a station declares, as far as the machines need it. Built by the engine from station.toml."""

from enum import StrEnum

from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """Who the charge point says it is (BootNotification.req). Lengths as in the schema."""

    vendor: str
    model: str
    serial_number: str | None = None
    box_serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


class ConnectorSettings(Struct, frozen=True, kw_only=True):
    """One connector as built. ``number`` counts from 1 without gaps."""

    number: int
    cable: str
    """``tethered`` (fixed cable) or ``socket`` (detachable cable, proximity pilot)."""
    has_lock: bool
    """Whether the cable can be locked in the socket outlet. Never with a fixed cable."""
    current_max_a: float
    """Rating of the connector in A per phase, 6..80."""
    current_min_a: float
    """Least current that is ever offered, 6 A by IEC 61851-1; below it the offer is a pause."""
    phases: int
    """1 or 3."""
    voltage_v: float
    """Nominal voltage of a phase against neutral."""


class Recovery(StrEnum):
    """What becomes of a transaction that a power cut or a crash interrupted (facts 5.8)."""

    END = "end"
    """It is ended with reason PowerLoss after boot."""
    RESUME = "resume"
    """It goes on if the vehicle is still connected, else it is ended with reason PowerLoss."""


class Limits(Struct, frozen=True, kw_only=True):
    """Every bound of the station that is not a configuration key. Times in s."""

    call_timeout_s: float
    connect_timeout_s: float
    pong_timeout_s: float
    back_off_first_s: float
    back_off_max_s: float
    back_off_jitter: float
    """Fraction 0..1 by which a waiting time is randomly lengthened."""
    connection_stable_s: float
    """A connection that lasted this long resets the back-off."""
    boot_retry_s: float
    """Wait before the next BootNotification when the Central System names none."""
    boot_retry_jitter: float
    frame_size_max: int
    """Bytes of one OCPP frame in either direction."""
    inbox_size_max: int
    """Messages that wait for the charge point; a sender waits when it is full."""
    outbox_size_max: int
    """CALLs that wait for the link, transaction messages not counted (they wait in the database)."""
    uncommitted_max: int
    """Steps that may wait for the disk; beyond it the process ends, contactors open."""
    disk_retry_s: float
    """How long to wait before a disk that refused, because it is full for one, is asked again."""
    deliveries_max: int
    """Messages that machines may send each other because of one message from outside, for each connector."""
    queue_size_max: int
    """Transaction messages kept for delivery."""
    collected_max: int
    """Sets of meter values of one kind kept for the StopTransaction of one transaction."""
    phase_switch_wait_s: float
    """From the opening of the contactor to the switching of phases."""
    phase_switch_dwell_s: float
    """Between two switchings within a transaction."""
    sharing_turn_s: int
    """How long the same connectors are served where a shared limit is too little for all."""
    schedule_duration_max_s: int
    """Of what GetCompositeSchedule tells at most."""
    schedule_periods_max: int
    cache_size_max: int
    """Entries of the authorization cache."""
    vehicle_response_s: float
    """How long a vehicle may take to ask for energy once it is offered, before SuspendedEV is shown."""
    status_repeat_s: float
    """How long a StatusNotification that nobody answered waits before it is sent again; then twice as long, and so on."""
    meter_timeout_s: float
    meter_start_s: float
    """How long, from the start of the station, a meter that has not answered yet is waited for."""
    unlock_timeout_s: float
    stop_flush_s: float
    """How long a restart waits for StopTransaction to be delivered."""
    transfer_retries: int
    """Further attempts to transfer a file when the Central System names no number."""
    transfer_retry_interval_s: float
    """Between them, when it names none."""
    install_attempts_max: int
    """How often an installation that the power cut is begun, the first time included."""
    history_max: int
    """Transitions that are kept for people."""
    log_max: int
    """Events of the log that are kept for them."""


class Installation(Struct, frozen=True, kw_only=True):
    """What all connectors together may draw, in A per phase; None is no limit of its own."""

    current_max_a: float | None = None
    """What the installation carries."""
    offline_current_max_a: float | None = None
    """What is safe once the Central System cannot be asked any more."""
    offline_after_s: float | None = None
    """After how long without a connection that is so."""


class VendorMessages(Struct, frozen=True, kw_only=True):
    """What the station makes of DataTransfer of one vendor."""

    vendor_id: str
    messages: tuple[str, ...]
    """The messageIds that are known; "" is a transfer without one."""
    status: str
    """``Accepted`` or ``Rejected``: what each is answered."""
    data: str | None = None
    """What goes with the answer."""


class Settings(Struct, frozen=True, kw_only=True):
    """The declared station, less its configuration keys and its devices."""

    identity: Identity
    connectors: tuple[ConnectorSettings, ...]
    limits: Limits
    sends: frozenset[str]
    """Actions the station reports to the Central System."""
    receives: frozenset[str]
    """Actions the station takes from the Central System."""
    recovery: Recovery
    installation: Installation = Installation()
    data_transfer: tuple[VendorMessages, ...] = ()
    """The vendors whose DataTransfer the station takes."""
    reservations_outlast_faults: bool = False
    """A reservation waits for the repair of its connector, instead of ending with the fault (5.13)."""
    reboots_for_firmware: bool = False
    """New firmware needs a reboot of the whole box, not a new start of the station alone."""
    free_id_tag: str = ""
    """If not empty, every vehicle is charged at once, with this idTag (4.9 A3 to A5)."""
