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
from machines.machine import Standing
from machines.model.alphabet import NOW
from machines.model.cells import Board
from machines.model.environment import DELIVERING, LATE, QUEUE, WORKS, Work
from machines.vocabulary.ocpp import Reason
from machines.vocabulary.transactions import Ended, TransactionMessage

LOCAL_IDS = ("local_id", "next_local_id", "stops")
"""Fields of machines that hold the number of a transaction; 0 is none."""
INSTANTS = ("since", "started_at", "stopped_at")
"""Fields of machines that hold when something was."""
TICKETS = ("ticket",)
"""Those that hold the number of a transfer; 0 is none."""

Ranks = Mapping[int, int]


def counting(standings: Mapping[str, Standing]) -> tuple[str, ...]:
    """The machines that count something, by their data."""
    names = {*LOCAL_IDS, *TICKETS, *INSTANTS, "failures"}
    return tuple(name for name, (_, data) in standings.items() if names & set(data.__struct_fields__))


def count_anew(board: Board, machines: Iterable[str]) -> None:
    """Let transactions and messages be counted from 1, without gaps."""
    held = {name: board[name] for name in machines}
    queues: dict[str, tuple[TransactionMessage, ...]] = {
        name: board[name] for name in (QUEUE, DELIVERING, LATE)
    }
    messages = [message for queue in queues.values() for message in queue]
    delivery: DeliveryData = held["delivery"].data
    local_ids = {message.local_id for message in messages} | set(_held(held.values(), LOCAL_IDS))
    transactions = _ranked(local_ids - {0}) | {0: 0}
    numbers = _ranked({message.number for message in messages} | set(range(delivery.head, delivery.tail + 1)))
    works: tuple[Work, ...] = board[WORKS]
    tickets = _ranked(({_ticket(work) for work in works} | set(_held(held.values(), TICKETS))) - {0}) | {0: 0}
    for name, (state, data) in held.items():
        normal = _normal(data, transactions, tickets, numbers)
        if normal is not data:
            board[name] = Standing(state, normal)
    for name, queue in queues.items():
        if queue:
            board[name] = tuple(_counted(message, transactions, numbers) for message in queue)
    if works:
        board[WORKS] = tuple(
            replace(work, effect=replace(work.effect, ticket=tickets[_ticket(work)])) for work in works
        )


def _ranked(numbers: Iterable[int]) -> dict[int, int]:
    return {number: rank for rank, number in enumerate(sorted(numbers), start=1)}


def _held(standings: Iterable[Standing], names: Iterable[str]) -> list[int]:
    return [value for _, data in standings for name in names if (value := getattr(data, name, 0))]


def _ticket(work: Work) -> int:
    asked: Any = work.effect
    return int(asked.ticket)


def _normal(data: Any, transactions: Ranks, tickets: Ranks, numbers: Ranks) -> Any:
    changed: dict[str, Any] = {}
    for name in INSTANTS:
        if getattr(data, name, None) not in {None, NOW}:
            changed[name] = NOW
    for names, ranks in ((LOCAL_IDS, transactions), (TICKETS, tickets)):
        for name in names:
            value = getattr(data, name, 0)
            if ranks[value] != value:
                changed[name] = ranks[value]
    if isinstance(data, DeliveryData) and numbers[data.head] != data.head:
        changed |= {"head": numbers[data.head], "tail": numbers[data.tail]}
    if isinstance(data, ConnectionData) and data.failures > 1:
        changed["failures"] = 1
    return replace(data, **changed) if changed else data


def _counted(message: TransactionMessage, transactions: Ranks, numbers: Ranks) -> TransactionMessage:
    body = replace(message.body, reason=Reason.OTHER) if isinstance(message.body, Ended) else message.body
    return TransactionMessage(numbers[message.number], transactions[message.local_id], NOW, body)
