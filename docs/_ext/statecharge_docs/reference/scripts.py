"""Scripts for ``statecharge play`` and ``statecharge conformance``: from the structs that read them."""

import inspect
import re

from msgspec import Struct

from engine.conformance import script
from engine.conformance.stimuli import KINDS, kind_name
from engine.play import draw, stage
from statecharge_docs.reference.text import code, details, summary, table
from statecharge_docs.reference.types import fields

STEPS: dict[str, type[Struct]] = {
    "expect": script.Expects,
    "wait": script.Wait,
    "answered": script.Answered,
    "asked": script.Asked,
    "charge": script.Charge,
    "answers": script.Answers,
    "request": script.Asks,
}
ONLY_PLAYED = (script.Asked, script.Charge)
ONLY_TESTED = (script.Answers, script.Asks)
EXAMPLES = re.compile(r"::\n\n(?P<lines>(?: {4}.*\n)+)")


def text() -> str:
    """The shipped scripts, the header, each kind of step, stimuli, and what is drawn by lot."""
    shipped = table(
        ("Script", "Title"), ((code(name), stage.title(path)) for name, path in stage.shipped().items())
    )
    parts = [
        "## Shipped scripts",
        shipped,
        "## Header",
        summary(script.Header),
        fields(script.Header, is_linked=False),
    ]
    parts.append("## Steps")
    for name, step in STEPS.items():
        where = "play only" if step in ONLY_PLAYED else "conformance only" if step in ONLY_TESTED else "both"
        parts += [
            f"### {code(name)}",
            f"{summary(step)} {details(step)} ({where})",
            fields(step, is_linked=False),
        ]
    parts += [
        "### `do`",
        "A stimulus: something is done to the hardware.",
        table(("Stimulus", "Does", "Members"), stimuli()),
    ]
    parts += [
        "### A CALL",
        "As in the lists of `expect` and `optional`.",
        fields(script.Call, is_linked=False),
    ]
    drawn = EXAMPLES.findall(inspect.cleandoc(draw.__doc__ or "") + "\n")[-1]
    parts += [
        "## By lot",
        "For `statecharge play`; `--seed` decides.",
        f"```text\n{inspect.cleandoc(drawn)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def stimuli() -> list[tuple[str, str, str]]:
    """Each stimulus."""
    return [
        (
            code(kind_name(kind)),
            summary(kind),
            ", ".join(code(name) for name in kind.__struct_encode_fields__),
        )
        for kind in KINDS
    ]
