"""The Central System of a walk: what it asks for, and what it answers."""

from datetime import UTC, datetime, timedelta

from machines.vocabulary import ocpp
from machines.vocabulary.ocpp import AuthorizationStatus, IdTagInfo, RegistrationStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = "ABCa"
UPDATING = 2
"""A station whose ``install_attempts_max`` is this one gets firmware most of the time."""

SETTINGS = (
    *(("HeartbeatInterval", value) for value in ("0", "10", "-1", "x")),
    *(("ConnectorMaximumCurrent", value) for value in ("0", "0", "6", "16", "x")),
    *(("MeterValueSampleInterval", value) for value in ("0", "10", "-1")),
    *(("ClockAlignedDataInterval", value) for value in ("0", "10")),
    *(("MinimumStatusDuration", value) for value in ("0", "5")),
    *(("ConnectionTimeOut", value) for value in ("0", "20")),
    *(("MaxEnergyOnInvalidId", value) for value in ("0", "100")),
    *(
        (key, value)
        for key in ("MeterValuesSampledData", "StopTxnSampledData", "StopTxnAlignedData")
        for value in ("", "Energy.Active.Import.Interval", "Temperature", "Energy.Active.Import.Register")
    ),
    *(
        (key, value)
        for key in (
            "StopTransactionOnInvalidId",
            "StopTransactionOnEVSideDisconnect",
            "UnlockConnectorOnEVSideDisconnect",
            "AllowOfflineTxForUnknownId",
            "AuthorizeRemoteTxRequests",
            "LocalAuthListEnabled",
            "AuthorizationCacheEnabled",
            "LocalPreAuthorize",
            "LocalAuthorizeOffline",
        )
        for value in ("true", "true", "false")
    ),
    ("AuthorizationKey", "00" * 16),
    ("Nonsense", "1"),
)
"""Configuration keys, and values for them that fit or not."""


def some_request(world):
    """What the Central System may ask for next."""
    chance = world.chance
    return chance.choice(
        [
            _availability,
            _configuration,
            _start,
            _stop,
            _stop,
            _unlock,
            _reserve,
            _cancel,
            _list,
            _trigger,
            _profile,
            _profile,
            _limits,
            _rare,
            *[_files] * (chance.random() < 0.3),
            *[_files] * 30 * (world.station.settings.limits.install_attempts_max == UPDATING),
        ]
    )(world)


def _availability(world):
    number = world.chance.choice([0, *world.numbers, *world.numbers, 9])
    operative, inoperative = ocpp.AvailabilityType.OPERATIVE, ocpp.AvailabilityType.INOPERATIVE
    kind = world.chance.choice([operative, operative, inoperative])
    return ocpp.ChangeAvailability(connector_id=number, type=kind)


def _configuration(world):
    key, value = world.chance.choice(SETTINGS)
    return ocpp.ChangeConfiguration(key=key, value=value)


def _start(world):
    number = world.chance.choice([None, *world.numbers, *world.numbers, 9])
    profile = None
    if world.chance.random() < 0.3:
        profile = _charging_profile(world, ocpp.ChargingProfilePurposeType.TX_PROFILE)
    return ocpp.RemoteStartTransaction(
        connector_id=number, id_tag=world.chance.choice(TAGS), charging_profile=profile
    )


def _profile(world):
    """A SetChargingProfile that may fit or not."""
    purpose = world.chance.choice(list(ocpp.ChargingProfilePurposeType))
    return ocpp.SetChargingProfile(
        connector_id=world.chance.choice([0, 0, *world.numbers, *world.numbers, 9]),
        cs_charging_profiles=_charging_profile(world, purpose),
    )


def _charging_profile(world, purpose):
    """A few periods of some seconds: a step of a walk takes one."""
    chance, now = world.chance, datetime.fromtimestamp(world.seconds, UTC)
    is_relative = chance.random() < 0.3
    starts = sorted({0, *chance.sample(range(1, 60), 2)})
    return ocpp.ChargingProfile(
        charging_profile_id=chance.choice([1, 2, 3, 4]),
        stack_level=chance.choice([0, 1, 99]),
        charging_profile_purpose=purpose,
        charging_profile_kind=ocpp.ChargingProfileKindType.RELATIVE
        if is_relative
        else ocpp.ChargingProfileKindType.ABSOLUTE,
        charging_schedule=ocpp.ChargingSchedule(
            charging_rate_unit=ocpp.ChargingRateUnitType.A,
            duration=chance.choice([None, 20, 100]),
            start_schedule=None if is_relative else now + timedelta(seconds=chance.choice([-10, 0, 10])),
            charging_schedule_period=tuple(
                ocpp.ChargingSchedulePeriod(start_period=start, limit=chance.choice([0.0, 8.0, 16.0, 40.0]))
                for start in starts
            ),
        ),
    )


def _limits(world):
    """What limits there are, or away with some of them."""
    chance = world.chance
    number = chance.choice([0, *world.numbers, 9])
    return chance.choice(
        [
            ocpp.GetCompositeSchedule(connector_id=number, duration=chance.choice([0, 60, 10**6])),
            ocpp.ClearChargingProfile(),
            ocpp.ClearChargingProfile(id=chance.choice([1, 2, 3, 9])),
            ocpp.ClearChargingProfile(connector_id=number),
        ]
    )


def _stop(world):
    known = list(world.transaction_ids.values())[-4:]
    return ocpp.RemoteStopTransaction(transaction_id=world.chance.choice([*known, *known, 12345]))


def _unlock(world):
    return ocpp.UnlockConnector(connector_id=world.chance.choice([*world.numbers, *world.numbers, 9]))


def _reserve(world):
    chance, now = world.chance, datetime.fromtimestamp(world.seconds, UTC)
    soon = now + timedelta(seconds=chance.choice([-5, 0, 100]))
    return ocpp.ReserveNow(
        connector_id=chance.choice([0, *world.numbers, *world.numbers, 9]),
        expiry_date=chance.choice([soon, *[NOW + timedelta(days=1)] * 4]),
        id_tag=chance.choice("ABa"),
        parent_id_tag=chance.choice([None, "P"]),
        reservation_id=chance.choice([1, 2, 3]),
    )


def _cancel(world):
    return ocpp.CancelReservation(reservation_id=world.chance.choice([1, 2, 3]))


def _list(world):
    """A SendLocalList that may fit or not: old and new versions, an idTag twice, one without its status."""
    chance = world.chance
    infos = [None, *(IdTagInfo(status=status, parent_id_tag="P") for status in AuthorizationStatus)]
    return ocpp.SendLocalList(
        list_version=chance.randint(0, 9),
        update_type=chance.choice(list(ocpp.UpdateType)),
        local_authorization_list=tuple(
            ocpp.AuthorizationData(id_tag=chance.choice("ABCabc"), id_tag_info=chance.choice(infos))
            for _ in range(chance.randint(0, 3))
        ),
    )


def _trigger(world):
    number = world.chance.choice([None, 0, *world.numbers, 9])
    message = world.chance.choice(list(ocpp.MessageTrigger))
    return ocpp.TriggerMessage(requested_message=message, connector_id=number)


def _rare(world):
    """What has little to do with charging."""
    chance = world.chance
    vendor, message = chance.choice(["org.example", "nobody"]), chance.choice([None, "PING", "x"])
    return chance.choice(
        [
            ocpp.TriggerUnknownMessage(requested_message="Rumour"),
            ocpp.DataTransfer(vendor_id=vendor, message_id=message),
            ocpp.GetLocalListVersion(),
            ocpp.ClearCache(),
            ocpp.GetConfiguration(),
            ocpp.Reset(type=chance.choice(list(ocpp.ResetType))),
        ]
    )


def _files(world):
    """Firmware and diagnostics, and what becomes of them."""
    chance = world.chance
    when = datetime.fromtimestamp(max(world.seconds + chance.choice([-1, -1, 20]), 0), UTC)
    firmware = ocpp.UpdateFirmware(location="ftp://h/f", retrieve_date=when, retries=chance.choice([0, 1]))
    triggers = ("FirmwareStatusNotification", "DiagnosticsStatusNotification")
    return chance.choice(
        [
            firmware,
            firmware,
            ocpp.GetDiagnostics(location="ftp://h/", retries=chance.choice([0, 1])),
            *(ocpp.TriggerMessage(requested_message=ocpp.MessageTrigger(one)) for one in triggers),
        ]
    )


def some_answer(world, request):
    """What the Central System may answer to ``request``; the usual more often."""
    chance = world.chance
    status = chance.choice([*[AuthorizationStatus.ACCEPTED] * 4, *AuthorizationStatus])
    info = IdTagInfo(status=status, parent_id_tag=chance.choice([None, "P", "Q"]))
    match request:
        case ocpp.BootNotification():
            registered = chance.choice([*[RegistrationStatus.ACCEPTED] * 4, *RegistrationStatus])
            interval = chance.choice([0, 60])
            return ocpp.BootNotificationConf(status=registered, current_time=NOW, interval=interval)
        case ocpp.DataTransfer():
            return ocpp.DataTransferConf(status=chance.choice(list(ocpp.DataTransferStatus)))
        case ocpp.Heartbeat():
            return ocpp.HeartbeatConf(current_time=NOW)
        case ocpp.Authorize():
            return ocpp.AuthorizeConf(id_tag_info=info)
        case ocpp.StartTransaction():
            return ocpp.StartTransactionConf(transaction_id=chance.randint(-5, 10**6), id_tag_info=info)
        case ocpp.StopTransaction():
            return ocpp.StopTransactionConf(id_tag_info=chance.choice([None, info]))
        case _:
            return ocpp.ACTIONS[type(request).__name__].conf()
