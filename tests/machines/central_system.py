"""The Central System of a walk: what it asks for, and what it answers."""

from datetime import UTC, datetime, timedelta

from machines.vocabulary import ocpp
from machines.vocabulary.ocpp import AuthorizationStatus, IdTagInfo, RegistrationStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = "ABCa"

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
            _rare,
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
    return ocpp.RemoteStartTransaction(connector_id=number, id_tag=world.chance.choice(TAGS))


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
