"""The page of a machine: purpose, picture, transition table, matrix, and what cannot happen.

Everything on it is read from the class that runs, so a page and the firmware say the same.
"""

from collections.abc import Iterable, Sequence

from engine.diagrams import overview
from engine.diagrams.flows import effects_of, flows, kind_of
from engine.diagrams.mermaid import mermaid
from engine.diagrams.picture import guard_of, picture, purpose_of
from machines import routes
from machines.machine import AnyMachine, rows

NOTE = "<!-- Written by python -m engine.diagrams.pages from the classes in machines/. -->"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in body]
    return "\n".join(lines)


def code(text: str) -> str:
    """``text`` as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def transitions(kind: str, machine: type[AnyMachine]) -> str:
    """The transition table, each row with an id to refer to."""
    names = {state.value: state.name for state in machine.states}
    body = [
        (
            f'<a id="{kind}-{number}"></a>{kind}-{number}',
            names[row.source],
            row.message.__name__,
            code(guard_of(row)),
            code(row.action),
            names[row.target],
            row.clause,
        )
        for number, row in enumerate(rows(machine), start=1)
    ]
    return table(("Id", "From", "Message", "Guard", "Action", "To", "Clause"), body)


def matrix(kind: str, machine: type[AnyMachine]) -> str:
    """Every state against every message: the rows that take it, or a dash where they cannot meet."""
    numbers: dict[tuple[str, type], list[str]] = {}
    for number, row in enumerate(rows(machine), start=1):
        numbers.setdefault((row.source, row.message), []).append(f"[{number}](#{kind}-{number})")
    body = [
        (
            message.__name__,
            *(", ".join(numbers.get((state.value, message), ["\u2014"])) for state in machine.states),
        )
        for message in machine.messages
    ]
    return table(("Message", *(state.name for state in machine.states)), body)


def impossible(machine: type[AnyMachine]) -> str:
    """The pairs of state and message that cannot meet, and why."""
    names = {state.value: state.name for state in machine.states}
    body = [
        (names[state], message.__name__, reason) for (state, message), reason in machine.impossible.items()
    ]
    return table(("State", "Message", "Why"), body) if body else "None: every state takes every message."


def machine_page(kind: str, picture_file: str | None = None) -> str:
    """The page of machine ``kind``; with ``picture_file`` it shows that picture too."""
    machine = routes.KINDS[kind]
    exclusive = [
        "exactly one of " + ", ".join(code(name) for name in group) + " holds" for group in machine.exclusive
    ]
    guards = f" Of the guards, {'; '.join(exclusive)}." if exclusive else ""
    drawn = mermaid(picture(kind, machine))
    shown = f"![{machine.__name__}]({picture_file})\n\n" if picture_file else ""
    return f"""# {machine.__name__}

{NOTE}

{purpose_of(machine)}

Source: `{machine.__module__.replace(".", "/")}.py`. All machines: [overview](index.md).

## Picture

Transitions from one state to another; what is done without leaving a state stands inside it. What does nothing is in
the table only.

{shown}```mermaid
{drawn}```

## Transitions

For each state and message exactly one row applies, whatever the guards say.{guards}

{transitions(kind, machine)}

## Messages by state

Numbers of the rows above; a dash where the two cannot meet.

{matrix(kind, machine)}

## What cannot happen

Pairs of state and message that cannot meet. Meeting all the same is a defect, and ends the process.

{impossible(machine)}
"""


def overview_page(picture_file: str | None = None) -> str:
    """The page of all machines."""
    body = []
    for kind, machine in routes.KINDS.items():
        if kind in routes.STATION:
            how_many = "station"
        elif kind in routes.EVERYWHERE:
            how_many = "station, each connector"
        else:
            how_many = "each connector"
        effects = ", ".join(code(effect.__name__) for effect in effects_of(machine))
        moves = sum(row.source != row.target for row in rows(machine))
        purpose = purpose_of(machine).partition("\n")[0]
        states = str(len(list(machine.states)))
        body.append(
            (
                f"[{machine.__name__}]({kind}.md)",
                purpose,
                how_many,
                states,
                f"{len(rows(machine))} ({moves})",
                effects,
            )
        )
    machines = table(
        ("Machine", "Purpose", "One of", "States", "Transitions (to another state)", "Asks the engine for"),
        body,
    )
    told = [
        (
            flow.sender if flow.sender not in routes.KINDS else f"[{flow.sender}]({flow.sender}.md)",
            ", ".join(message.__name__ for message in flow.messages),
            ", ".join(f"[{hearer.replace('*', '&#42;')}]({kind_of(hearer)}.md)" for hearer in flow.hearers),
        )
        for flow in flows()
    ]
    shown = f"![{overview.TITLE}]({picture_file})\n\n" if picture_file else ""
    return f"""# Machines

{NOTE}

Every behaviour of the charge point is one of these machines. Each takes one message at a time; what it tells the others
is routed by the tables in `machines/routes.py`, and what follows from the states of all is computed in
`machines/charge_point.py`.

{machines}

## {overview.TITLE}

`kind/0` is the machine of the station as a whole, `kind/*` those of all connectors; a kind by itself is the machine of
the same connector, or the only one; `kind/+` is that of the same connector, and those of all for what happens to the
station as a whole.

{shown}```mermaid
{overview.mermaid()}```

{table(("From", "Messages", "To"), told)}
"""


def page(kind: str, picture_file: str | None = None) -> str:
    """The page of machine ``kind``, or of all with :data:`overview.NAME`, in Markdown."""
    if kind == overview.NAME:
        return overview_page(picture_file)
    return machine_page(kind, picture_file)
