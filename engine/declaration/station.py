"""A station as declared: what the engine is built from."""

from pathlib import Path

from msgspec import Struct

from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.settings import Settings


class CentralSystem(Struct, frozen=True, kw_only=True):
    """Where the Central System is and how it is known to be the right one.

    The password is not here: it is the configuration key AuthorizationKey (``Station.defaults``).
    """

    url: str
    """``ws`` or ``wss``, without a slash at the end and without the identity."""
    identity: str
    """Of the charge point: last part of the URL once percent-encoded, user name of Basic authentication."""
    ca_file: Path | None = None
    """Certificates that may vouch for the Central System, PEM; None means those of the operating system."""

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.url.startswith("wss:")


class Device(Struct, frozen=True, kw_only=True):
    """A piece of hardware: the driver by name, and what that driver is told beside the common settings."""

    driver: str
    parameters: dict[str, object]
    """As in the file, checked against the entries of the driver; for the driver's own settings to decode."""


class Reader(Struct, frozen=True, kw_only=True):
    """A card reader."""

    device: Device
    connectors: tuple[int, ...]
    """The connectors it serves."""


class Bench(Struct, frozen=True, kw_only=True):
    """The web page of the laboratory."""

    enabled: bool
    host: str
    port: int
    """0 lets the operating system choose."""


class Log(Struct, frozen=True, kw_only=True):
    """What is logged."""

    level: str
    """error, warning, info or debug."""
    frames: bool
    """Every OCPP frame too."""


class Transfers(Struct, frozen=True, kw_only=True):
    """What a transfer of a file may take."""

    size_max: int
    """Bytes."""
    connect_timeout_s: float
    stall_timeout_s: float
    """Without a byte for so long, the server counts as gone."""
    duration_max_s: float
    redirects_max: int
    disk_free_min: int
    """Bytes that a download leaves free on the disk."""
    ca_file: Path | None = None
    """Certificates that may vouch for servers, PEM; None means those of the operating system."""
    known_hosts_file: Path | None = None
    """Keys of sftp servers, as OpenSSH writes them; None means the file of the user that runs the station."""
    ssh_key_file: Path | None = None
    """The key of the station for sftp servers."""


class Firmware(Struct, frozen=True, kw_only=True):
    """How firmware comes into place."""

    installer: str
    """simulated, command or rauc."""
    after: str
    """What makes the new firmware run: ``restart`` of the station, or ``reboot`` of the box."""
    timeout_s: float
    """Of the installer."""
    command: tuple[str, ...] = ()
    """Program and arguments; ``{file}`` stands for the downloaded file."""
    confirm: tuple[str, ...] = ()
    """Program and arguments that tell, after the restart, whether the new firmware runs."""
    environment: dict[str, str] = {}
    checksum_suffix: str = ""
    """What the maker adds to the name of a file for its SHA-256; empty if there is none."""


class Process(Struct, frozen=True, kw_only=True):
    """What the process does when the station is to start anew."""

    reset: str
    """``in place``, or ``exit`` with a code that tells the supervisor what to do."""


class Station(Struct, frozen=True, kw_only=True):
    """One declared station."""

    path: Path
    """The file that declares it."""
    hash: str
    """SHA-256 of the merged declaration without its secret, as hexadecimal digits."""
    settings: Settings
    keys: KeySet
    """The keys that can be seen over OCPP, in the order of declaration."""
    defaults: Keys
    """The values of all keys until ChangeConfiguration overrides them."""
    csms: CentralSystem
    drivers: tuple[Device, ...]
    """One for each connector, that of connector 1 first."""
    readers: tuple[Reader, ...]
    bench: Bench
    log: Log
    transfers: Transfers
    firmware: Firmware
    process: Process

    @property
    def real_hardware(self) -> str:
        """A device that is not simulated, in words; empty if there is none."""
        devices = [(f"connector {number}", device) for number, device in enumerate(self.drivers, 1)]
        devices += [("a reader", reader.device) for reader in self.readers]
        for name, device in devices:
            if device.driver != "simulated":
                return f"{name} is real hardware ({device.driver})"
        return ""
