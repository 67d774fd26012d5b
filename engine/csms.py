"""A small Central System for demonstrations and tests: answers, a ledger, and a transcript of every frame.

It speaks OCPP-J 1.6 over any stream, so under a virtual clock it needs no network. Tests change its answers
with :meth:`Csms.override` and wait for what the station does with :meth:`Csms.wait_for`.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import trio
from msgspec.structs import replace
from trio_websocket import WebSocketConnection, wrap_server_stream

from engine.csms_book import RECEIVED, SENT, Entry, Transaction, seen
from engine.id_tags import NO_NAMES, IdTagNames
from engine.ocpp import frames, payloads
from engine.ocpp.websocket import PEER_ERRORS, SUBPROTOCOL
from machines.vocabulary.ocpp import (
    ACTIONS,
    AuthorizationStatus,
    Authorize,
    AuthorizeConf,
    BootNotification,
    BootNotificationConf,
    Conf,
    DataTransfer,
    DataTransferConf,
    DataTransferStatus,
    Heartbeat,
    HeartbeatConf,
    IdTagInfo,
    RegistrationStatus,
    Request,
    StartTransaction,
    StartTransactionConf,
    StopTransaction,
    StopTransactionConf,
)
from machines.vocabulary.wire import CallError, ErrorCode

Answer = Conf | CallError | None
"""What a CALL of the station gets; None is no answer at all."""
Behaviour = Callable[[Any], Answer | Awaitable[Answer]]
"""Takes the request, returns the answer; may take its time."""
Admit = Callable[[str, bytes | None], bool]
"""Takes identity and Authorization header, tells whether the station may connect."""


class NotConnectedError(Exception):
    """There is no station to send a CALL to, or it left before it answered."""


class _Pending:
    """A CALL to a station, until it is answered."""

    def __init__(self, action: str) -> None:
        self.call_id = str(uuid4())
        self.action = action
        self.answer: Conf | CallError | None = None
        self.ended = trio.Event()


class _Station:
    """One connected station."""

    def __init__(self, socket: WebSocketConnection, identity: str) -> None:
        self.socket = socket
        self.identity = identity
        self.turn = trio.Lock()
        self.pending: _Pending | None = None


class Csms:
    """A Central System for one station or several.

    Args:
        now: Tells the time of day.
        interval_s: What BootNotification.conf says.
        refused_tags: Those that are Invalid; any other is Accepted.
        call_timeout_s: How long a station may take to answer, or to begin.
        admit: Decides who may connect, default everybody. Who may not gets HTTP 401.
        frame_size_max: Bytes of a frame.
        names: What idTags are called here: in requests and answers, in ledger and transcript. Default: what they are.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        interval_s: int = 300,
        refused_tags: Iterable[str] = (),
        call_timeout_s: float = 30,
        admit: Admit | None = None,
        frame_size_max: int = 1024 * 1024,
        names: IdTagNames = NO_NAMES,
    ) -> None:
        self.transcript: list[Entry] = []
        self.ledger: dict[int, Transaction] = {}
        self.strays: list[StopTransaction] = []
        """Stops of transactions that were never started here."""
        self.upgrades: list[tuple[str, bytes | None]] = []
        """Identity and Authorization header of each connection that a station asked for."""
        self.now = now
        """Tells the time of day."""
        self._interval_s = interval_s
        self._refused_tags = {tag.casefold() for tag in refused_tags}
        self._call_timeout_s = call_timeout_s
        self._admit = admit or (lambda _identity, _authorization: True)
        self._frame_size_max = frame_size_max
        self._names = names
        self._overrides: dict[str, Behaviour] = {}
        self._stations: dict[str, _Station] = {}
        self._is_reachable = True
        self._connections: set[trio.CancelScope] = set()
        self._grown = trio.Event()

    # What tests and demonstrations use

    def override(self, action: str, behaviour: Behaviour | None) -> None:
        """Answer ``action`` with what ``behaviour`` returns; None restores the usual answer."""
        assert action in ACTIONS, action
        if behaviour is None:
            self._overrides.pop(action, None)
        else:
            self._overrides[action] = behaviour

    async def call(self, request: Request, identity: str | None = None) -> Conf | CallError:
        """Send a CALL to a station and return what it answers. One after the other.

        Args:
            request: Of an action that the Central System may send.
            identity: Of the station; None is the only one.

        Raises:
            NotConnectedError: There is no such station, or it left.
            trio.TooSlowError: It did not answer in time.
        """
        return await self.call_with(type(request).__name__, payloads.encode(request), identity)

    async def call_with(self, action: str, payload: bytes, identity: str | None = None) -> Conf | CallError:
        """The same with any JSON as the payload, as wrong as tests want it.

        Raises:
            NotConnectedError, trio.TooSlowError: As :meth:`call`.
        """
        station = self._station(identity)
        async with station.turn:
            pending = station.pending = _Pending(action)
            try:
                await self._send(station, frames.encode_any_call(pending.call_id, action, payload))
                with trio.fail_after(self._call_timeout_s):
                    await pending.ended.wait()
            except PEER_ERRORS as error:
                raise NotConnectedError(station.identity) from error
            finally:
                station.pending = None
        if pending.answer is None:
            raise NotConnectedError(station.identity)
        return pending.answer

    async def disconnect(self, identity: str | None = None) -> None:
        """Close the connection of a station, with a closing handshake if it takes part in one.

        Raises:
            NotConnectedError: There is no such station.
        """
        with trio.move_on_after(self._call_timeout_s):
            await self._station(identity).socket.aclose()

    def set_reachable(self, is_reachable: bool) -> None:
        """Lose every connection without a word and take no new one, as if the network were gone; or take them again."""
        self._is_reachable = is_reachable
        if not is_reachable:
            for connection in self._connections:
                connection.cancel()

    @property
    def identities(self) -> tuple[str, ...]:
        """The stations that are connected."""
        return tuple(self._stations)

    def _station(self, identity: str | None) -> _Station:
        if identity is None:
            identity = next(iter(self._stations), "")
        if identity not in self._stations:
            raise NotConnectedError(identity or "nobody is connected")
        return self._stations[identity]

    async def wait_for(self, predicate: Callable[[Entry], bool], *, start: int = 0) -> Entry:
        """The first entry of the transcript, from ``start`` on, that fits ``predicate``; waits for it."""
        while True:
            while start < len(self.transcript):
                if predicate(self.transcript[start]):
                    return self.transcript[start]
                start += 1
            await self._grown.wait()

    async def wait_for_request(self, action: str, *, start: int = 0, **members: object) -> Entry:
        """The first CALL ``action`` of a station from ``start`` on whose payload has these members."""
        return await self.wait_for(
            lambda entry: (
                (entry.kind, entry.direction, entry.action) == (frames.CALL, RECEIVED, action)
                and members.items() <= entry.payload.items()
            ),
            start=start,
        )

    # Connections

    async def serve_tcp(
        self, host: str, port: int, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve stations over TCP until cancelled; started with the port, which matters if it was 0."""
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(port, host=host)
            address = listeners[0].socket.getsockname()
            nursery.start_soon(trio.serve_listeners, self.serve_stream, listeners)
            task_status.started(address[1])

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve the one station at the other end of ``stream`` until it leaves."""
        if not self._is_reachable:
            await trio.aclose_forcefully(stream)
            return
        connection = trio.CancelScope()
        self._connections.add(connection)
        try:
            with connection:
                await self._serve_connection(stream)
        finally:
            self._connections.remove(connection)

    async def _serve_connection(self, stream: trio.abc.Stream) -> None:
        try:
            async with trio.open_nursery() as nursery:
                station = await self._welcome(nursery, stream)
                if station is not None:
                    try:
                        await self._serve(nursery, station)
                    finally:
                        if station.pending is not None:
                            station.pending.ended.set()
                        if self._stations.get(station.identity) is station:
                            del self._stations[station.identity]
                nursery.cancel_scope.cancel()
        except* PEER_ERRORS:
            pass  # The station left, however it did; the transcript shows what it said until then.
        finally:
            await trio.aclose_forcefully(stream)

    async def _welcome(self, nursery: trio.Nursery, stream: trio.abc.Stream) -> _Station | None:
        with trio.move_on_after(self._call_timeout_s):
            request = await wrap_server_stream(
                nursery, stream, message_queue_size=16, max_message_size=self._frame_size_max
            )
            identity = unquote(request.path.rpartition("/")[2])
            authorization = next((value for name, value in request.headers if name == b"authorization"), None)
            self.upgrades.append((identity, authorization))
            if not self._admit(identity, authorization):
                await request.reject(401)
                return None
            offered = SUBPROTOCOL in request.proposed_subprotocols
            socket = await request.accept(subprotocol=SUBPROTOCOL if offered else None)
            if not offered:
                await socket.aclose()
                return None
            self._stations[identity] = _Station(socket, identity)
            return self._stations[identity]
        return None

    async def _serve(self, nursery: trio.Nursery, station: _Station) -> None:
        while True:
            message = await station.socket.get_message()
            heard = self._names.frame_heard(message)
            frame = self._note(RECEIVED, station, heard, message)
            match frame:
                case frames.Call():
                    nursery.start_soon(self._answer, station, frame)
                case frames.Result() | frames.Error():
                    pending = station.pending
                    if pending is not None and pending.call_id == frame.call_id:
                        pending.answer = _read_answer(pending.action, frame)
                        pending.ended.set()
                case frames.Refused(str(call_id), error):
                    await self._send(station, frames.encode_error(call_id, error))
                case _:
                    pass  # Nothing that could be answered; the transcript has it.

    async def _send(self, station: _Station, text: str, action: str = "") -> None:
        said = self._names.frame_said(text)
        self._note(SENT, station, text, said, action)
        await station.socket.send_message(said)

    def _note(
        self, direction: str, station: _Station, text: str | bytes, wire: str | bytes, action: str = ""
    ) -> frames.Frame:
        """Write a frame down; return it. ``wire`` is the same without names."""
        if not action and station.pending is not None:
            action = station.pending.action
        frame = frames.decode(text, self._frame_size_max)
        call_id = frame.call_id or ""
        kind, action, members = seen(frame, action)
        differs = None if wire is text else seen(frames.decode(wire, self._frame_size_max), action)[2]
        self.transcript.append(
            Entry(self.now(), direction, station.identity, kind, call_id, action, members, differs)
        )
        self._grown.set()
        self._grown = trio.Event()
        return frame

    # Answers

    async def _answer(self, station: _Station, call: frames.Call) -> None:
        answer = await self._decide(station, call)
        if isinstance(answer, CallError):
            await self._send(station, frames.encode_error(call.call_id, answer), call.action)
        elif answer is not None:
            await self._send(station, frames.encode_result(call.call_id, answer), call.action)

    async def _decide(self, station: _Station, call: frames.Call) -> Answer:
        action = ACTIONS.get(call.action)
        if action is None or not action.from_charge_point:
            return CallError(ErrorCode.NOT_IMPLEMENTED)
        request = payloads.decode_request(action, call.payload)
        if isinstance(request, CallError):
            return request
        behaviour = self._overrides.get(call.action)
        if behaviour is None:
            return self.usual_answer(request, station.identity)
        answer = behaviour(request)
        return await answer if inspect.isawaitable(answer) else answer

    def usual_answer(self, request: Request, identity: str = "") -> Conf:
        """What ``request`` gets unless it is overridden; it goes into the ledger."""
        match request:
            case BootNotification():
                return BootNotificationConf(
                    status=RegistrationStatus.ACCEPTED, current_time=self.now(), interval=self._interval_s
                )
            case Heartbeat():
                return HeartbeatConf(current_time=self.now())
            case Authorize():
                return AuthorizeConf(id_tag_info=self._id_tag_info(request.id_tag))
            case StartTransaction():
                transaction_id = self._start(identity, request)
                return StartTransactionConf(
                    id_tag_info=self._id_tag_info(request.id_tag), transaction_id=transaction_id
                )
            case StopTransaction():
                self._stop(request)
                return StopTransactionConf(
                    id_tag_info=None if request.id_tag is None else self._id_tag_info(request.id_tag)
                )
            case DataTransfer():
                return DataTransferConf(status=DataTransferStatus.UNKNOWN_VENDOR_ID)
            case _:
                return ACTIONS[type(request).__name__].conf()

    def _id_tag_info(self, id_tag: str) -> IdTagInfo:
        refused = id_tag.casefold() in self._refused_tags
        return IdTagInfo(status=AuthorizationStatus.INVALID if refused else AuthorizationStatus.ACCEPTED)

    def _start(self, identity: str, request: StartTransaction) -> int:
        """Open a line of the ledger. One that is open already was told again: its answer was lost."""
        for transaction in self.ledger.values():
            if (transaction.identity, transaction.started) == (identity, request):
                self.ledger[transaction.transaction_id] = replace(
                    transaction, repeats=transaction.repeats + 1
                )
                return transaction.transaction_id
        transaction_id = len(self.ledger) + 1
        self.ledger[transaction_id] = Transaction(
            transaction_id=transaction_id, identity=identity, started=request
        )
        return transaction_id

    def _stop(self, request: StopTransaction) -> None:
        transaction = self.ledger.get(request.transaction_id)
        if transaction is None:
            self.strays.append(request)
        else:
            self.ledger[request.transaction_id] = replace(transaction, stopped=request)


def _read_answer(action: str, frame: frames.Result | frames.Error) -> Conf | CallError:
    """What a station answered; a CALLRESULT that is not valid reads as a CALLERROR."""
    if isinstance(frame, frames.Error):
        known = frame.code in list(ErrorCode)
        return CallError(ErrorCode(frame.code) if known else ErrorCode.GENERIC_ERROR, frame.description)
    result = payloads.decode_conf(ACTIONS[action], frame.payload)
    if isinstance(result, payloads.Unusable):
        return CallError(ErrorCode.FORMATION_VIOLATION, result.why)
    return result.conf
