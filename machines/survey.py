"""The composition as each of its machines sees it: the facts beside a message, and the status that is reported.

Computed from the states when it is asked for, and kept until a state changes.
"""

from collections.abc import Mapping

from machines.facts import Facts
from machines.fault import ERROR_CODES, WARNINGS, FaultData
from machines.keeping import NOT_KEPT, is_any_held, keeping_of, places_of
from machines.machine import AnyMachine
from machines.places import Places
from machines.status_report import Status
from machines.supply import offer
from machines.transaction import TransactionData
from machines.vocabulary.effects import Instant
from machines.vocabulary.keys import Keys, KeySet
from machines.vocabulary.ocpp import ChargePointErrorCode, ChargePointStatus
from machines.vocabulary.settings import Settings
from machines.vocabulary.tags import TagBook

BEGUN = frozenset({"running", "deauthorized", "recovering", "stopping"})
"""States of the transaction machine in which a transaction has begun and not ended."""

IN_USE = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"})
"""States of the connector machine that ChangeAvailability waits for."""

STATUSES = {status.value: status for status in ChargePointStatus}

NO_TAGS = TagBook()
NO_PLACES = Places()


class Survey:
    """What can be told from the states of all machines."""

    def __init__(self, machines: Mapping[str, AnyMachine], settings: Settings, key_set: KeySet) -> None:
        self._machines = machines
        self._settings = settings
        self._key_set = key_set
        self._connectors = {connector.number: connector for connector in settings.connectors}
        declared = {rule.attribute for rule in key_set.rules}
        self._declares_list = "local_auth_list_enabled" in declared
        self._declares_cache = "authorization_cache_enabled" in declared
        self._now = Instant(0, 0.0)
        self._call_id = ""
        self._known: dict[int, Facts] = {}

    def begin(self, now: Instant, call_id: str = "") -> None:
        """A message arrived at ``now``; ``call_id`` if it is a request."""
        self._now, self._call_id = now, call_id
        self._known.clear()

    def forget(self) -> None:
        """A state changed."""
        self._known.clear()

    def facts(self, number: int) -> Facts:
        """What the machines of connector ``number`` (0: of the station) may know of the others, now."""
        facts = self._known.get(number)
        if facts is None:
            facts = self._known[number] = self._facts(number, self._now, self._call_id)
        return facts

    def _facts(self, number: int, now: Instant, call_id: str) -> Facts:
        machines = self._machines
        registration, delivery = machines["registration"], machines["delivery"]
        keys: Keys = machines["configuration"].data.keys
        is_open = machines["connection"].state == "online"
        has_local_list = self._declares_list and keys.local_auth_list_enabled
        local_list = machines["local_list"].data.book if has_local_list else NO_TAGS
        has_cache = self._declares_cache and keys.authorization_cache_enabled
        cache = machines["authorization_cache"].data.book if has_cache else NO_TAGS
        is_kept = is_any_held(machines, self._connectors)
        # Reservations only need to know the others when there is one, or one is asked for.
        places = places_of(machines, self._connectors) if is_kept or call_id else NO_PLACES
        running = 0
        for n in self._connectors:
            running += machines[f"transaction/{n}"].state in BEGUN
        if number == 0:
            return Facts(
                places=places,
                now=now,
                settings=self._settings,
                keys=keys,
                key_set=self._key_set,
                number=0,
                call_id=call_id,
                is_open=is_open,
                is_accepted=registration.state == "accepted",
                is_pending=registration.state == "pending",
                was_accepted=registration.data.was_accepted,
                is_restarting=machines["reset"].state != "running",
                is_faulted=machines["fault/0"].state == "faulted",
                is_operative=machines["availability/0"].state == "operative",
                is_scheduled=machines["availability/0"].state == "scheduled",
                has_use=any(self.facts(n).has_use for n in self._connectors),
                next_local_id=delivery.data.next_local_id,
                running=running,
                queued=delivery.data.size,
                has_local_list=has_local_list,
                local_list=local_list,
                has_cache=has_cache,
                cache=cache,
            )
        connector = self._connectors[number]
        pilot, transaction = machines[f"control_pilot/{number}"], machines[f"transaction/{number}"]
        status, availability = machines[f"connector/{number}"].state, machines[f"availability/{number}"].state
        held: TransactionData = transaction.data
        lock = machines[f"connector_lock/{number}"]
        keeping = keeping_of(number, machines, places, (local_list, cache)) if is_kept else NOT_KEPT
        may_draw = transaction.state == "running" or (
            transaction.state == "deauthorized" and machines[f"allowance/{number}"].state != "nothing"
        )
        offered_a = offer(connector, keys, pilot.data.rating_a, may_draw=may_draw)
        return Facts(
            now=now,
            settings=self._settings,
            keys=keys,
            key_set=self._key_set,
            number=number,
            call_id=call_id,
            is_open=is_open,
            is_accepted=registration.state == "accepted",
            is_pending=registration.state == "pending",
            was_accepted=registration.data.was_accepted,
            is_restarting=machines["reset"].state != "running",
            connector=connector,
            status=STATUSES[status],
            has_cable=pilot.state in {"cable_only", "connected", "requesting"}
            or (pilot.state == "unreadable" and (pilot.data.had_vehicle or pilot.data.has_cable)),
            is_held=not connector.has_lock or lock.state == "locked",
            is_connected=pilot.state in {"connected", "requesting"}
            or (pilot.state == "unreadable" and pilot.data.had_vehicle),
            is_requesting=pilot.state == "requesting",
            is_faulted="faulted" in {machines[f"fault/{number}"].state, machines["fault/0"].state},
            is_operative=availability == "operative" and machines["availability/0"].state == "operative",
            is_scheduled=availability == "scheduled",
            has_use=status in IN_USE or transaction.state != "idle",
            is_supplied=offered_a > 0,
            offered_a=offered_a,
            transaction=transaction.state,
            local_id=held.local_id,
            transaction_id=held.transaction_id,
            id_tag=held.id_tag,
            parent_id_tag=held.parent_id_tag,
            kept_for=lock.data.kept_for if lock.state == "kept" else "",
            kept_parent=lock.data.kept_parent,
            reserved_for=keeping.reserved_for,
            reserved_parent=keeping.reserved_parent,
            reservation_id=keeping.reservation_id,
            own_reservation_id=keeping.own_reservation_id,
            places=places,
            next_local_id=delivery.data.next_local_id,
            running=running,
            queued=delivery.data.size,
            has_local_list=has_local_list,
            local_list=local_list,
            has_cache=has_cache,
            cache=cache,
        )

    def status(self, number: int) -> Status:
        """The status that is reported of connector ``number``, or with 0 of the charge point."""
        faults: FaultData = self._machines[f"fault/{number}"].data
        # The first fault that prevents charging is the news; a warning only if there is none.
        ordered = sorted(faults.faults, key=lambda entry: entry[0] in WARNINGS)
        code, info = (ERROR_CODES[ordered[0][0]], ordered[0][1]) if ordered else (None, "")
        if self._machines[f"fault/{number}"].state == "faulted":
            status = ChargePointStatus.FAULTED
        elif number:
            status = STATUSES[self._machines[f"connector/{number}"].state]
        elif self._machines["availability/0"].state == "inoperative":
            status = ChargePointStatus.UNAVAILABLE
        else:
            status = ChargePointStatus.AVAILABLE
        return Status(status, code or ChargePointErrorCode.NO_ERROR, info[:50])
