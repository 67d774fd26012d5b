"""The official JSON schemas, as data."""

import json
from collections.abc import Callable
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest

from machines.vocabulary.ocpp import ACTIONS

PAYLOADS = {
    name: kind
    for action in ACTIONS.values()
    for name, kind in ((action.name, action.request), (f"{action.name}Response", action.conf))
}


@pytest.fixture(params=PAYLOADS)
def name(request) -> str:
    """The name of a schema; a test that takes it runs once for each."""
    return request.param


@pytest.fixture
def kind(name: str) -> type:
    """The struct that the schema ``name`` describes."""
    return PAYLOADS[name]


@pytest.fixture(scope="session")
def read_schema() -> Callable[[str], dict]:
    """Reads a schema as the ``ocpp`` package ships it, decimals kept exact."""
    spec = find_spec("ocpp.v16")
    folder = Path(spec.submodule_search_locations[0]) / "schemas"

    def read(name: str) -> dict:
        text = (folder / f"{name}.json").read_text(encoding="utf-8-sig")
        # This unit is the package's own: the official schema has none for Frequency, where Hertz is implied.
        assert text.count('"Hertz"') == (name == "MeterValues")
        schema = json.loads(text, parse_float=Decimal)
        if name == "MeterValues":
            value = schema["properties"]["meterValue"]["items"]["properties"]["sampledValue"]["items"]
            value["properties"]["unit"]["enum"].remove("Hertz")
        return schema

    return read


@pytest.fixture
def schema(name: str, read_schema: Callable[[str], dict]) -> dict:
    return read_schema(name)
