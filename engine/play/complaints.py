"""What was wrong with what a Central System said, whatever the script is about (OCPP-J 1.6, 4)."""

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from engine.ocpp import frames, payloads
from engine.play.transcript import FRAME_SIZE_MAX, Entry, Event, Frame
from machines.vocabulary.ocpp import ACTIONS
from machines.vocabulary.wire import ErrorCode

MALFORMED = frozenset(
    {
        *(ErrorCode.FORMATION_VIOLATION, ErrorCode.PROTOCOL_ERROR, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        *(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    }
)
"""What the station answers to a CALL that is wrong in itself."""


class Complaint(Struct, frozen=True):
    """Something that is wrong."""

    entry: Frame
    """The frame that it is about."""
    text: str
    is_failure: bool
    """Against the specification; otherwise the station gets on with it, and others may not."""


def complaints(entries: Iterable[Entry], excused: Collection[str]) -> Iterator[Complaint]:
    """What is wrong in ``entries``.

    Args:
        entries: The transcript.
        excused: Ids of CALLs whose CALLERROR was expected.
    """
    pending: dict[str, Frame] = {}
    late: set[str] = set()
    for entry in entries:
        match entry:
            case Event(what="connection closed" | "station started"):
                pending.clear()
            case Frame(kind=0, is_sent=False):
                yield Complaint(entry, f"no frame of OCPP-J: {entry.payload['description']}", is_failure=True)
            case Frame(kind=frames.CALL, is_sent=True):
                # Of the station's CALLs one is in flight: the one before was given up.
                for unanswered in pending.values():
                    yield Complaint(unanswered, f"{unanswered.action} was not answered", is_failure=True)
                late.update(pending)
                pending = {entry.call_id: entry}
            case Frame(kind=frames.CALL_ERROR, is_sent=True):
                yield from _of_refused(entry)
            case Frame(kind=frames.CALL_RESULT | frames.CALL_ERROR, is_sent=False) as answer:
                if answer.call_id in late:
                    yield Complaint(answer, f"{answer.action} was answered too late", is_failure=False)
                elif pending.pop(answer.call_id, None) is None:
                    yield Complaint(answer, "an answer to no CALL of the station", is_failure=True)
                elif answer.call_id not in excused:
                    yield from _of_answer(answer)
            case _:
                pass


def _of_refused(entry: Frame) -> Iterator[Complaint]:
    code = entry.payload["code"]
    text = f"{entry.action or 'a frame'} was refused: {code}: {entry.payload['description']}".rstrip(": ")
    yield Complaint(entry, text, is_failure=code in MALFORMED)


def _of_answer(answer: Frame) -> Iterator[Complaint]:
    found = frames.decode(answer.text, FRAME_SIZE_MAX)
    if isinstance(found, frames.Error):
        text = f"{answer.action} was answered with {found.code}: {found.description}".rstrip(": ")
        yield Complaint(answer, text, is_failure=True)
    elif isinstance(found, frames.Result):
        result = payloads.decode_conf(ACTIONS[answer.action], found.payload)
        if isinstance(result, payloads.Unusable):
            yield Complaint(answer, f"{answer.action}.conf: {result.why}", is_failure=True)
        else:
            for what in result.forgiven:
                yield Complaint(answer, f"{answer.action}.conf: {what}", is_failure=False)
