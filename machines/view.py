"""The facts of :mod:`machines.facts` as the machines get them: each looked up in the states when it is asked for.

Most guards ask for one or two facts of some forty, so that nothing is computed that nobody asks for. A view reads where
the machines stood before the message that is being handled, and is worth nothing after it.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import fields

from machines.facts import Facts
from machines.keeping import Keeping, keeping_of, places_of
from machines.machine import Standing
from machines.places import Places
from machines.smart_charging.moment import Begun, Charging
from machines.supply import ceiling
from machines.vocabulary.effects import Instant
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.ocpp import ChargePointStatus
from machines.vocabulary.settings import ConnectorSettings, Settings
from machines.vocabulary.tags import TagBook

PENDING = frozenset({"pending", "asking_again"})
"""States of the registration in which the Central System keeps the charge point waiting (4.2.1)."""

BEGUN = frozenset({"running", "deauthorized", "recovering", "stopping"})
"""States of the transaction machine in which a transaction has begun and not ended."""

INTENDING = frozenset({"authorized", "starting"})
"""States of the transaction machine in which an idTag waits for its transaction."""

LEAVING = frozenset({"scheduled", "to_be_withheld"})
"""States of the availability machine in which the connector goes out of service when its use ends."""

INSTALLING = frozenset({"waiting", "installing", "checking"})
"""States of the firmware update in which nobody begins to charge."""

SWITCHING = frozenset({"held", "pausing", "settling"})
"""States of the machine of the phases in which nothing is offered."""

IN_USE = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"})
"""States of the connector machine that ChangeAvailability waits for."""

STATUSES = {status.value: status for status in ChargePointStatus}

NO_TAGS = TagBook()

DEFAULTS = {field.name: field.default for field in fields(Facts) if not field.required}
"""The facts that only a connector has, as they are of the station."""


class View:
    """The facts of the station: those of :class:`Facts` with number 0."""

    def __init__(
        self,
        number: int,
        standings: Mapping[str, Standing],
        settings: Settings,
        key_set: KeySet,
        connectors: "Mapping[int, ConnectorView]",
    ) -> None:
        self.number = number
        self.settings = settings
        self.key_set = key_set
        self.now = Instant(0, 0.0)
        self.call_id = ""
        self._standings = standings
        self._connectors = connectors
        declared = {rule.attribute for rule in key_set.rules}
        self._declares_list = "local_auth_list_enabled" in declared
        self._declares_cache = "authorization_cache_enabled" in declared

    def frozen(self) -> Facts:
        """All facts as they are now."""
        return Facts(**{name: getattr(self, name) for name in Facts.__struct_fields__})

    # Of the station, and the same for all

    @property
    def keys(self) -> Keys:
        keys: Keys = self._standings["configuration"].data.keys
        return keys

    @property
    def is_open(self) -> bool:
        return self._standings["connection"].state == "online"

    @property
    def is_accepted(self) -> bool:
        return self._standings["registration"].state == "accepted"

    @property
    def is_pending(self) -> bool:
        return self._standings["registration"].state in PENDING

    @property
    def was_accepted(self) -> bool:
        return bool(self._standings["registration"].data.was_accepted)

    @property
    def is_online(self) -> bool:
        return self.is_open and self.is_accepted

    @property
    def is_restarting(self) -> bool:
        return self._standings["reset"].state != "running"

    @property
    def next_local_id(self) -> int:
        return int(self._standings["delivery"].data.next_local_id)

    @property
    def running(self) -> int:
        return sum(view.transaction in BEGUN for view in self._connectors.values())

    @property
    def queued(self) -> int:
        return int(self._standings["delivery"].data.size)

    @property
    def has_local_list(self) -> bool:
        return self._declares_list and self.keys.local_auth_list_enabled

    @property
    def local_list(self) -> TagBook:
        return self._standings["local_list"].data.book if self.has_local_list else NO_TAGS

    @property
    def has_cache(self) -> bool:
        return self._declares_cache and self.keys.authorization_cache_enabled

    @property
    def cache(self) -> TagBook:
        return self._standings["authorization_cache"].data.book if self.has_cache else NO_TAGS

    @property
    def places(self) -> Places:
        return places_of(self._standings, self._connectors)

    @property
    def charging(self) -> Charging:
        views = self._connectors.values()
        profiles = self._standings["charging_profiles"].data
        installation = self.settings.installation
        limits_a = [installation.current_max_a]
        if self._standings["fail_safe"].state == "limited":
            limits_a.append(installation.offline_current_max_a)
        return Charging(
            plan=profiles.plan,
            book=profiles.book,
            transactions=tuple(view.begun for view in views if view.transaction in BEGUN),
            intents=frozenset(view.number for view in views if view.transaction in INTENDING),
            ceilings_a=tuple(view.ceiling_a for view in views),
            installation_a=min((limit_a for limit_a in limits_a if limit_a is not None), default=None),
        )

    # Of the station, and another thing for a connector

    connector: ConnectorSettings | None = None

    @property
    def status(self) -> ChargePointStatus:
        return ChargePointStatus.AVAILABLE

    @property
    def is_faulted(self) -> bool:
        return self._standings["fault/0"].state == "faulted"

    @property
    def is_operative(self) -> bool:
        return self._standings["availability/0"].state == "operative"

    @property
    def is_scheduled(self) -> bool:
        return self._standings["availability/0"].state == "scheduled"

    @property
    def has_use(self) -> bool:
        return any(view.has_use for view in self._connectors.values())

    def __getattr__(self, name: str) -> Any:
        """What only a connector has, asked of the station: the default of :class:`Facts`."""
        if name not in DEFAULTS:
            raise AttributeError(name)
        return DEFAULTS[name]


class ConnectorView(View):
    """The facts of one connector."""

    def __init__(
        self,
        connector: ConnectorSettings,
        standings: Mapping[str, Standing],
        settings: Settings,
        key_set: KeySet,
        connectors: "Mapping[int, ConnectorView]",
    ) -> None:
        number = connector.number
        super().__init__(number, standings, settings, key_set, connectors)
        self.connector = self._built = connector
        self._pilot = f"control_pilot/{number}"
        self._lock = f"connector_lock/{number}"
        self._transaction = f"transaction/{number}"
        self._authorization = f"authorization/{number}"
        self._allowance = f"allowance/{number}"
        self._offer = f"current_offer/{number}"
        self._phase_switch = f"phase_switch/{number}"
        self._status = f"connector/{number}"
        self._fault = f"fault/{number}"
        self._availability = f"availability/{number}"

    # Cable and vehicle

    @property
    def has_cable(self) -> bool:
        pilot = self._standings[self._pilot]
        if pilot.state == "unreadable":
            return bool(pilot.data.had_vehicle or pilot.data.has_cable)
        return pilot.state != "empty"

    @property
    def is_held(self) -> bool:
        return not self._built.has_lock or self._standings[self._lock].state == "locked"

    @property
    def is_connected(self) -> bool:
        pilot = self._standings[self._pilot]
        if pilot.state == "unreadable":
            return bool(pilot.data.had_vehicle)
        return pilot.state in {"connected", "requesting"}

    @property
    def is_requesting(self) -> bool:
        return self._standings[self._pilot].state == "requesting"

    @property
    def kept_for(self) -> str:
        lock = self._standings[self._lock]
        return lock.data.kept_for if lock.state == "kept" else ""

    @property
    def kept_parent(self) -> str | None:
        kept: str | None = self._standings[self._lock].data.kept_parent
        return kept

    # Status and service

    @property
    def status(self) -> ChargePointStatus:
        return STATUSES[self._standings[self._status].state]

    @property
    def is_faulted(self) -> bool:
        return self._standings[self._fault].state == "faulted" or super().is_faulted

    @property
    def is_operative(self) -> bool:
        # What is asked for connector 0 reaches this one as its own (decision S10).
        return self._standings[self._availability].state == "operative"

    @property
    def is_scheduled(self) -> bool:
        return self._standings[self._availability].state in LEAVING

    @property
    def is_withheld(self) -> bool:
        return self._standings["firmware_update"].state in INSTALLING

    @property
    def has_use(self) -> bool:
        return self._standings[self._status].state in IN_USE or self.transaction != "idle"

    # The transaction

    @property
    def transaction(self) -> str:
        return self._standings[self._transaction].state

    @property
    def local_id(self) -> int:
        return int(self._standings[self._transaction].data.local_id)

    @property
    def transaction_id(self) -> int | None:
        known: int | None = self._standings[self._transaction].data.transaction_id
        return known

    @property
    def id_tag(self) -> str:
        return str(self._standings[self._transaction].data.id_tag)

    @property
    def asked_for(self) -> str:
        authorization = self._standings[self._authorization]
        return str(authorization.data.id_tag) if authorization.state == "asking" else ""

    @property
    def parent_id_tag(self) -> str | None:
        parent: str | None = self._standings[self._transaction].data.parent_id_tag
        return parent

    # Energy

    @property
    def offered_a(self) -> float:
        transaction = self.transaction
        may_draw = transaction == "running" or (transaction == "deauthorized" and self._may_draw_on)
        if not may_draw or not self._standings[self._fault].data.trusts_pilot:
            return 0.0
        offered_a: float = self._standings[self._offer].data.offered_a
        if self._standings[self._phase_switch].state in SWITCHING:
            return 0.0
        limit_a = min(offered_a, self.ceiling_a)
        return limit_a if limit_a >= self._built.current_min_a else 0.0

    @property
    def _may_draw_on(self) -> bool:
        """There is some energy left for a transaction whose idTag was not accepted."""
        return self._standings[self._allowance].state != "nothing"

    @property
    def are_phases_settled(self) -> bool:
        return self._standings[self._phase_switch].state != "arranging"

    @property
    def phases(self) -> int:
        return int(self._standings[self._phase_switch].data.phases) or self._built.phases

    @property
    def ceiling_a(self) -> float:
        """What hardware, cable and configuration carry."""
        return ceiling(self._built, self.keys, self._standings[self._pilot].data.rating_a)

    @property
    def begun(self) -> Begun:
        """The transaction, which has begun."""
        state, data = self._standings[self._transaction]
        return Begun(
            connector=self.number,
            local_id=data.local_id,
            transaction_id=data.transaction_id,
            id_tag=data.id_tag,
            started_at=data.started_at,
            is_ending=state == "stopping",
            draws=state != "deauthorized" or self._may_draw_on,
        )

    @property
    def is_supplied(self) -> bool:
        return self.offered_a > 0

    # Reservations

    @property
    def reserved_for(self) -> str:
        return self._keeping.reserved_for

    @property
    def reserved_parent(self) -> str | None:
        return self._keeping.reserved_parent

    @property
    def reservation_id(self) -> int | None:
        return self._keeping.reservation_id

    @property
    def own_reservation_id(self) -> int | None:
        own = self._standings[f"reservation/{self.number}"]
        return own.data.reservation_id if own.state == "held" else None

    @property
    def _keeping(self) -> Keeping:
        return keeping_of(self.number, self._standings, self._connectors, self._books)

    def _books(self) -> tuple[TagBook, ...]:
        return self.local_list, self.cache
