"""Every payload against the official JSON schema of its message, field for field."""

import copy
import json
import random
from datetime import timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from msgspec import inspect

from machines.vocabulary.ocpp import ACTIONS

# Two words of the schemas have no counterpart in the structs. "format: uri" is not checked: whether an
# address can be reached shows when it is used. "multipleOf" is checked by the structs themselves, for floats
# are no multiples of 0.1: see the mutations below, and test_types.py.

MIN_ITEMS = {
    # Cardinality 1..* in the specification, without minItems in the schema.
    "StopTransaction.transactionData[].sampledValue",
}

INTEGER = (-(2**63), 2**63 - 1)  # what the store can hold
SECONDS = (0, 2**31 - 1)  # what can be added to a time of day
NOT_NEGATIVE = (0, 2**31 - 1)
POSITIVE = (1, 2**31 - 1)
RANGES = {
    # The schemas have no ranges; the specification's field tables have these.
    "ChangeAvailability.connectorId": NOT_NEGATIVE,
    "MeterValues.connectorId": NOT_NEGATIVE,
    "ReserveNow.connectorId": NOT_NEGATIVE,
    "StatusNotification.connectorId": NOT_NEGATIVE,
    "TriggerMessage.connectorId": NOT_NEGATIVE,
    "RemoteStartTransaction.connectorId": POSITIVE,
    "StartTransaction.connectorId": POSITIVE,
    "UnlockConnector.connectorId": POSITIVE,
    "stackLevel of a profile": NOT_NEGATIVE,
    "duration": SECONDS,
    "retryInterval": SECONDS,
    "startPeriod": SECONDS,
}


def range_of(path: str) -> tuple[int, int]:
    """The integers that the field at ``path`` may hold."""
    field = path.rpartition(".")[2]
    if field == "stackLevel" and not path.startswith("ClearChargingProfile"):
        field = "stackLevel of a profile"
    return RANGES.get(path) or RANGES.get(field, INTEGER)


def from_schema(schema: dict, path: str) -> dict[str, dict]:
    """What the schema says of every field, by path."""
    found = {}
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        says = {key: field[key] for key in ("type", "maxLength") if key in field}
        says["required"] = name in schema.get("required", ())
        if "enum" in field:
            says["enum"] = set(field["enum"])
        if field.get("format") == "date-time":
            says["type"] = "date-time"
        if field["type"] == "array":
            says["minItems"] = field.get("minItems", 1 if where in MIN_ITEMS else 0)
            items = field["items"]
            says["items"] = {key: items[key] for key in ("type", "maxLength") if key in items}
            found |= from_schema(items, f"{where}[]")
        found[where] = says
        found |= from_schema(field, where)
    return found


def from_struct(kind: inspect.StructType, path: str) -> dict[str, dict]:
    """What the struct says of every field, by path, in the words of the schema."""
    assert kind.cls.__struct_config__.forbid_unknown_fields, f"{path} takes unknown fields"
    found = {}
    for field in kind.fields:
        where = f"{path}.{field.encode_name}"
        says, inner = from_type(field.type, where)
        found[where] = says | {"required": field.required}
        found |= inner
    return found


def from_type(kind: inspect.Type, where: str) -> tuple[dict, dict]:
    match kind:
        case inspect.UnionType(types):
            (kind,) = (each for each in types if not isinstance(each, inspect.NoneType))
            return from_type(kind, where)
        case inspect.Metadata(type=inner):
            return from_type(inner, where)
        case inspect.StructType():
            return {"type": "object"}, from_struct(kind, where)
        case inspect.VarTupleType(item_type=item, min_length=least):
            says, inner = from_type(item, f"{where}[]")
            return {"type": "array", "minItems": least or 0, "items": says}, inner
        case inspect.EnumType(cls=enumeration):
            return {"type": "string", "enum": {member.value for member in enumeration}}, {}
        case inspect.StrType(max_length=longest):
            return {"type": "string"} | ({} if longest is None else {"maxLength": longest}), {}
        case inspect.IntType(ge=least, le=most):
            assert (least, most) == range_of(where), f"{where} has another range"
            return {"type": "integer"}, {}
        case inspect.FloatType():
            return {"type": "number"}, {}
        case inspect.BoolType():
            return {"type": "boolean"}, {}
        case inspect.DateTimeType():
            return {"type": "date-time"}, {}
    raise AssertionError(f"{where} is a {kind}")


def test_there_are_28_actions():
    assert len(ACTIONS) == 28


def test_fields_types_lengths_enumerations_and_cardinalities_are_those_of_the_schema(name, kind, schema):
    assert from_struct(inspect.type_info(kind), name) == from_schema(schema, name)


ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def payloads(schema: dict, path: str, *, full: bool = False) -> st.SearchStrategy:
    """Payloads that are as the schema says; with ``full`` no field is left out."""
    match schema["type"]:
        case "object":
            fields = {
                name: payloads(field, f"{path}.{name}", full=full)
                for name, field in schema.get("properties", {}).items()
            }
            required = set(fields) if full else set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {name: field for name, field in fields.items() if name in required},
                optional={name: field for name, field in fields.items() if name not in required},
            )
        case "array":
            least = 1 if full or path in MIN_ITEMS else schema.get("minItems", 0)
            return st.lists(payloads(schema["items"], f"{path}[]", full=full), min_size=least, max_size=3)
        case "string" if "enum" in schema:
            return st.sampled_from(schema["enum"])
        case "string" if schema.get("format") == "date-time":
            return st.datetimes(timezones=ZONES).map(lambda time: time.isoformat())
        case "string":
            return st.text(st.characters(codec="utf-8"), max_size=schema.get("maxLength", 600))
        case "integer":
            return st.integers(*range_of(path))
        case "number":
            return st.integers(0, 10**6).map(lambda tenths: tenths / 10)
        case "boolean":
            return st.booleans()
    raise AssertionError(path)


def says_schema(schema: dict, payload: object) -> bool:
    return Draft4Validator(schema).is_valid(json.loads(json.dumps(payload), parse_float=Decimal))


def says_struct(kind: type, payload: object) -> bool:
    try:
        msgspec.json.decode(json.dumps(payload), type=kind)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_good_payloads_are_accepted_by_both(name, kind, schema, data):
    payload = data.draw(payloads(schema, name))

    assert says_schema(schema, payload)
    assert says_struct(kind, payload)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_decoded_and_encoded_is_accepted_by_the_schema(name, kind, schema, data):
    payload = data.draw(payloads(schema, name))
    encoded = msgspec.json.encode(msgspec.json.decode(json.dumps(payload), type=kind))

    assert says_schema(schema, json.loads(encoded))


def mutations(schema: dict, payload: dict, path: str):
    """Everything that can be wrong with one field of ``payload``, one at a time: (what, the payload)."""

    def with_field(name, value):
        wrong = copy.copy(payload)
        wrong[name] = value
        return wrong

    yield f"{path} with an unknown field", with_field("vendorField", 1)
    yield f"{path} as a list", [payload]
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        if name in schema.get("required", ()):
            yield f"{where} missing", {key: value for key, value in payload.items() if key != name}
        for wrong_type in (True, 1, "1", 1.5, [], {}):
            if not Draft4Validator({"type": field["type"]}).is_valid(wrong_type):
                yield f"{where} as {wrong_type!r}", with_field(name, wrong_type)
        if "enum" in field:
            yield f"{where} unknown", with_field(name, "NoSuchValue")
            yield f"{where} in lower case", with_field(name, field["enum"][0].lower())
        if "maxLength" in field:
            yield f"{where} too long", with_field(name, "x" * (field["maxLength"] + 1))
        if field.get("minItems"):
            yield f"{where} empty", with_field(name, [])
        if "multipleOf" in field:
            yield f"{where} with two decimals", with_field(name, 16.25)
        if field["type"] == "object":
            for what, wrong in mutations(field, payload[name], where):
                yield what, with_field(name, wrong)
        if field["type"] == "array":
            items = field["items"]
            if "maxLength" in items:
                yield f"{where}[] too long", with_field(name, ["x" * (items["maxLength"] + 1)])
            if items["type"] == "object":
                for what, wrong in mutations(items, payload[name][0], f"{where}[]"):
                    yield what, with_field(name, [wrong])


def lower_is_other(what: str, wrong: object, schema: dict) -> bool:
    """Whether the mutation changed anything: ``l1`` is not ``L1``, but ``var`` is ``var`` in lower case."""
    return not (what.endswith("in lower case") and says_schema(schema, wrong))


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_bad_payloads_are_refused_by_both(name, kind, schema, data):
    payload = data.draw(payloads(schema, name, full=True))
    for what, wrong in mutations(schema, payload, name):
        if lower_is_other(what, wrong, schema):
            assert (says_schema(schema, wrong), says_struct(kind, wrong)) == (False, False), what


GOOD, BAD = 800, 800
"""Payloads of every message in :func:`test_struct_and_schema_agree_on_thousands_of_payloads`."""


def some(schema: dict, path: str, chance: random.Random, *, full: bool = False) -> object:
    """A payload as the schema says, from a seed: a hundred times faster than hypothesis, and without its cunning."""
    match schema["type"]:
        case "object":
            required = schema.get("required", ())
            return {
                name: some(field, f"{path}.{name}", chance, full=full)
                for name, field in schema.get("properties", {}).items()
                if full or name in required or chance.random() < 0.5
            }
        case "array":
            least = 1 if full or path in MIN_ITEMS else schema.get("minItems", 0)
            return [
                some(schema["items"], f"{path}[]", chance, full=full) for _ in range(chance.randint(least, 2))
            ]
        case "string" if "enum" in schema:
            return chance.choice(schema["enum"])
        case "string" if schema.get("format") == "date-time":
            zone = chance.choice(["Z", "+00:00", "-11:30", "+05:45", "+14:00"])
            second = f"{chance.randint(0, 59):02}{chance.choice(['', '.5', '.123', '.999999'])}"
            return f"{chance.randint(1970, 9998)}-{chance.randint(1, 12):02}-28T23:59:{second}{zone}"
        case "string":
            size = chance.choice([0, 1, 2, schema.get("maxLength", 600)])
            return "".join(chance.choice(CHARACTERS) for _ in range(min(size, 600)))
        case "integer":
            least, most = range_of(path)
            return chance.choice([least, most, least + 1, max(least, 0), chance.randint(least, most)])
        case "number":
            return chance.randint(0, 10**6) / 10
        case "boolean":
            return chance.random() < 0.5
    raise AssertionError(path)


CHARACTERS = 'aZ09 -_./"\\äß€漢😀\x01'


def outside(schema: dict, payload: dict, path: str):
    """Integers out of the range that only the specification names: (what, the payload)."""
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        if field["type"] == "integer":
            least, most = range_of(where)
            yield f"{where} too small", {**payload, name: least - 1}
            yield f"{where} too large", {**payload, name: most + 1}
        elif field["type"] == "object":
            for what, wrong in outside(field, payload[name], where):
                yield what, {**payload, name: wrong}
        elif field["type"] == "array" and field["items"]["type"] == "object":
            for what, wrong in outside(field["items"], payload[name][0], f"{where}[]"):
                yield what, {**payload, name: [wrong]}


def test_struct_and_schema_agree_on_thousands_of_payloads(name, kind, schema):
    """As many good ones as bad ones, from the seed that the name is. What only one refuses is listed above."""
    chance, validator, decoder = random.Random(name), Draft4Validator(schema), msgspec.json.Decoder(kind)

    def verdicts(payload):
        text = json.dumps(payload)
        try:
            decoder.decode(text)
        except msgspec.ValidationError:
            is_taken = False
        else:
            is_taken = True
        return validator.is_valid(json.loads(text, parse_float=Decimal)), is_taken

    for _ in range(GOOD):
        payload = some(schema, name, chance)
        assert verdicts(payload) == (True, True), payload
    bad = 0
    while bad < BAD:
        payload = some(schema, name, chance, full=True)
        assert verdicts(payload) == (True, True), payload
        for what, wrong in mutations(schema, payload, name):
            by_schema, by_struct = verdicts(wrong)
            # An enum value in lower case may be another value of the enum.
            if not (what.endswith("in lower case") and by_schema):
                assert (by_schema, by_struct) == (False, False), what
            bad += 1
        for what, wrong in outside(schema, payload, name):
            assert verdicts(wrong) == (True, False), what
            bad += 1


@pytest.mark.parametrize("path", sorted(MIN_ITEMS))
def test_a_list_that_must_not_be_empty_is_refused_empty(path, read_schema):
    name, *names = path.replace("[]", "").split(".")
    action = ACTIONS[name.removesuffix("Response")]
    kind = action.conf if name.endswith("Response") else action.request
    payload = payloads(read_schema(name), name, full=True)

    @settings(max_examples=3, deadline=None)
    @given(payload)
    def check(payload):
        inner = payload
        for step in names[:-1]:
            inner = inner[step][0] if isinstance(inner[step], list) else inner[step]
        assert says_struct(kind, payload)
        inner[names[-1]] = []
        assert not says_struct(kind, payload)

    check()


def test_null_for_an_optional_field_is_taken_as_absent():
    """The schemas refuse it; Central Systems that serialise every field of their objects send it."""
    reserve = ACTIONS["RemoteStartTransaction"].request

    assert says_struct(reserve, {"idTag": "A", "connectorId": None})
