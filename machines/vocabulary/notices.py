"""Facts that machines tell each other, in the past tense. Who hears of what stands in machines/routes.py."""

from machines.machine import Notice
from machines.vocabulary.effects import Instant
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import (
    AvailabilityType,
    ChargingProfile,
    DiagnosticsStatus,
    FirmwareStatus,
    IdTagInfo,
    Reason,
    ResetType,
)
from machines.vocabulary.transactions import Body

# Cable and vehicle, from the control pilot


class CableInserted(Notice, frozen=True):
    """A cable was put into the socket outlet; no vehicle yet."""


class CableFound(Notice, frozen=True):
    """A cable is in at a connector that nobody holds any more: it came while the connector was reserved."""


class CableRemoved(Notice, frozen=True):
    """Nothing is connected any more: the cable left the outlet, or a fixed cable the vehicle."""


class VehicleConnected(Notice, frozen=True):
    """A vehicle is connected (pilot left state A)."""


class VehicleDisconnected(Notice, frozen=True):
    """The vehicle is no longer connected (pilot in state A); a detachable cable may still be in."""


class EnergyRequested(Notice, frozen=True):
    """The vehicle asks for energy (pilot state C)."""


class EnergyRefused(Notice, frozen=True):
    """The vehicle stopped asking for energy, or asks in a way that cannot be served."""


# What our side offers, computed from the states


class SupplyAllowed(Notice, frozen=True):
    """The station now offers energy to the running transaction."""


class SupplyWithheld(Notice, frozen=True):
    """The station no longer offers energy to the running transaction."""


# Authorisation and transaction


class Authorized(Notice, frozen=True):
    """Somebody may charge here."""

    id_tag: str
    parent_id_tag: str | None = None


class AuthorizationDropped(Notice, frozen=True):
    """The same idTag was shown again before anything was connected (4.9 B1)."""


class IdTagLearnt(Notice, frozen=True):
    """The Central System said what it knows of an idTag: in Authorize.conf, Start- or StopTransaction.conf."""

    id_tag: str
    info: IdTagInfo


class StopRequested(Notice, frozen=True):
    """The running transaction shall end."""

    reason: Reason
    id_tag: str | None = None


class IntentBegan(Notice, frozen=True):
    """An idTag was accepted for this connector and no transaction runs yet."""


class IntentDropped(Notice, frozen=True):
    """The accepted idTag is no longer held; no transaction came of it."""


class PreparationEnded(Notice, frozen=True):
    """ConnectionTimeOut passed before both idTag and cable were there."""


class TransactionStarted(Notice, frozen=True):
    """A transaction runs. With ``resumed`` it did so already before a power cut."""

    local_id: int
    resumed: bool = False


class TransactionEnded(Notice, frozen=True):
    """The transaction is over, and its end is on record."""

    local_id: int
    reason: Reason = Reason.OTHER
    id_tag: str = ""
    """That started it."""
    parent_id_tag: str | None = None


class Deauthorized(Notice, frozen=True):
    """The Central System did not accept the idTag; the transaction stays open for now."""


class ProfileBrought(Notice, frozen=True):
    """A remote start was granted that brought a charging profile for its transaction."""

    number: int
    """The connector."""
    id_tag: str
    profile: ChargingProfile


class OfferBegan(Notice, frozen=True):
    """A transaction is offered current, or could be; on so many phases."""

    phases: int


class PhasesWanted(Notice, frozen=True):
    """The transaction may be charged on another number of phases than before."""

    phases: int


class OfferEnded(Notice, frozen=True):
    """The transaction that was offered current is over."""


class LimitsChanged(Notice, frozen=True):
    """Another current may be allowed than before: charging profiles changed, or what all connectors may draw."""


class AllowanceUsed(Notice, frozen=True):
    """What MaxEnergyOnInvalidId allowed is used up."""


class CableReleased(Notice, frozen=True):
    """Who may take a cable that was kept showed the card."""


class TransactionMessageQueued(Notice, frozen=True):
    """A message of a transaction is to be delivered, in order, whatever it takes."""

    local_id: int
    at: Instant
    body: Body


class StartSettled(Notice, frozen=True):
    """The Central System answered StartTransaction."""

    local_id: int
    transaction_id: int
    id_tag_info: IdTagInfo


class QueueEmptied(Notice, frozen=True):
    """Every transaction message has been delivered."""


# Reservation


class Reserved(Notice, frozen=True):
    """The connector is kept for somebody: by ReserveNow, after a restart, or again after a use that came to nothing."""


class ReservationEnded(Notice, frozen=True):
    """The connector is no longer kept. Not told of a reservation that was used: then the use decides the status."""

    reservation_id: int


class ReservationMoved(Notice, frozen=True):
    """A reservation is from now on the affair of connector ``number``: replaced by ReserveNow, or used there."""

    reservation_id: int
    number: int


# Station


class TimeLearnt(Notice, frozen=True):
    """The Central System told the time of day: POSIX seconds, now."""

    utc: float


class Started(Notice, frozen=True):
    """The station runs, with what it remembers from before."""


class RegistrationAccepted(Notice, frozen=True):
    """The Central System accepted the charge point."""

    interval_s: int
    """Of the heartbeat; 0 where the Central System named none."""


class KeyChanged(Notice, frozen=True):
    """A configuration key has a new value in force."""

    attribute: str
    """Of ``Keys``, such as ``heartbeat_interval``."""


class StationAvailabilityAsked(Notice, frozen=True):
    """ChangeAvailability for connector 0 was granted: every connector follows as it can."""

    type: AvailabilityType


class BecameInoperative(Notice, frozen=True):
    """The connector was taken out of service."""


class BecameOperative(Notice, frozen=True):
    """The connector was put back into service."""


class UseEnded(Notice, frozen=True):
    """The connector is free again: what was scheduled until then may happen."""


class BecameFaulted(Notice, frozen=True):
    """A fault appeared that prevents charging."""

    fault: HardwareFault


class FaultsEnded(Notice, frozen=True):
    """No fault that prevents charging is left."""


class RestartGranted(Notice, frozen=True):
    """Reset was accepted: transactions end, then the station starts anew."""

    type: ResetType


class CableHeld(Notice, frozen=True):
    """The lock holds the cable."""


class ResetFailed(Notice, frozen=True):
    """The station did not restart, however often it tried (ResetRetries)."""

    why: str


# Firmware and diagnostics


class FirmwareStatusChanged(Notice, frozen=True):
    """A firmware update came to another status, which the Central System is to be told."""

    status: FirmwareStatus


class DiagnosticsStatusChanged(Notice, frozen=True):
    """An upload of diagnostics came to another status, which the Central System is to be told."""

    status: DiagnosticsStatus


class InstallationAwaited(Notice, frozen=True):
    """Firmware waits to be installed: nobody begins to charge any more."""


class InstallationOver(Notice, frozen=True):
    """It does not wait any more, and the station runs on."""


class RestartNeeded(Notice, frozen=True):
    """New firmware is in place: the station starts anew."""


# TriggerMessage


class BootNotificationTriggered(Notice, frozen=True):
    """BootNotification is wanted now, before its retry is due."""


class HeartbeatTriggered(Notice, frozen=True):
    """A Heartbeat is wanted now."""


class StatusTriggered(Notice, frozen=True):
    """The present status is wanted now: of one connector, of the station (0), or of all (None)."""

    connector_id: int | None


class FirmwareStatusTriggered(Notice, frozen=True):
    """The present status of the firmware update is wanted now."""


class DiagnosticsStatusTriggered(Notice, frozen=True):
    """The present status of the upload of diagnostics is wanted now."""


class MeterValuesTriggered(Notice, frozen=True):
    """Fresh meter values are wanted now: of one connector, or of all (None)."""

    connector_id: int | None


class UnlockGranted(Notice, frozen=True):
    """UnlockConnector is being carried out: a running transaction ends."""
