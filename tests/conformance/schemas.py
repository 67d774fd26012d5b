"""The JSON schemas of OCPP 1.6 as the ``ocpp`` package ships them, read as data: nothing of its code runs."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator  # type: ignore[import-untyped]

from engine.csms_book import SENT, Entry
from engine.ocpp import frames


def problems(entry: Entry) -> list[str]:
    """What is wrong with the payload of a CALL or a CALLRESULT; nothing is said of any other frame."""
    match entry.kind:
        case frames.CALL:
            name = entry.action
        case frames.CALL_RESULT:
            name = f"{entry.action}Response"
        case _:
            return []
    who = "the Central System" if entry.direction == SENT else "the station"
    found = _validator(name).iter_errors(entry.wire)
    return [f"{who} sent {name} {entry.wire}: {error.message}" for error in found]


@cache
def _validator(name: str) -> Any:
    spec = find_spec("ocpp.v16")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    file = Path(spec.submodule_search_locations[0]) / "schemas" / f"{name}.json"
    return Draft4Validator(json.loads(file.read_text(encoding="utf-8-sig")))
