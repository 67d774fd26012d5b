"""What a guard or an action may know beside its message: frozen, and true for this message only."""

from msgspec import Struct

from machines.places import Places
from machines.smart_charging.moment import Charging
from machines.vocabulary.effects import Instant
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.ocpp import ChargePointStatus
from machines.vocabulary.settings import ConnectorSettings, Settings
from machines.vocabulary.tags import TagBook


class Facts(Struct, frozen=True, kw_only=True):
    """The composition as one machine sees it. Of a connector's machine: that connector."""

    now: Instant
    settings: Settings
    keys: Keys
    key_set: KeySet
    number: int
    """Connector, or 0 for the station."""
    call_id: str = ""
    """Of the request being handled, for a machine that answers later."""

    is_open: bool
    """The connection to the Central System is open."""
    is_accepted: bool
    """The Central System accepted the charge point since it started."""
    is_pending: bool = False
    """The Central System keeps the charge point waiting (4.2.1): only what it asks for is sent."""
    was_accepted: bool
    """It did so at least once in the life of the station."""

    is_restarting: bool = False
    """Reset was accepted: nobody may begin any more."""
    connector: ConnectorSettings | None = None
    """None for the station."""
    status: ChargePointStatus = ChargePointStatus.AVAILABLE
    """State of the connector in the table of 4.9, whatever faults there are."""
    has_cable: bool = False
    is_held: bool = True
    """The lock holds the cable, or there is no lock."""
    is_connected: bool = False
    """A vehicle is connected."""
    is_requesting: bool = False
    """The vehicle asks for energy."""
    is_faulted: bool = False
    """A fault prevents charging, of the connector or of the station."""
    is_operative: bool = True
    """Neither taken out of service nor about to be."""
    is_scheduled: bool = False
    """Out of service when the use ends: Inoperative was asked for, or firmware waits to be installed."""
    is_withheld: bool = False
    """Firmware waits to be installed, or is being installed: the connector does not come into service before."""
    is_supplied: bool = False
    """Our side offers energy to the running transaction."""
    offered_a: float = 0.0
    """What is offered to the vehicle now, per phase."""
    are_phases_settled: bool = True
    """The contactor may close: no phases were switched just now."""
    phases: int = 3
    """That are connected, or would be."""
    transaction: str = "idle"
    """State of the transaction machine."""
    local_id: int = 0
    """Of the transaction that runs here; 0 if none."""
    transaction_id: int | None = None
    id_tag: str = ""
    """That started the transaction, or that waits for the cable."""
    parent_id_tag: str | None = None
    asked_for: str = ""
    """The idTag that the Central System is being asked about for this connector; empty if nothing is asked."""
    kept_for: str = ""
    """The idTag that a kept cable waits for; empty if none is kept."""
    kept_parent: str | None = None
    reserved_for: str = ""
    """idTag that the connector is kept for, by its own reservation or that of connector 0; "" if for nobody."""
    reserved_parent: str | None = None
    """parentIdTag of that reservation: its group may use the connector too."""
    reservation_id: int | None = None
    """Of the reservation that a transaction which begins here now uses up."""
    own_reservation_id: int | None = None
    """Of the reservation that this very connector is kept by."""
    places: Places = Places()
    """All connectors as a reservation sees them. Told to reservations only."""
    next_local_id: int = 1
    running: int = 0
    """Transactions on all connectors that have begun and not yet ended."""
    queued: int = 0
    """Transaction messages that wait for delivery."""
    has_use: bool = False
    """Of connector 0: any connector is in use."""
    has_local_list: bool = False
    """LocalAuthListEnabled is declared, and true."""
    local_list: TagBook = TagBook()
    """The local authorization list; empty without ``has_local_list``."""
    has_cache: bool = False
    """AuthorizationCacheEnabled is declared, and true."""
    cache: TagBook = TagBook()
    """The authorization cache; empty without ``has_cache``. The list comes first."""

    charging: Charging | None = None
    """What smart charging has to go by. Always there; None saves a test of something else the trouble."""

    @property
    def is_online(self) -> bool:
        """Whether messages reach the Central System now."""
        return self.is_open and self.is_accepted
