"""Every action of OCPP 1.6: its payloads, who may send it, and the feature profile it belongs to."""

from msgspec import Struct

from machines.vocabulary.ocpp import core, optional
from machines.vocabulary.ocpp.types import Conf, Request


class Action(Struct, frozen=True):
    """One action. At least one side may send it."""

    name: str
    request: type[Request]
    conf: type[Conf]
    from_charge_point: bool
    from_central_system: bool
    profile: str
    """As SupportedFeatureProfiles spells it."""


def _reported(profile: str, request: type[Request], conf: type[Conf]) -> Action:
    """An action that the charge point sends."""
    return Action(request.__name__, request, conf, True, False, profile)


def _commanded(profile: str, request: type[Request], conf: type[Conf]) -> Action:
    """An action that the Central System sends."""
    return Action(request.__name__, request, conf, False, True, profile)


_CORE = "Core"
_FIRMWARE = "FirmwareManagement"
_LOCAL_LIST = "LocalAuthListManagement"
_RESERVATION = "Reservation"
_SMART_CHARGING = "SmartCharging"
_REMOTE_TRIGGER = "RemoteTrigger"

_ACTIONS = (
    _reported(_CORE, core.Authorize, core.AuthorizeConf),
    _reported(_CORE, core.BootNotification, core.BootNotificationConf),
    _reported(_CORE, core.Heartbeat, core.HeartbeatConf),
    _reported(_CORE, core.MeterValues, core.MeterValuesConf),
    _reported(_CORE, core.StartTransaction, core.StartTransactionConf),
    _reported(_CORE, core.StatusNotification, core.StatusNotificationConf),
    _reported(_CORE, core.StopTransaction, core.StopTransactionConf),
    Action("DataTransfer", core.DataTransfer, core.DataTransferConf, True, True, _CORE),
    _commanded(_CORE, core.ChangeAvailability, core.ChangeAvailabilityConf),
    _commanded(_CORE, core.ChangeConfiguration, core.ChangeConfigurationConf),
    _commanded(_CORE, core.ClearCache, core.ClearCacheConf),
    _commanded(_CORE, core.GetConfiguration, core.GetConfigurationConf),
    _commanded(_CORE, core.RemoteStartTransaction, core.RemoteStartTransactionConf),
    _commanded(_CORE, core.RemoteStopTransaction, core.RemoteStopTransactionConf),
    _commanded(_CORE, core.Reset, core.ResetConf),
    _commanded(_CORE, core.UnlockConnector, core.UnlockConnectorConf),
    _reported(_FIRMWARE, optional.DiagnosticsStatusNotification, optional.DiagnosticsStatusNotificationConf),
    _reported(_FIRMWARE, optional.FirmwareStatusNotification, optional.FirmwareStatusNotificationConf),
    _commanded(_FIRMWARE, optional.GetDiagnostics, optional.GetDiagnosticsConf),
    _commanded(_FIRMWARE, optional.UpdateFirmware, optional.UpdateFirmwareConf),
    _commanded(_LOCAL_LIST, optional.GetLocalListVersion, optional.GetLocalListVersionConf),
    _commanded(_LOCAL_LIST, optional.SendLocalList, optional.SendLocalListConf),
    _commanded(_RESERVATION, optional.CancelReservation, optional.CancelReservationConf),
    _commanded(_RESERVATION, optional.ReserveNow, optional.ReserveNowConf),
    _commanded(_SMART_CHARGING, optional.ClearChargingProfile, optional.ClearChargingProfileConf),
    _commanded(_SMART_CHARGING, optional.GetCompositeSchedule, optional.GetCompositeScheduleConf),
    _commanded(_SMART_CHARGING, optional.SetChargingProfile, optional.SetChargingProfileConf),
    _commanded(_REMOTE_TRIGGER, optional.TriggerMessage, optional.TriggerMessageConf),
)

ACTIONS = {action.name: action for action in _ACTIONS}
"""Every action by its name on the wire, which is case-sensitive."""


def action_of(payload: Request | Conf) -> Action:
    """The action that ``payload`` belongs to."""
    return ACTIONS[type(payload).__name__.removesuffix("Conf")]
