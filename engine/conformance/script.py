"""Test scripts: one JSON object a line, readable and replayable.

The first line is the header, every other one a step, known by the member that only its kind has::

    {"script": "remote-1", "title": "Remote start", "station": "full", "keys": {"ConnectionTimeOut": "60"}}
    {"answers": "Authorize", "with": {"idTagInfo": {"status": "Blocked"}}}
    {"expect": [{"action": "BootNotification"}], "optional": [{"action": "StatusNotification"}], "withinS": 90}
    {"do": "plug-in", "connector": 1}
    {"expect": [{"action": "StatusNotification", "payload": {"connectorId": 1, "status": "Preparing"}}]}
    {"request": "RemoteStopTransaction", "payload": {"transactionId": 1}, "expect": {"status": "Rejected"}}
    {"wait": 60}

A script begins with a station without power and nothing on record: ``answers`` before any other step tell the
Central System what to say from the first connection on, then the station gets power. Transactions are numbered from
1 in the order in which they are first told. In a payload of the Central System a text such as ``now+3600s`` stands
for a time of day. Empty lines and lines that begin with ``#`` are passed over.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from engine.conformance.stimuli import AnyStimulus, Stimulus
from machines.vocabulary.ocpp import ACTIONS
from machines.vocabulary.wire import ErrorCode

Seconds = Annotated[float, Meta(ge=0, le=10_000_000)]
Payload = dict[str, Any]
"""Members of an OCPP payload as on the wire, all of them or some; null is a member that is absent."""

WITHIN_S = 5.0
"""How long what is expected may take, where a script does not say."""
ANSWER_WITHIN_S = 30.0
"""How long a station may take to answer, where a script does not say."""

TIME = re.compile(r"now(?:([+-]\d+(?:\.\d+)?)s)?")


class ScriptError(Exception):
    """A script cannot be read. One line, for the user: file and line, what was found, what is allowed."""


class Header(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """What a script is, and which station it is for."""

    script: Annotated[str, Meta(min_length=1, pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    """Its name."""
    title: str = ""
    station: str = "full"
    """A station file, or the name of a shipped one. Nothing to a station of somebody else."""
    keys: dict[str, str] = {}
    """Configuration keys that have another value than declared, as texts of ChangeConfiguration."""
    declares: str = ""
    """What else the station file must say, as TOML. Only a station that can be declared can run such a script."""
    quiet_s: Seconds = 0
    """So long after the last CALL of each ``expect`` the station is left alone, and sends but what is optional."""
    edge_s: Seconds = 0
    """How far times may be off without a difference to what is expected when; 0 is not known."""
    covers: tuple[str, ...] = ()
    """What the script is about: clauses, or transitions of the machines."""


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Base of every step that is not a stimulus."""


class Call(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """A CALL of the station."""

    action: str
    payload: Payload = {}
    """The members that it must have."""


class Wait(Step, frozen=True):
    """So many seconds pass, and no CALL comes but those that are optional."""

    wait: Seconds
    optional: tuple[Call, ...] = ()
    """Each may come any number of times."""
    connected: bool = False
    """By then the station has connected; it goes on when it has, if that takes longer."""


class Asks(Step, frozen=True):
    """The Central System sends a CALL, and gets the answer."""

    request: str
    payload: Payload = {}
    expect: Payload | None = None
    """Members of the CALLRESULT. Without this and ``error`` any answer will do."""
    error: str | None = None
    """The code of the CALLERROR."""
    nothing: bool = False
    """There is no answer at all."""
    within_s: Seconds = ANSWER_WITHIN_S


class Answers(Step, frozen=True):
    """What the Central System answers to an action from now on: exactly one of four.

    ``afterS`` may go with each: how long it takes to answer.
    """

    answers: str
    with_: Payload | None = field(default=None, name="with")
    """Members that differ from the usual answer."""
    error: str | None = None
    """A CALLERROR with this code."""
    nothing: bool = False
    """No answer."""
    usual: bool = False
    """As in the beginning: whoever asks is accepted."""
    after_s: Seconds = 0


class Expects(Step, frozen=True):
    """CALLs of the station, each once.

    Those of one kind come in the order in which they are listed: the statuses of one connector, the messages of
    transactions, others of one action. The kinds may mix in any order. No CALL comes but these and those that are
    optional.
    """

    expect: tuple[Call, ...]
    optional: tuple[Call, ...] = ()
    """Each may come any number of times before the last one that is expected."""
    within_s: Seconds = WITHIN_S
    """From the end of the step before. With nothing expected, it takes all of this time."""
    quiet_s: Seconds | None = None
    """As in the header, where this one is another one."""


# Only where the station is ours and the Central System somebody else's (engine/play)


class Asked(Step, frozen=True):
    """A CALL that the Central System under test must send."""

    asked: str
    payload: Payload = {}
    """The members that it must have."""
    within_s: Seconds = ANSWER_WITHIN_S


class Charge(Step, frozen=True):
    """The meter of a connector moves on by so much, in Wh."""

    charge: Annotated[float, Meta(gt=0, le=1_000_000)]
    connector: Annotated[int, Meta(ge=1)] = 1
    within_s: Seconds = 86_400


class Answered(Step, frozen=True):
    """What the Central System under test must answer to the latest CALL of an action."""

    answered: str
    payload: Payload = {}
    """Members of the CALLRESULT."""
    error: str | None = None
    """The code of a CALLERROR."""
    within_s: Seconds = ANSWER_WITHIN_S


AnyStep = AnyStimulus | Wait | Asks | Answers | Expects | Answered

_KINDS: dict[str, Any] = {
    "do": AnyStimulus,
    "wait": Wait,
    "request": Asks,
    "answers": Answers,
    "answered": Answered,
    "expect": Expects,
}
"""Each kind by the member that tells it, in the order in which they are looked for."""


class Script(Struct, frozen=True):
    """A header and its steps."""

    header: Header
    steps: tuple[AnyStep, ...]

    @property
    def stimuli(self) -> frozenset[type[Stimulus]]:
        """What a rig must be able to do."""
        return frozenset(type(step) for step in self.steps if isinstance(step, Stimulus))


# Reading and writing


def read(path: Path) -> Script:
    """The script in a file.

    Raises:
        ScriptError: It cannot be opened, or is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: {error}") from error
    return decode(text, str(path))


def decode(text: str, file: str = "script") -> Script:
    """The script that ``text`` is; ``file`` is for what is said of errors.

    Raises:
        ScriptError: It is none.
    """
    lines = list(numbered(text))
    if not lines:
        raise ScriptError(f'{file}: found nothing, wanted is a header such as {{"script": "name"}}')
    header = convert(read_object(lines[0][1], f"{file}:{lines[0][0]}"), Header, f"{file}:{lines[0][0]}")
    return Script(header, tuple(_step(line, f"{file}:{number}") for number, line in lines[1:]))


def encode(script: Script) -> str:
    """``script`` as text: :func:`decode` makes the same of it."""
    parts: Iterable[Struct] = (script.header, *script.steps)
    return "".join(msgspec.json.encode(part).decode() + "\n" for part in parts)


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers."""
    # Not splitlines: a text in JSON may hold what else counts as the end of a line.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def read_object(line: str, where: str) -> dict[str, Any]:
    """The members of the JSON object in ``line``.

    Raises:
        ScriptError: There is none.
    """
    try:
        members = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ScriptError(f"{where}: {error}") from error
    if not isinstance(members, dict):
        raise ScriptError(f"{where}: found {line.strip()[:40]!r}, allowed is one JSON object a line")
    return members


def _step(line: str, where: str) -> AnyStep:
    step: AnyStep = step_of(read_object(line, where), where, _KINDS)
    return step


def step_of(members: dict[str, Any], where: str, kinds: Mapping[str, Any]) -> Any:
    """The step that ``members`` are.

    Args:
        members: Of the JSON object.
        where: File and line, for what is said of errors.
        kinds: Each kind by the member that tells it, in the order in which they are looked for.

    Raises:
        ScriptError: They are none of these.
    """
    name = next((name for name in kinds if name in members), None)
    if name is None:
        found = ", ".join(map(repr, members)) or "nothing"
        raise ScriptError(f"{where}: found {found}, a step has one of {', '.join(map(repr, kinds))}")
    step = convert(members, kinds[name], where)
    complaint = "" if isinstance(step, Stimulus) else _complaint(step)
    if complaint:
        raise ScriptError(f"{where}: {complaint}")
    return step


def convert(members: dict[str, Any], kind: Any, where: str) -> Any:
    """``members`` as a ``kind``.

    Raises:
        ScriptError: They are none.
    """
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise ScriptError(f"{where}: {error}") from error


def _complaint(step: Step) -> str:
    """What is wrong with a step beside its types, or nothing."""
    match step:
        case Asks(request=action):
            return _complain_of_action(action, "from_central_system") or _complain_of_answer(step)
        case Answers(answers=action):
            return _complain_of_action(action, "from_charge_point") or _complain_of_answers(step)
        case Answered(answered=action):
            return _complain_of_action(action, "from_charge_point") or _complain_of_code(step.error)
        case Asked(asked=action):
            return _complain_of_action(action, "from_central_system")
        case Charge():
            return ""
        case Wait(optional=optional):
            calls = optional
        case Expects(expect=expected, optional=optional):
            calls = (*expected, *optional)
        case _:
            raise AssertionError(step)
    complaints = (_complain_of_action(call.action, "from_charge_point") for call in calls)
    return next((complaint for complaint in complaints if complaint), "")


def _complain_of_action(action: str, side: Literal["from_central_system", "from_charge_point"]) -> str:
    allowed = [name for name, known in ACTIONS.items() if getattr(known, side)]
    return "" if action in allowed else f"found action {action!r}, allowed is one of {', '.join(allowed)}"


def _complain_of_answer(step: Asks) -> str:
    if (step.expect is not None) + (step.error is not None) + step.nothing > 1:
        return "allowed is one of 'expect', 'error' and 'nothing'"
    return _complain_of_code(step.error)


def _complain_of_answers(step: Answers) -> str:
    if (step.with_ is not None) + (step.error is not None) + step.nothing + step.usual != 1:
        return "wanted is exactly one of 'with', 'error', 'nothing' and 'usual'"
    return _complain_of_code(step.error)


def _complain_of_code(code: str | None) -> str:
    if code is None or code in list(ErrorCode):
        return ""
    return f"found error {code!r}, allowed is one of {', '.join(ErrorCode)}"


# Times of day


def at(payload: Payload, now: datetime) -> Payload:
    """``payload`` with its texts such as ``now+3600s`` as times of day."""
    return {name: _at(member, now) for name, member in payload.items()}


def _at(value: Any, now: datetime) -> Any:
    match value:
        case dict():
            return at(value, now)
        case list() | tuple():
            return [_at(member, now) for member in value]
        case str() if (found := TIME.fullmatch(value)) is not None:
            time = now + timedelta(seconds=float(found[1] or 0))
            return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            return value
