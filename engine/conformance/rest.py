"""Between two cases: a station that cannot be made anew is brought to where every case begins.

Nothing is taken for granted, so it also serves before the first case, after a failure, and after an interruption:
what can be asked for is asked for, and what can be set is set.
"""

from collections.abc import Iterable

import trio

from engine.conformance.bed import BOOT_S, OVERRIDDEN, Bed
from engine.conformance.cases.reservation import RESERVATIONS
from engine.conformance.dialogue import LOOK_S, becomes
from engine.conformance.rig import RigError
from engine.csms import NotConnectedError
from engine.csms_book import RECEIVED, SENT
from engine.ocpp import frames
from machines.vocabulary.ocpp import (
    AvailabilityType,
    CancelReservation,
    ChangeAvailability,
    ChangeConfiguration,
    ClearCache,
    ClearChargingProfile,
    Conf,
    GetConfiguration,
    GetConfigurationConf,
    MessageTrigger,
    RemoteStopTransaction,
    Request,
    Reset,
    ResetType,
    SendLocalList,
    TriggerMessage,
    UnlockConnector,
    UpdateType,
)
from machines.vocabulary.wire import CallError

REST_S = 900
"""How long a station may take altogether."""
UNLOCK_S = 5
"""How long a lock may take to open."""
SILENCE_S = 1
"""So long nothing is sent by a station at rest."""
SILENCE_WITHIN_S = 30
CALL_S = 60
"""How long a station may wait for an answer before it sends the CALL again."""
AVAILABLE_S = 30
"""How long after ConnectionTimeOut a connector may take to be Available."""


async def bring_to_rest(bed: Bed) -> None:
    """Undo what the case did to hardware, station and Central System; wait until every connector is Available.

    Args:
        bed: That of the case, or a fresh one.

    Raises:
        Deviation: The station does not come to rest.
        RigError: The hardware cannot be brought back.
    """
    for action in OVERRIDDEN:
        bed.csms.override(action, None)
    await bed.undo()
    with trio.move_on_after(REST_S):
        await _wait_registered(bed)
        await _wait_delivered(bed)
        is_reboot_due = await _set_back(bed)
        await _end_transactions(bed)
        for connector in sorted(bed.plugged):
            await _unplug(bed, connector)
        await _wait_available(bed)
        if bed.was_link_cut or is_reboot_due:
            # After each loss it may wait longer before it dials again; one that starts anew does not.
            await _restart(bed, ResetType.SOFT)
            await _wait_available(bed)
        await _wait_silent(bed)
        return
    raise bed.sequence.deviation(f"the station is not at rest after {REST_S} s", "that it is")


async def _call(bed: Bed, request: Request) -> Conf | CallError:
    """Send a CALL as often as it takes."""
    while True:
        try:
            return await bed.csms.call(request)
        except (NotConnectedError, trio.TooSlowError):
            await trio.sleep(LOOK_S)


# Registered


async def _wait_registered(bed: Bed) -> None:
    """Wait until the station is connected, has been accepted, and answers."""
    await becomes(lambda: not _is_restarting(bed), BOOT_S)
    while True:
        if bed.csms.identities and _is_accepted(bed):
            answer = await _call(bed, GetConfiguration(key=("NumberOfConnectors",)))
            if not isinstance(answer, CallError):
                return
        await trio.sleep(LOOK_S)


def _is_restarting(bed: Bed) -> bool:
    """Whether a BootNotification is due after what the case did."""
    left_at, booted_at = bed.power_cut_at, -1
    for place, entry in enumerate(bed.csms.transcript[bed.start :], bed.start):
        if entry.action == "BootNotification" and entry.direction == RECEIVED:
            booted_at = place
        elif entry.action == "Reset" and entry.payload == {"status": "Accepted"}:
            left_at = place
    return left_at > 0 and booted_at < left_at


def _is_accepted(bed: Bed) -> bool:
    """What the latest BootNotification was answered, if there was one."""
    for entry in reversed(bed.csms.transcript):
        if entry.action == "BootNotification":
            return entry.direction == SENT and entry.payload.get("status") == "Accepted"
    return True


async def _restart(bed: Bed, kind: ResetType) -> None:
    """Let the station start anew, if it does."""
    await _call(bed, Reset(type=kind))
    await _wait_registered(bed)


# Delivered

TRANSACTION_RELATED = frozenset({"StartTransaction", "StopTransaction"})


async def _wait_delivered(bed: Bed) -> None:
    """Wait until what was told of transactions and not taken comes again, if it does: 3.7.1, 9.1.

    It may be given up; how long it may take is in the keys as they are now.
    """
    if not _is_undelivered(bed):
        return
    names = ("TransactionMessageAttempts", "TransactionMessageRetryInterval")
    answer = await _call(bed, GetConfiguration(key=names))
    shown = answer.configuration_key or () if isinstance(answer, GetConfigurationConf) else ()
    values = {each.key.casefold(): int(each.value) for each in shown if each.value and each.value.isdecimal()}
    attempts, interval_s = (values.get(name.casefold(), 0) for name in names)
    # Before each further transmission it waits once more as long.
    waits_s = interval_s * attempts * (attempts - 1) / 2
    await becomes(lambda: not _is_undelivered(bed), waits_s + CALL_S)


def _is_undelivered(bed: Bed) -> bool:
    """Whether the latest of them got no result."""
    asked = ""
    for entry in bed.csms.transcript[bed.start :]:
        if entry.direction == RECEIVED and entry.kind == frames.CALL and entry.action in TRANSACTION_RELATED:
            asked = entry.call_id
        elif entry.direction == SENT and entry.kind == frames.CALL_RESULT and entry.call_id == asked:
            asked = ""
    return bool(asked)


# Set back


async def _set_back(bed: Bed) -> bool:
    """Reservations, availability, charging profiles, local list, cache and configuration keys.

    Returns:
        Whether the station must start anew for that.
    """
    profiles = bed.declared.profiles
    if "Reservation" in profiles:
        for reservation_id in _reservations(bed):
            await _call(bed, CancelReservation(reservation_id=reservation_id))
    for connector in (0, *bed.every):
        await _call(bed, ChangeAvailability(connector_id=connector, type=AvailabilityType.OPERATIVE))
    if "SmartCharging" in profiles:
        await _call(bed, ClearChargingProfile())
    if "LocalAuthListManagement" in profiles:
        await _call(bed, ChangeConfiguration(key="LocalAuthListEnabled", value="true"))
        await _call(bed, SendLocalList(list_version=1, update_type=UpdateType.FULL))
    await _call(bed, ClearCache())
    return await _set_back_keys(bed)


def _reservations(bed: Bed) -> list[int]:
    """The numbers of those that may be held."""
    asked = {
        entry.payload.get("reservationId")
        for entry in bed.csms.transcript[bed.start :]
        if entry.direction == SENT and entry.action == "ReserveNow" and entry.kind == frames.CALL
    }
    return sorted({*RESERVATIONS, *(number for number in asked if isinstance(number, int))})


async def _set_back_keys(bed: Bed) -> bool:
    """Give the keys their values again; return whether one of them counts only after a restart."""
    is_reboot_due, waiting = False, _that_wait(bed)
    answer = await _call(bed, GetConfiguration())
    shown = answer.configuration_key or () if isinstance(answer, GetConfigurationConf) else ()
    for each in shown:
        before = bed.declared.key(each.key)
        if before is None or before.is_readonly:
            continue
        if before.value == each.value and each.key.casefold() not in waiting:
            continue
        found = await _call(bed, ChangeConfiguration(key=each.key, value=before.value or ""))
        status = found.code if isinstance(found, CallError) else getattr(found, "status", None)
        if status == "RebootRequired":
            is_reboot_due = is_reboot_due or before.value != each.value
        elif status != "Accepted":
            raise bed.sequence.deviation(
                f"setting {each.key} back to {before.value!r} is answered {status}", "Accepted"
            )
    return is_reboot_due


def _that_wait(bed: Bed) -> set[str]:
    """The keys that the case set and that change with the next restart; until then their old value may be told."""
    asked: dict[str, str] = {}
    found = set()
    for entry in bed.csms.transcript[bed.start :]:
        if entry.action != "ChangeConfiguration":
            continue
        if entry.direction == SENT and entry.kind == frames.CALL:
            asked[entry.call_id] = str(entry.payload.get("key")).casefold()
        elif entry.payload.get("status") == "RebootRequired" and entry.call_id in asked:
            found.add(asked[entry.call_id])
    return found


# Transactions and cables


async def _end_transactions(bed: Bed) -> None:
    """Stop what runs; the station refuses those that it does not know any more."""
    for transaction in tuple(bed.csms.ledger.values()):
        if transaction.stopped is None:
            await _call(bed, RemoteStopTransaction(transaction_id=transaction.transaction_id))


async def _unplug(bed: Bed, connector: int) -> None:
    """Take the cable out, once the lock lets it go."""
    if not await _is_unlocked(bed, connector):
        await _call(bed, UnlockConnector(connector_id=connector))
        await _is_unlocked(bed, connector)
    if bed.plugged[connector] == "both":
        await bed.unplug(connector)
        return
    try:
        await bed.unplug(connector, "station")
    except RigError:
        bed.plugged.pop(connector, None)  # A fixed cable stays; whether the station is at rest shows below.


async def _is_unlocked(bed: Bed, connector: int) -> bool:
    with trio.move_on_after(UNLOCK_S):
        while True:
            if not await bed.rig.is_locked(connector):
                return True
            await trio.sleep(LOOK_S)
    return False


# Available


async def _wait_available(bed: Bed) -> None:
    """Wait until every connector is Available; a station that is not after all time-outs is restarted once."""
    await _tell_statuses(bed)
    within_s = bed.connection_time_out_s + AVAILABLE_S
    if await becomes(lambda: not _others(bed), within_s):
        return
    await _restart(bed, ResetType.HARD)
    if await becomes(lambda: not _others(bed), within_s):
        return
    found = ", ".join(f"connector {connector} is {status}" for connector, status in _others(bed).items())
    raise bed.sequence.deviation(f"between two cases {found}", "Available")


async def _tell_statuses(bed: Bed) -> None:
    """Have the station tell a status that it never told here, if it can be asked for it."""
    if "RemoteTrigger" in bed.declared.profiles and any(
        connector not in _statuses(bed) for connector in bed.every
    ):
        await _call(bed, TriggerMessage(requested_message=MessageTrigger.STATUS_NOTIFICATION))
        await trio.sleep(SILENCE_S)


def _others(bed: Bed) -> dict[int, str]:
    """The connectors that are not Available, with their statuses. One that was never told may be."""
    return {connector: status for connector, status in _statuses(bed).items() if status != "Available"}


def _statuses(bed: Bed) -> dict[int, str]:
    """What was last told of connector 0 and each connector."""
    found: dict[int, str] = {}
    numbers: Iterable[int] = (0, *bed.every)
    for entry in reversed(bed.csms.transcript):
        if entry.action == "StatusNotification" and entry.direction == RECEIVED:
            connector = entry.payload.get("connectorId")
            if isinstance(connector, int) and connector in numbers:
                found.setdefault(connector, str(entry.payload.get("status")))
                if len(found) == len(tuple(numbers)):
                    break
    return found


async def _wait_silent(bed: Bed) -> None:
    """Wait until nothing more comes of what was."""
    with trio.move_on_after(SILENCE_WITHIN_S):
        while True:
            start = len(bed.csms.transcript)
            with trio.move_on_after(SILENCE_S) as silence:
                await bed.csms.wait_for(
                    lambda entry: (entry.direction, entry.kind) == (RECEIVED, frames.CALL), start=start
                )
            if silence.cancelled_caught:
                return
