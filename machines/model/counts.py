"""Numbers that count up for ever, counted anew among those that still matter, so that equal futures are one state.

Machines ask whether two such numbers are equal and add one to the latest, and do nothing else with them: what follows
from a state is the same whatever the numbers are. How often dialling failed only lengthens a wait; why a transaction
ended makes no difference to what becomes of its last message; and it is always now.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from machines.connection import ConnectionData
from machines.delivery import DeliveryData
from machines.diagnostics_upload import DiagnosticsUploadData
from machines.firmware_update import FirmwareUpdateData
from machines.machine import Standing
from machines.model.cells import Board
from machines.model.environment import DELIVERING, LATE, QUEUE, WORKS
from machines.model.moves import NOW
from machines.vocabulary.ocpp import Reason
from machines.vocabulary.transactions import Ended, TransactionMessage

LOCAL_IDS = ("local_id", "next_local_id", "stops")
"""Fields of machines that hold the number of a transaction; 0 is none."""
INSTANTS = ("since", "started_at", "stopped_at")
"""Fields of machines that hold when something was."""
TICKET = 1
"""Of any transfer: nothing is left of one that was given up, so that all of a machine may have the same."""

Ranks = Mapping[int, int]


def counting(standings: Mapping[str, Standing]) -> tuple[str, ...]:
    """The machines that count something, by their data."""
    names = {*LOCAL_IDS, *INSTANTS, "failures", "ticket"}
    return tuple(name for name, (_, data) in standings.items() if names & set(data.__struct_fields__))


def count_anew(board: Board, machines: Iterable[str]) -> None:
    """Let transactions and messages be counted from 1, without gaps."""
    held = {name: board[name] for name in machines}
    queues: dict[str, tuple[TransactionMessage, ...]] = {
        name: board[name] for name in (QUEUE, DELIVERING, LATE)
    }
    messages = [message for queue in queues.values() for message in queue]
    delivery: DeliveryData = held["delivery"].data
    local_ids = {message.local_id for message in messages} | set(_local_ids(held.values()))
    transactions = _ranked(local_ids - {0}) | {0: 0}
    numbers = _ranked({message.number for message in messages} | set(range(delivery.head, delivery.tail + 1)))
    for name, (state, data) in held.items():
        normal = _normal(data, transactions, numbers)
        if normal is not data:
            board[name] = Standing(state, normal)
    for name, queue in queues.items():
        if queue:
            board[name] = tuple(_counted(message, transactions, numbers) for message in queue)
    if board[WORKS]:
        board[WORKS] = tuple((by, replace(asked, ticket=TICKET)) for by, asked in board[WORKS])


def _ranked(numbers: Iterable[int]) -> dict[int, int]:
    return {number: rank for rank, number in enumerate(sorted(numbers), start=1)}


def _local_ids(standings: Iterable[Standing]) -> list[int]:
    return [value for _, data in standings for name in LOCAL_IDS if (value := getattr(data, name, 0))]


def _normal(data: Any, transactions: Ranks, numbers: Ranks) -> Any:
    changed: dict[str, Any] = {}
    for name in INSTANTS:
        if getattr(data, name, None) not in {None, NOW}:
            changed[name] = NOW
    for name in LOCAL_IDS:
        value = getattr(data, name, 0)
        if transactions[value] != value:
            changed[name] = transactions[value]
    if isinstance(data, DeliveryData) and numbers[data.head] != data.head:
        changed |= {"head": numbers[data.head], "tail": numbers[data.tail]}
    if isinstance(data, ConnectionData) and data.failures > 1:
        changed["failures"] = 1
    if isinstance(data, FirmwareUpdateData | DiagnosticsUploadData) and data.ticket > TICKET:
        changed["ticket"] = TICKET
    return replace(data, **changed) if changed else data


def _counted(message: TransactionMessage, transactions: Ranks, numbers: Ranks) -> TransactionMessage:
    body = replace(message.body, reason=Reason.OTHER) if isinstance(message.body, Ended) else message.body
    return TransactionMessage(numbers[message.number], transactions[message.local_id], NOW, body)
