"""All machines in one picture: who tells whom."""

from collections.abc import Iterator

from engine.diagrams.dot import FONT, INK, SOFT, font, legend
from engine.diagrams.flows import (
    CENTRAL_SYSTEM,
    HARDWARE,
    LINK,
    READER,
    SENDERS,
    STATES,
    TRANSFER,
    Flow,
    flows,
    kind_of,
)
from engine.diagrams.hints import BROKEN, HELD_BACK, RESTING, WAITING, WORKING, Color
from machines import routes

NAME = "overview"
TITLE = "Who tells whom"

OUTSIDE = Color("outside the machines, or computed from all of them", "#ffffff", "#374151")
GROUPS: tuple[tuple[str, Color, tuple[str, ...]], ...] = (
    ("one of each", RESTING, routes.STATION),
    ("one of the station, one of each connector", HELD_BACK, routes.EVERYWHERE),
    (
        "one of each connector",
        WORKING,
        tuple(kind for kind in routes.KINDS if kind not in routes.STATION + routes.EVERYWHERE),
    ),
)
"""How many there are of each kind."""

RANKS: tuple[tuple[str, ...], ...] = (
    (READER, HARDWARE),
    ("control_pilot", "fault"),
    ("authorization", "connector_lock"),
    ("transaction", "local_list", "authorization_cache"),
    ("allowance", "connector", "reservation", "charging_profiles"),
    ("reset", "metering", "firmware_update", "current_offer"),
    ("availability", "delivery", "clock_aligned"),
    (STATES, "triggered_values", "configuration", "phase_switch"),
    ("trigger_message", "registration", "diagnostics_upload"),
    ("status_report", "transfer_report", "heartbeat", "connection", "data_transfer", "fail_safe"),
)
"""From what is heard outside to what is told in the end. A machine that is not here is placed by Graphviz."""

WAYS = (RESTING, WAITING, WORKING, HELD_BACK, BROKEN)
"""Colours of the ways, by turns, so that each can be followed."""


def _hearers(flow: Flow) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind_of(hearer) for hearer in flow.hearers))


def _name(kind: str) -> str:
    return routes.KINDS[kind].__name__ if kind in routes.KINDS else kind


def _arrows(number: int, flow: Flow, color: Color) -> Iterator[str]:
    """From the sender to the messages, and on to who hears them; upwards where that is the shorter way."""
    ranks = {kind: rank for rank, kinds in enumerate(RANKS) for kind in kinds}
    here = ranks.get(flow.sender, 0)
    below = [hearer for hearer in _hearers(flow) if ranks.get(hearer, here) > here]
    if below:
        yield f'"{flow.sender}" -> "way {number}" [color="{color.ink}", arrowhead=none]'
    else:
        yield f'"way {number}" -> "{flow.sender}" [color="{color.ink}", arrowhead=none]'
    for hearer in _hearers(flow):
        if hearer in below:
            yield f'"way {number}" -> "{hearer}" [color="{color.ink}"]'
        elif below or hearer == flow.sender:
            yield f'"{hearer}" -> "way {number}" [color="{color.ink}", dir=back, constraint=false]'
        else:
            yield f'"{hearer}" -> "way {number}" [color="{color.ink}", dir=back]'


def dot() -> str:
    """The picture in the DOT language."""
    swatches = legend(
        (*(color._replace(meaning=meaning) for meaning, color, _ in GROUPS), OUTSIDE),
    )
    title = (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">'
        f'<TR><TD ALIGN="LEFT">{font(TITLE, INK, 20, bold=True)}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">{swatches}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">{font("What comes over the wire is in the table.", SOFT, 10)}</TD></TR></TABLE>>'
    )
    out = [
        f'digraph "{NAME}" {{',
        "  graph [rankdir=TB, nodesep=0.06, ranksep=0.3, splines=true, pad=0.2]",
        f'  graph [label={title}, labelloc=t, labeljust=l, fontname="{FONT}"]',
        f'  node [shape=plain, fontname="{FONT}"]',
        f'  edge [fontname="{FONT}", arrowsize=0.7, penwidth=1.0]',
    ]
    # What comes over the wire stands in the table: one line a message, and half of the picture's width.
    found = [flow for flow in flows() if flow.sender not in (LINK, CENTRAL_SYSTEM, TRANSFER)]
    senders = {flow.sender for flow in found}
    members = [*GROUPS, ("", OUTSIDE, tuple(sender for sender in SENDERS if sender in senders))]
    for _, color, kinds in members:
        for kind in kinds:
            style = f'BORDER="1.4" COLOR="{color.ink}" BGCOLOR="{color.fill}" CELLPADDING="6"'
            if color is not OUTSIDE:
                style += ' STYLE="ROUNDED"'
            cell = f"<TR><TD>{font(_name(kind), INK, 15, bold=True)}</TD></TR>"
            out.append(f'  "{kind}" [label=<<TABLE {style} CELLBORDER="0">{cell}</TABLE>>]')
    for number, flow in enumerate(found):
        color = WAYS[number % len(WAYS)]
        lines = '<BR ALIGN="LEFT"/>'.join(font(message.__name__, INK, 11) for message in flow.messages)
        style = f'BORDER="1" COLOR="{color.ink}" BGCOLOR="white" STYLE="ROUNDED" CELLPADDING="3"'
        cell = f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{lines}<BR ALIGN="LEFT"/></TD></TR>'
        out.append(f'  "way {number}" [label=<<TABLE {style} CELLBORDER="0" CELLSPACING="0">{cell}</TABLE>>]')
        out += [f"  {arrow}" for arrow in _arrows(number, flow, color)]
    out += ["  {rank=same " + " ".join(f'"{kind}"' for kind in kinds) + "}" for kinds in RANKS]
    out.append("}")
    return "\n".join(out) + "\n"


def mermaid() -> str:
    """The picture as a Mermaid flowchart."""
    found = flows()
    names = {sender: f"outside{number}" for number, sender in enumerate(SENDERS)}
    names |= {kind: kind for kind in routes.KINDS}
    out = ["flowchart LR"]
    out += [f'    {names[kind]}("{_name(kind)}")' for kind in routes.KINDS]
    out += [f'    {names[sender]}["{sender}"]' for sender in SENDERS]
    for number, flow in enumerate(found):
        text = "<br/>".join(message.__name__ for message in flow.messages)
        hearers = " & ".join(_hearers(flow))
        out.append(f'    {names[flow.sender]} --- way{number}(["{text}"]) --> {hearers}')
    for number, (_, color, kinds) in enumerate(GROUPS):
        out.append(f"    classDef kind{number} fill:{color.fill},stroke:{color.ink},color:{INK}")
        out.append(f"    class {','.join(kinds)} kind{number}")
    out.append(f"    classDef way fill:#ffffff,stroke:{SOFT},color:{INK},font-size:12px")
    out.append(f"    class {','.join(f'way{number}' for number in range(len(found)))} way")
    return "\n".join(out) + "\n"


def plantuml() -> str:
    """The picture as a PlantUML component diagram."""
    out = ["@startuml", f"title {TITLE}", "left to right direction"]
    for _, color, kinds in GROUPS:
        out += [f"component {_name(kind)} as {kind} {color.fill}" for kind in kinds]
    senders = {sender: f"outside{number}" for number, sender in enumerate(SENDERS)}
    out += [f'rectangle "{sender}" as {name}' for sender, name in senders.items()]
    for flow in flows():
        text = "\\n".join(message.__name__ for message in flow.messages)
        sender = senders.get(flow.sender, flow.sender)
        out += [f"{sender} --> {hearer} : {text}" for hearer in _hearers(flow)]
    out.append("@enduml")
    return "\n".join(out) + "\n"
