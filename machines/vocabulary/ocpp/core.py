"""The messages of feature profile Core (OCPP 1.6 edition 2, section 6)."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from machines.vocabulary.ocpp.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    ClearCacheStatus,
    ConfigurationStatus,
    DataTransferStatus,
    Reason,
    RegistrationStatus,
    RemoteStartStopStatus,
    ResetStatus,
    ResetType,
    UnlockStatus,
)
from machines.vocabulary.ocpp.types import (
    ChargingProfile,
    Conf,
    ConnectorId,
    ConnectorIdOrZero,
    IdTagInfo,
    IdToken,
    Integer,
    KeyValue,
    MeterValue,
    Request,
    Stamped,
    String20,
    String25,
    String50,
    String255,
    String500,
)


class Authorize(Request, frozen=True, kw_only=True):
    """Ask the Central System whether an idTag may charge."""

    id_tag: IdToken


class AuthorizeConf(Conf, frozen=True, kw_only=True):
    """The answer to Authorize.req."""

    id_tag_info: IdTagInfo


class BootNotification(Request, frozen=True, kw_only=True):
    """Register with the Central System after a start."""

    charge_point_vendor: String20
    charge_point_model: String20
    charge_point_serial_number: String25 | None = None
    charge_box_serial_number: String25 | None = None
    firmware_version: String50 | None = None
    iccid: String20 | None = None
    imsi: String20 | None = None
    meter_type: String25 | None = None
    meter_serial_number: String25 | None = None


class BootNotificationConf(Conf, Stamped, frozen=True, kw_only=True):
    """The answer to BootNotification.req."""

    status: RegistrationStatus
    current_time: datetime
    interval: Integer


class ChangeAvailability(Request, frozen=True, kw_only=True):
    """Make a connector, or with 0 all of them, operative or inoperative."""

    connector_id: ConnectorIdOrZero
    type: AvailabilityType


class ChangeAvailabilityConf(Conf, frozen=True, kw_only=True):
    """The answer to ChangeAvailability.req."""

    status: AvailabilityStatus


class ChangeConfiguration(Request, frozen=True, kw_only=True):
    """Set a configuration key."""

    key: String50
    value: String500


class ChangeConfigurationConf(Conf, frozen=True, kw_only=True):
    """The answer to ChangeConfiguration.req."""

    status: ConfigurationStatus


class ClearCache(Request, frozen=True, kw_only=True):
    """Forget every entry of the authorization cache."""


class ClearCacheConf(Conf, frozen=True, kw_only=True):
    """The answer to ClearCache.req."""

    status: ClearCacheStatus


class DataTransfer(Request, frozen=True, kw_only=True):
    """Carry what a vendor likes, in either direction."""

    vendor_id: String255
    message_id: String50 | None = None
    data: str | None = None


class DataTransferConf(Conf, frozen=True, kw_only=True):
    """The answer to DataTransfer.req."""

    status: DataTransferStatus
    data: str | None = None


class GetConfiguration(Request, frozen=True, kw_only=True):
    """Show configuration keys; without names, all of them."""

    key: tuple[String50, ...] | None = None


class GetConfigurationConf(Conf, frozen=True, kw_only=True):
    """The answer to GetConfiguration.req."""

    configuration_key: tuple[KeyValue, ...] | None = None
    unknown_key: tuple[String50, ...] | None = None


class Heartbeat(Request, frozen=True, kw_only=True):
    """Show that the charge point is alive, and learn the time."""


class HeartbeatConf(Conf, Stamped, frozen=True, kw_only=True):
    """The answer to Heartbeat.req."""

    current_time: datetime


class MeterValues(Request, frozen=True, kw_only=True):
    """Report what a meter measured."""

    connector_id: ConnectorIdOrZero
    transaction_id: Integer | None = None
    meter_value: Annotated[tuple[MeterValue, ...], Meta(min_length=1)]


class MeterValuesConf(Conf, frozen=True, kw_only=True):
    """The answer to MeterValues.req."""


class RemoteStartTransaction(Request, frozen=True, kw_only=True):
    """Start a transaction for an idTag."""

    id_tag: IdToken
    connector_id: ConnectorId | None = None
    charging_profile: ChargingProfile | None = None


class RemoteStartTransactionConf(Conf, frozen=True, kw_only=True):
    """The answer to RemoteStartTransaction.req."""

    status: RemoteStartStopStatus


class RemoteStopTransaction(Request, frozen=True, kw_only=True):
    """Stop a transaction."""

    transaction_id: Integer


class RemoteStopTransactionConf(Conf, frozen=True, kw_only=True):
    """The answer to RemoteStopTransaction.req."""

    status: RemoteStartStopStatus


class Reset(Request, frozen=True, kw_only=True):
    """Start the charge point anew."""

    type: ResetType


class ResetConf(Conf, frozen=True, kw_only=True):
    """The answer to Reset.req."""

    status: ResetStatus


class StartTransaction(Request, Stamped, frozen=True, kw_only=True):
    """Report that a transaction started."""

    connector_id: ConnectorId
    id_tag: IdToken
    meter_start: Integer
    timestamp: datetime
    reservation_id: Integer | None = None


class StartTransactionConf(Conf, frozen=True, kw_only=True):
    """The answer to StartTransaction.req."""

    id_tag_info: IdTagInfo
    transaction_id: Integer


class StatusNotification(Request, Stamped, frozen=True, kw_only=True):
    """Report the status of a connector, or with 0 of the charge point."""

    connector_id: ConnectorIdOrZero
    error_code: ChargePointErrorCode
    status: ChargePointStatus
    info: String50 | None = None
    timestamp: datetime | None = None
    vendor_id: String255 | None = None
    vendor_error_code: String50 | None = None


class StatusNotificationConf(Conf, frozen=True, kw_only=True):
    """The answer to StatusNotification.req."""


class StopTransaction(Request, Stamped, frozen=True, kw_only=True):
    """Report that a transaction stopped."""

    meter_stop: Integer
    timestamp: datetime
    transaction_id: Integer
    id_tag: IdToken | None = None
    reason: Reason | None = None
    transaction_data: tuple[MeterValue, ...] | None = None


class StopTransactionConf(Conf, frozen=True, kw_only=True):
    """The answer to StopTransaction.req."""

    id_tag_info: IdTagInfo | None = None


class UnlockConnector(Request, frozen=True, kw_only=True):
    """Release the cable of a connector."""

    connector_id: ConnectorId


class UnlockConnectorConf(Conf, frozen=True, kw_only=True):
    """The answer to UnlockConnector.req."""

    status: UnlockStatus
