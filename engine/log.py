"""What happened, one line an event, for people (``text``) or for tools (``json``).

Built on the standard library's logging: an event is a record whose ``event`` and ``fields`` are data, and a formatter
decides how they look. Transitions carry machine, from, message, to and clause; those that change nothing are logged
at level debug.
"""

import io
import logging
import select
from collections.abc import Callable
from typing import IO

import msgspec

from machines.charge_point import Step
from machines.vocabulary.posix import utc_of

NAME = "statecharge"
LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


PATIENCE_MS = 1000
"""How long a stream that takes nothing is waited for."""
PIECE = select.PIPE_BUF // 4
"""Characters: a pipe that has room has it for so many."""


class EventLog:
    """Where events go.

    Args:
        station: Name of the station, in every line.
        frames: Whether OCPP frames are noted.
        watch: Told of every step, for tools that count transitions.
        keep: Told of every event, for the diagnostics.
    """

    def __init__(
        self,
        station: str,
        *,
        frames: bool,
        watch: Callable[[Step], None] | None = None,
        keep: Callable[[str, dict[str, object]], None] = lambda _event, _fields: None,
    ) -> None:
        self._logger = logging.getLogger(f"{NAME}.{station}")
        self._station = station
        self._frames = frames
        self._watch = watch
        self._keep = keep

    def __call__(self, event: str, /, **fields: object) -> None:
        """Note something about the link; frames only if that is wanted."""
        if self._frames or event not in {"received", "sent"}:
            self.event(event, **fields)

    def event(self, event: str, /, **fields: object) -> None:
        """Note ``event`` with its particulars."""
        self._keep(event, fields)
        self._note(logging.INFO, event, fields)

    def step(self, arrival: object, step: Step) -> None:
        """Note every transition of ``step``, which ``arrival`` led to."""
        if self._watch is not None:
            self._watch(step)
        if not self._logger.isEnabledFor(logging.INFO):
            return
        cause = type(arrival).__name__
        for address, row, message in step.taken:
            is_news = row.source != row.target or bool(row.action)
            fields: dict[str, object] = {
                "machine": address,
                "from": row.source,
                "message": type(message).__name__,
                "to": row.target,
                "clause": row.clause,
                "cause": cause,
            }
            self._note(logging.INFO if is_news else logging.DEBUG, "transition", fields)

    def _note(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            extra = {"event": event, "fields": fields, "station": self._station}
            self._logger.log(level, event, extra=extra)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; other programs' records by their text."""
        line = {
            "time": utc_of(record.created).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.getMessage()),
            **({"station": record.station} if hasattr(record, "station") else {"logger": record.name}),
            **_fields(record),
        }
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextFormatter(logging.Formatter):
    """One readable line.

    Args:
        names: Whether it begins with the name of the station.
    """

    def __init__(self, *, names: bool = False) -> None:
        super().__init__()
        self._names = names

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; a transition as an arrow."""
        time = utc_of(record.created).strftime("%H:%M:%S.%f")[:-3]
        fields = dict(_fields(record))
        event = getattr(record, "event", record.getMessage())
        if event == "transition":
            move = f"{fields['from']} -> {fields['to']}"
            text = f"{fields['machine']!s:20} {move}  {fields['message']} ({fields['clause']})"
        elif event in {"received", "sent"}:
            text = f"{'<' if event == 'received' else '>'} {fields.pop('text', '')}"
        else:
            text = " ".join([event, *(f"{name}={value}" for name, value in fields.items())])
        station = f"{record.station} " if self._names and hasattr(record, "station") else ""
        return f"{time} {station}{_in_one_line(text)}"


def _in_one_line(text: str) -> str:
    """``text``, with what moves a terminal spelled out: a peer must not write lines of its own."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class PatientHandler(logging.StreamHandler[IO[str]]):
    """Writes lines to a stream; to one that takes none, none.

    A terminal that was stopped, or a journal whose disk hangs, must not keep a contactor from opening. Who reads slowly
    is waited for once; how many lines were lost is told when there is room again.
    """

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(stream)
        self._room = select.poll()
        self._lost = 0
        self._begun = ""
        """What ends a line that was not written to its end."""
        try:
            self._room.register(stream.fileno(), select.POLLOUT)
            self._may_hang = True
        except io.UnsupportedOperation:  # in memory
            self._may_hang = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record`` if that holds nobody up."""
        try:
            if self._lost and self._has_room():
                note = {"event": "log lost", "fields": {"lines": self._lost}}
                self._lost = 0
                told = logging.makeLogRecord({"name": NAME, "levelname": "WARNING", **note})
                self._write(f"{self._begun}{self.format(told)}\n")
            if self._lost:
                self._lost += 1
            else:
                self._write(f"{self.format(record)}\n")
        except (OSError, ValueError, TypeError):
            self.handleError(record)

    def _write(self, line: str) -> None:
        """Write ``line`` in pieces that each find room where there is any."""
        for begin in range(0, len(line), PIECE):
            if not self._has_room():
                self._lost += 1
                self._begun = "\n" if begin else ""
                return
            self.stream.write(line[begin : begin + PIECE])
            self.flush()
        self._begun = ""

    def _has_room(self) -> bool:
        return not self._may_hang or bool(self._room.poll(0 if self._lost else PATIENCE_MS))


def configure(stream: IO[str], *, level: str, form: str, several: bool = False) -> None:
    """Send every event of level ``level`` (error, warning, info, debug) or above to ``stream``.

    ``form`` is ``text`` or ``json``. With ``several`` stations in the process, lines of text name theirs.
    """
    handler = PatientHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter(names=several))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(NAME).setLevel(LEVELS[level])
