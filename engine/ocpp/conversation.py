"""One open WebSocket: CALLs out, CALLs in, their answers, and pings (OCPP-J 1.6, 4.1 and 5.3).

Of our own CALLs one is in flight; normal ones go before a transaction message. A CALL of the Central System
is served whatever our own is waiting for. Everything here dies with the connection.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import count
from typing import Protocol
from uuid import uuid4

import trio
from msgspec import Struct
from trio_websocket import ConnectionClosed, WebSocketConnection

from engine.ocpp import frames, payloads
from engine.ocpp.redaction import loggable
from engine.ocpp.reports import Reports
from engine.ocpp.websocket import reason
from machines.vocabulary.ocpp import ACTIONS, Conf, Request
from machines.vocabulary.wire import (
    CallAnswered,
    CallError,
    CallFailed,
    ErrorCode,
    Failure,
    RequestReceived,
)

CALL_ID_RANDOM = 24
"""Hexadecimal digits of a call id that are drawn, once for a connection; a counter makes it 36 characters at most."""

LATE_CALLS_MAX = 16
"""Timed-out CALLs of a connection whose answer is still recognised."""


class Log(Protocol):
    """What happened, for people and tools."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Note ``event``, a few words in the past tense, with its particulars. Never waits."""


class Terms(Struct, frozen=True, kw_only=True):
    """The limits of a conversation. Times in s, sizes in bytes or pieces."""

    call_timeout_s: float
    pong_timeout_s: float
    frame_size_max: int
    outbox_size_max: int
    """CALLs of ours that may wait, and CALLs of the Central System that may be in progress."""
    receives: frozenset[str]
    """Actions that the station takes from the Central System."""


class _Waiting(Struct, frozen=True):
    """A CALL that was asked for."""

    owner: str
    request: Request

    def failed(self, failure: Failure, why: str = "") -> CallFailed:
        return CallFailed(self.owner, type(self.request).__name__, failure, why)


class _Pending:
    """The CALL in flight."""

    def __init__(self, call_id: str, waiting: _Waiting, timeout_s: float) -> None:
        self.call_id = call_id
        self.waiting = waiting
        self.timeout_s = timeout_s
        self.settled = trio.Event()


class Conversation:
    """What goes on over one WebSocket, from ConnectionOpened to its end."""

    def __init__(
        self, socket: WebSocketConnection, terms: Terms, ping_interval_s: float, reports: Reports, log: Log
    ) -> None:
        self._socket = socket
        self._terms = terms
        self._reports = reports
        self._log = log
        self._why = ""
        self._ended = trio.Event()
        self._closed = trio.Event()
        self._is_polite = False
        self._sending = 0
        self._is_held_up = False
        """Whether the reader waits for the charge point; then a pong may lie unread."""
        self._calls: deque[_Waiting] = deque()
        self._transaction: _Waiting | None = None
        self._settled = ""
        """The owner of the transaction message that a late answer settled last."""
        self._asked = trio.Event()
        self._pending: _Pending | None = None
        self._late: OrderedDict[str, _Waiting] = OrderedDict()
        self._in_progress: set[str] = set()
        # Not bounded here: there are at most as many answers as CALLs in progress.
        self._answer, self._answers = trio.open_memory_channel[str](math.inf)
        self._answered = trio.Event()
        """Set while no answer waits to be sent."""
        self._answered.set()
        self._ping_interval_s = ping_interval_s
        self._ping_changed = trio.Event()
        self._call_timeout_s = terms.call_timeout_s
        # Unique on any connection; drawn once, for a number of random bits a call costs a system call.
        prefix = uuid4().hex[:CALL_ID_RANDOM]
        self._call_ids = (f"{prefix}-{number}" for number in count(1))

    # Asked for by the charge point; nothing here waits

    def call(self, owner: str, request: Request) -> None:
        """Send ``request`` when its turn comes. With a full outbox it fails at once."""
        waiting = _Waiting(owner, request)
        if len(self._calls) >= self._terms.outbox_size_max:
            self._reports.post(waiting.failed(Failure.TIMED_OUT, "the outbox is full"))
            return
        self._calls.append(waiting)
        self._asked.set()

    def call_transaction(self, owner: str, request: Request) -> None:
        """Send ``request`` when no other CALL waits. There is never more than one.

        One that a late answer has just settled is not sent: the answer is on its way to who asks for it.
        """
        if owner == self._settled:
            return
        assert self._transaction is None, "the store hands out one transaction message at a time"
        self._transaction = _Waiting(owner, request)
        self._asked.set()

    def answer(self, call_id: str, answer: Conf | CallError) -> None:
        """Answer a CALL of the Central System. One of an earlier connection is left unanswered."""
        if call_id not in self._in_progress:
            self._log("answer dropped", call_id=call_id, why="no such CALL on this connection")
            return
        self._in_progress.remove(call_id)
        if self._answered.is_set():
            self._answered = trio.Event()
        if isinstance(answer, CallError):
            self._answer.send_nowait(frames.encode_error(call_id, answer))
        else:
            self._answer.send_nowait(frames.encode_result(call_id, answer))

    def leave_unanswered(self, call_id: str) -> None:
        """Let the Central System wait for its answer in vain."""
        self._in_progress.discard(call_id)

    def set_ping_interval(self, ping_interval_s: float) -> None:
        """Ping every ``ping_interval_s`` from now on; 0 is never."""
        self._ping_interval_s = ping_interval_s
        self._ping_changed.set()

    def set_call_timeout(self, call_timeout_s: float) -> None:
        """Wait no longer than ``call_timeout_s`` for an answer, from the next CALL on."""
        self._call_timeout_s = call_timeout_s

    def hang_up(self, why: str) -> None:
        """End with a closing handshake."""
        self._is_polite = not self._ended.is_set()
        self._end(why)

    async def wait_closed(self) -> None:
        """Wait for the end."""
        await self._closed.wait()

    # The life of the conversation

    async def run(self) -> str:
        """Talk until the connection ends; return why it did."""
        try:
            await self._talk()
            if self._is_polite:
                with trio.move_on_after(self._terms.pong_timeout_s):
                    await self._socket.aclose()
        finally:
            self._closed.set()  # also when it is cancelled: somebody may be waiting
        return self._why

    async def _talk(self) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._receive_all)
                nursery.start_soon(self._send_calls)
                nursery.start_soon(self._send_answers)
                nursery.start_soon(self._keep_alive)
                await self._ended.wait()
                if self._is_polite:
                    # What was answered before the end is still owed.
                    with trio.move_on_after(self._terms.pong_timeout_s):
                        await self._answered.wait()
                # A closing frame in the middle of another one would be garbage.
                self._is_polite = self._is_polite and not self._sending
                nursery.cancel_scope.cancel()
        except* ConnectionClosed as group:
            self._end(reason(group))

    def abandon(self, why: str) -> Iterator[CallFailed]:
        """The end of every CALL that will get no answer any more, because of ``why``."""
        abandoned = [*self._calls] if self._transaction is None else [*self._calls, self._transaction]
        if self._pending is not None:
            abandoned.insert(0, self._pending.waiting)
        for waiting in abandoned:
            yield waiting.failed(Failure.DISCONNECTED, why)

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self._ended.set()

    # Receiving

    async def _receive_all(self) -> None:
        while True:
            message = await self._socket.get_message()
            if isinstance(message, bytes):
                self._log("ignored", why="a binary frame")
                continue
            self._log("received", text=loggable(message))
            match frames.decode(message, self._terms.frame_size_max):
                case frames.Call() as call:
                    await self._take(call)
                case frames.Result() | frames.Error() as answer:
                    await self._settle(answer)
                case frames.Refused(None, error):
                    self._log("ignored", why=error.description)
                case frames.Refused(str(call_id), error):
                    await self._send(frames.encode_error(call_id, error))

    async def _take(self, call: frames.Call) -> None:
        """Report a CALL of the Central System, or answer why not."""
        read = self._read(call)
        if isinstance(read, CallError):
            await self._send(frames.encode_error(call.call_id, read))
            return
        self._in_progress.add(call.call_id)
        await self._deliver(RequestReceived(call.call_id, read))

    def _read(self, call: frames.Call) -> Request | CallError:
        action = ACTIONS.get(call.action)
        if action is None:
            return CallError(ErrorCode.NOT_IMPLEMENTED, payloads.printable(f"no action {call.action}"))
        if not action.from_central_system or action.name not in self._terms.receives:
            return CallError(ErrorCode.NOT_SUPPORTED, f"{action.name} is not offered")
        if call.call_id in self._in_progress:
            return CallError(ErrorCode.PROTOCOL_ERROR, "a CALL with this id is in progress")
        if len(self._in_progress) >= self._terms.outbox_size_max:
            return CallError(ErrorCode.INTERNAL_ERROR, "too many CALLs are in progress")
        return payloads.decode_request(action, call.payload)

    async def _settle(self, answer: frames.Result | frames.Error) -> None:
        """Report the answer to a CALL of ours, also to one that had timed out."""
        late = False
        if self._pending is not None and self._pending.call_id == answer.call_id:
            waiting = self._pending.waiting
            self._pending.settled.set()
            self._pending = None
        elif answer.call_id in self._late:
            waiting = self._late.pop(answer.call_id)
            late = True
        else:
            self._log("ignored", why="an answer to no CALL of ours")
            return
        if isinstance(answer, frames.Error):
            failed = payloads.printable(f"{answer.code}: {answer.description}")
        else:
            result = payloads.decode_conf(ACTIONS[type(waiting.request).__name__], answer.payload)
            if isinstance(result, payloads.Accepted):
                if result.forgiven:
                    self._log("forgiven", what=", ".join(result.forgiven))
                if late:
                    self._settled = waiting.owner
                    if self._transaction is not None and self._transaction.owner == waiting.owner:
                        # It waits to be sent once more; the answer has come after all, and is one that settles it.
                        self._transaction = None
                await self._deliver(CallAnswered(waiting.owner, result.conf, late))
                return
            failed = result.why
        if late:
            self._log("ignored", why=f"a late answer that is of no use: {failed}")
        else:
            self._reports.post(waiting.failed(Failure.CALL_ERROR, failed))

    async def _deliver(self, event: RequestReceived | CallAnswered) -> None:
        self._is_held_up = True
        await self._reports.deliver(event)
        self._is_held_up = False

    # Sending

    async def _send_calls(self) -> None:
        while True:
            # One scope for many CALLs, until one is not answered: one for each would cost more.
            with trio.CancelScope() as patience:
                while not patience.cancel_called:
                    await self._send_call(patience)
            if self._pending is not None:
                self._give_up(self._pending)

    async def _send_call(self, patience: trio.CancelScope) -> None:
        """Send the next CALL and wait for its answer until ``patience`` ends, which begins when it is sent."""
        # What the Central System asked for (TriggerMessage) comes after the answer that grants it, also if both
        # are asked for just now: there is no checkpoint between this look and the next call.
        while not self._answered.is_set():
            await self._answered.wait()
        waiting = self._next_call()
        if waiting is None:
            self._asked = trio.Event()
            await self._asked.wait()
            return
        pending = self._pending = _Pending(next(self._call_ids), waiting, self._call_timeout_s)
        await self._send(frames.encode_call(pending.call_id, waiting.request))
        patience.deadline = trio.current_time() + pending.timeout_s
        await pending.settled.wait()
        patience.deadline = math.inf

    def _give_up(self, pending: _Pending) -> None:
        """Wait no longer for an answer. If it comes late it is still recognised."""
        self._pending = None
        self._late[pending.call_id] = pending.waiting
        if len(self._late) > LATE_CALLS_MAX:
            self._late.popitem(last=False)
        why = f"no answer within {pending.timeout_s:g} s"
        self._reports.post(pending.waiting.failed(Failure.TIMED_OUT, why))

    def _next_call(self) -> _Waiting | None:
        if self._calls:
            return self._calls.popleft()
        transaction, self._transaction = self._transaction, None
        return transaction

    async def _send_answers(self) -> None:
        async for text in self._answers:
            await self._send(text)
            if not self._answers.statistics().current_buffer_used:
                self._answered.set()

    async def _send(self, text: str) -> None:
        # Logged first: the answer to a CALL may be read before the sending of it is known to be over.
        self._log("sent", text=loggable(text))
        self._sending += 1
        await self._socket.send_message(text)
        self._sending -= 1

    async def _keep_alive(self) -> None:
        """Ping on the interval; end the conversation with a peer that gives no pong."""
        while True:
            with trio.move_on_after(self._ping_interval_s or math.inf):
                await self._ping_changed.wait()
                self._ping_changed = trio.Event()
                continue
            # Behind a frame that the peer reads slowly, a ping is not even sent at once.
            is_behind = self._sending > 0
            with trio.move_on_after(self._terms.pong_timeout_s):
                await self._socket.ping()
                continue
            if not (self._is_held_up or is_behind or self._sending):
                self._end(f"no pong within {self._terms.pong_timeout_s:g} s")
