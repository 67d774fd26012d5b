"""The composition as each of its machines sees it: the facts beside a message, and the status that is reported."""

from collections.abc import Mapping
from typing import cast

from machines.connector import info_of
from machines.facts import Facts
from machines.fault import ERROR_CODES, WARNINGS, FaultData
from machines.machine import Standing
from machines.status_report import Status
from machines.view import STATUSES, ConnectorView, View
from machines.vocabulary.effects import Instant
from machines.vocabulary.keys import KeySet
from machines.vocabulary.ocpp import ChargePointErrorCode, ChargePointStatus
from machines.vocabulary.settings import Settings


class Survey:
    """What can be told from the states of all machines."""

    def __init__(self, standings: Mapping[str, Standing], settings: Settings, key_set: KeySet) -> None:
        self._standings = standings
        connectors: dict[int, ConnectorView] = {}
        for connector in settings.connectors:
            connectors[connector.number] = ConnectorView(connector, standings, settings, key_set, connectors)
        self._views: dict[int, View] = {0: View(0, standings, settings, key_set, connectors), **connectors}

    def begin(self, now: Instant, call_id: str = "") -> None:
        """A message arrived at ``now``; ``call_id`` if it is a request."""
        for view in self._views.values():
            view.now, view.call_id = now, call_id

    def view(self, number: int) -> Facts:
        """What the machines of connector ``number`` (0: of the station) may know of the others, while they stand so."""
        return cast("Facts", self._views[number])  # the same attributes, each looked up when it is asked for

    def facts(self, number: int) -> Facts:
        """The same, as it is now."""
        return self._views[number].frozen()

    def status(self, number: int) -> Status:
        """The status that is reported of connector ``number``, or with 0 of the charge point."""
        fault = self._standings[f"fault/{number}"]
        faults: FaultData = fault.data
        if fault.state == "faulted":
            status = ChargePointStatus.FAULTED
        elif number:
            status = STATUSES[self._standings[f"connector/{number}"].state]
        elif self._standings["availability/0"].state == "inoperative":
            status = ChargePointStatus.UNAVAILABLE
        else:
            status = ChargePointStatus.AVAILABLE
        code, info = ChargePointErrorCode.NO_ERROR, ""
        shown = faults.shown_with(status)
        if shown:
            # The first fault that prevents charging is the news; a warning only if there is none.
            first = min(shown, key=lambda entry: entry[0] in WARNINGS)
            code, info = ERROR_CODES[first[0]], first[1]
        elif number:
            info = info_of(self._standings[f"connector/{number}"])
        return Status(status, code, info[:50])
