"""A machine as SCXML (W3C, 2015), for other tools: every state, and every transition in the order in which it is tried.

A guard is an expression of ECMAScript over data of its name, which is false until somebody says otherwise: what a guard
asks is in the code of the machine. What SCXML has no place for stands in attributes of a namespace of our own, which
other readers pass over: the id of the transition, its clause and its action.
"""

from xml.sax.saxutils import quoteattr

from machines.machine import AnyMachine, Row, rows

SCXML = "http://www.w3.org/2005/07/scxml"
OURS = "urn:statecharge:1"


def _cond(row: Row) -> str:
    return " && ".join(f"{name} == {str(expected).lower()}" for name, expected in row.guards)


def _transition(identity: str, row: Row) -> str:
    attributes = [f"event={quoteattr(row.message.__name__)}"]
    if row.guards:
        attributes.append(f"cond={quoteattr(_cond(row))}")
    attributes += [f"target={quoteattr(row.target)}", f"sc:id={quoteattr(identity)}"]
    attributes.append(f"sc:clause={quoteattr(row.clause)}")
    if row.action:
        attributes.append(f"sc:action={quoteattr(row.action)}")
    return f"    <transition {' '.join(attributes)}/>"


def scxml(kind: str, machine: type[AnyMachine]) -> str:
    """``machine`` as SCXML. The same machine gives the same text."""
    table = rows(machine)
    assert machine.initial_state is not None
    guards = dict.fromkeys(name for row in table for name, _ in row.guards)
    spaces = f'xmlns="{SCXML}" xmlns:sc="{OURS}"'
    name, initial = quoteattr(machine.__name__), quoteattr(machine.initial_state.value)
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<scxml {spaces} version="1.0" datamodel="ecmascript" name={name} initial={initial}>',
    ]
    if guards:
        out += [
            "  <datamodel>",
            *(f'    <data id="{name}" expr="false"/>' for name in guards),
            "  </datamodel>",
        ]
    for state in machine.states:
        out.append(f"  <state id={quoteattr(state.value)}>")
        out += [
            _transition(f"{kind}-{number}", row)
            for number, row in enumerate(table, start=1)
            if row.source == state.value
        ]
        out.append("  </state>")
    out.append("</scxml>")
    return "\n".join(out) + "\n"
