"""The messages of the optional feature profiles (OCPP 1.6 edition 2, section 6)."""

from datetime import datetime

from machines.vocabulary.ocpp.enums import (
    CancelReservationStatus,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ClearChargingProfileStatus,
    DiagnosticsStatus,
    FirmwareStatus,
    GetCompositeScheduleStatus,
    MessageTrigger,
    ReservationStatus,
    TriggerMessageStatus,
    UpdateStatus,
    UpdateType,
)
from machines.vocabulary.ocpp.types import (
    AuthorizationData,
    ChargingProfile,
    ChargingSchedule,
    Conf,
    ConnectorIdOrZero,
    Grouped,
    IdToken,
    Integer,
    Request,
    Seconds,
    Stamped,
    String255,
)


class DiagnosticsStatusNotification(Request, frozen=True, kw_only=True):
    """Report how far the upload of diagnostics is."""

    status: DiagnosticsStatus


class DiagnosticsStatusNotificationConf(Conf, frozen=True, kw_only=True):
    """The answer to DiagnosticsStatusNotification.req."""


class FirmwareStatusNotification(Request, frozen=True, kw_only=True):
    """Report how far a firmware update is."""

    status: FirmwareStatus


class FirmwareStatusNotificationConf(Conf, frozen=True, kw_only=True):
    """The answer to FirmwareStatusNotification.req."""


class GetDiagnostics(Request, Stamped, frozen=True, kw_only=True):
    """Upload diagnostics to a location."""

    location: str
    retries: Integer | None = None
    retry_interval: Seconds | None = None
    start_time: datetime | None = None
    stop_time: datetime | None = None


class GetDiagnosticsConf(Conf, frozen=True, kw_only=True):
    """The answer to GetDiagnostics.req."""

    file_name: String255 | None = None


class UpdateFirmware(Request, Stamped, frozen=True, kw_only=True):
    """Retrieve firmware from a location at a time, and install it."""

    location: str
    retrieve_date: datetime
    retries: Integer | None = None
    retry_interval: Seconds | None = None


class UpdateFirmwareConf(Conf, frozen=True, kw_only=True):
    """The answer to UpdateFirmware.req."""


class GetLocalListVersion(Request, frozen=True, kw_only=True):
    """Tell the version of the local authorization list."""


class GetLocalListVersionConf(Conf, frozen=True, kw_only=True):
    """The answer to GetLocalListVersion.req."""

    list_version: Integer


class SendLocalList(Request, frozen=True, kw_only=True):
    """Replace or change the local authorization list."""

    list_version: Integer
    update_type: UpdateType
    local_authorization_list: tuple[AuthorizationData, ...] | None = None


class SendLocalListConf(Conf, frozen=True, kw_only=True):
    """The answer to SendLocalList.req."""

    status: UpdateStatus


class CancelReservation(Request, frozen=True, kw_only=True):
    """End a reservation."""

    reservation_id: Integer


class CancelReservationConf(Conf, frozen=True, kw_only=True):
    """The answer to CancelReservation.req."""

    status: CancelReservationStatus


class ReserveNow(Request, Grouped, frozen=True, kw_only=True):
    """Keep a connector, or with 0 any, for an idTag until a time."""

    connector_id: ConnectorIdOrZero
    expiry_date: datetime
    id_tag: IdToken
    reservation_id: Integer


class ReserveNowConf(Conf, frozen=True, kw_only=True):
    """The answer to ReserveNow.req."""

    status: ReservationStatus


class ClearChargingProfile(Request, frozen=True, kw_only=True):
    """Remove charging profiles: one by id, or all that match."""

    id: Integer | None = None
    connector_id: Integer | None = None
    charging_profile_purpose: ChargingProfilePurposeType | None = None
    stack_level: Integer | None = None


class ClearChargingProfileConf(Conf, frozen=True, kw_only=True):
    """The answer to ClearChargingProfile.req."""

    status: ClearChargingProfileStatus


class GetCompositeSchedule(Request, frozen=True, kw_only=True):
    """Tell the limits that hold for a connector from now on."""

    connector_id: Integer
    duration: Seconds
    charging_rate_unit: ChargingRateUnitType | None = None


class GetCompositeScheduleConf(Conf, Stamped, frozen=True, kw_only=True):
    """The answer to GetCompositeSchedule.req."""

    status: GetCompositeScheduleStatus
    connector_id: Integer | None = None
    schedule_start: datetime | None = None
    charging_schedule: ChargingSchedule | None = None


class SetChargingProfile(Request, frozen=True, kw_only=True):
    """Install a charging profile."""

    connector_id: Integer
    cs_charging_profiles: ChargingProfile


class SetChargingProfileConf(Conf, frozen=True, kw_only=True):
    """The answer to SetChargingProfile.req."""

    status: ChargingProfileStatus


class TriggerMessage(Request, frozen=True, kw_only=True):
    """Make the charge point send a message now."""

    requested_message: MessageTrigger
    connector_id: ConnectorIdOrZero | None = None


class TriggerUnknownMessage(Request, frozen=True, kw_only=True):
    """TriggerMessage.req for a message that the schema does not know: answered NotImplemented."""

    requested_message: str


class TriggerMessageConf(Conf, frozen=True, kw_only=True):
    """The answer to TriggerMessage.req."""

    status: TriggerMessageStatus
