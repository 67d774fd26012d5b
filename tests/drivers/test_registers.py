"""Registers as values, the requests that read them, and files that declare them."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.map_files import SHIPPED, find_map, load_map
from drivers.register_map import Bus, plan
from drivers.registers import FORMATS, Register, decode, encode
from drivers.strict_toml import FileError


def register(address: int = 0, words: int = 1, kind: str = "u16", **more: object) -> Register:
    declared = {"table": "holding", "word_order": "big", "scale": 1, "no_value": "none", **more}
    return Register(address=address, words=words, type=kind, **declared)


def of_type(kind: str, **more: object) -> Register:
    return register(words=struct.calcsize(">" + FORMATS.get(kind, "I")) // 2, kind=kind, **more)


@pytest.mark.parametrize(
    ("read", "words", "value"),
    [
        (of_type("u16"), [0xFFFF], 65535),
        (of_type("i16"), [0xFFFF], -1),
        (of_type("u32"), [1, 2], 65538),
        (of_type("u32", word_order="little"), [1, 2], 131073),
        (of_type("i32"), [0xFFFF, 0xFFFE], -2),
        (of_type("u64", scale=10), [0, 0, 1, 0], 655360),
        (of_type("i64"), [0xFFFF] * 4, -1),
        (of_type("u16", scale=0.1), [2301], 230.1),
        (of_type("f32"), [0x4366, 0x8000], 230.5),
        (of_type("f32"), [0x7FC0, 0], None),
        (of_type("f32"), [0x7F80, 0], None),
        (of_type("f64"), [0x406C, 0xD000, 0, 0], 230.5),
        (of_type("t5"), [0xFE00, 0x59D8], 230.0),
        (of_type("t6"), [0xFEFF, 0xFFFF], -0.01),
        (register(words=1, kind="str"), [0x4331], "C1"),
        (register(words=1, kind="str"), [0x0043], "C"),
        (register(kind="bit"), [1], True),
        (of_type("u32", no_value="greatest"), [0xFFFF, 0xFFFF], None),
        (of_type("i32", no_value="greatest"), [0x7FFF, 0xFFFF], None),
        (of_type("i32", no_value="greatest"), [0xFFFF, 0xFFFF], -1),
        (of_type("i32", no_value="high_word_7fff", word_order="little"), [5, 0x7FFF], None),
    ],
)
def test_words_are_decoded(read, words, value):
    assert decode(read, words) == value


@given(
    kind=st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64"]),
    order=st.sampled_from(["big", "little"]),
    data=st.data(),
)
def test_a_whole_number_comes_back_as_it_was_encoded(kind, order, data):
    bits = 8 * struct.calcsize(">" + FORMATS[kind])
    low = -(2 ** (bits - 1)) if kind.startswith("i") else 0
    value = data.draw(st.integers(low, low + 2**bits - 1))
    where = of_type(kind, word_order=order)
    assert decode(where, encode(where, value)) == value


def test_a_value_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no u16"):
        encode(of_type("u16"), 70_000)


BUS = Bus(
    transport="rtu",
    unit=1,
    baudrate=9600,
    parity="N",
    stopbits=1,
    port=502,
    timeout_s=1,
    max_registers=10,
    max_gap=3,
    point_step=0,
)


@given(st.sets(st.tuples(st.sampled_from(["holding", "input"]), st.integers(0, 60), st.integers(1, 4))))
def test_a_plan_reads_every_register_within_the_bounds_of_the_device(wanted):
    registers = [register(address, words, table=table) for table, address, words in wanted]
    blocks = plan(registers, BUS)
    assert {each for block in blocks for each in block.registers} == set(registers)
    for block in blocks:
        assert block.count <= BUS.max_registers
        for each in block.registers:
            assert each.table == block.table
            assert block.address <= each.address
            assert each.end <= block.address + block.count


def test_neighbours_are_read_together_and_what_is_far_apart_is_not():
    blocks = plan([register(0), register(4), register(9), register(11), register(20)], BUS)
    assert [(block.address, block.count) for block in blocks] == [(0, 5), (9, 3), (20, 1)]


def test_registers_that_are_to_be_read_apart_are():
    near = register(1)
    blocks = plan([register(0), near, register(2)], BUS, {near})
    assert [(block.address, block.count) for block in blocks] == [(0, 1), (1, 1), (2, 1)]


# Files

METER = """schema = 1
kind = "meter"
id = "mine"
name = "Mine"

[bus]
transport = "rtu"
unit = 1
timeout_s = 0.5
max_registers = 20
max_gap = 4

[defaults]
table = "input"

[values]
energy_import_wh = { address = 10, type = "u32" }
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "mine") -> Path:
        file = tmp_path / f"{name}.toml"
        file.write_text(text)
        return file

    return write


def problems(file: Path) -> str:
    with pytest.raises(FileError) as caught:
        load_map(file)
    return str(caught.value).replace(str(file.parent) + "/", "")


def test_a_file_of_the_installation_counts_instead_of_the_shipped_one(write, tmp_path):
    write(METER.replace('"mine"', '"abb-b23"'), "abb-b23")
    assert find_map("abb-b23", tmp_path).name == "Mine"
    assert find_map("abb-b23", None).name == "ABB B21, B23, B24"


def test_a_map_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(FileError, match="no register map 'abb', allowed: abb-b23, carlo"):
        find_map("abb", None)


def test_the_shipped_maps_are_right_at_every_point():
    for file in SHIPPED.glob("*.toml"):
        assert load_map(file, point=12).id == file.stem


def test_only_the_map_without_documents_is_marked_as_unverified():
    maps = [load_map(file) for file in SHIPPED.glob("*.toml")]
    assert [found.id for found in maps if not found.verified] == ["weidmueller-ac-smart"]


def test_a_controller_with_several_points_has_their_registers_at_steps():
    found = find_map("phoenix-charx-sec", None, point=2)
    assert found.values["pilot"].parts[0].address == 2299
    assert found.actions["allow"].writes[0].register.address == 2300


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            '"u32" }',
            '"u33" }',
            'mine.toml:17: values.energy_import_wh.type: found "u33", allowed: one of u16',
        ),
        ("= 10,", "= 70000,", "mine.toml:17: values.energy_import_wh.address: found 70000, allowed: a whole"),
        ("unit = 1", "unit = 300", "mine.toml:8: bus.unit: found 300, allowed: a whole number, 0..255"),
        ("unit = 1\n", "", "mine.toml:6: bus.unit: found nothing, allowed: a whole number, 0..255"),
        ('id = "mine"', 'id = "other"', 'mine.toml:3: id: found "other", allowed: "mine", as the file'),
        ('"meter"', '"metre"', 'mine.toml:2: kind: found "metre", allowed: one of meter, evse'),
        (
            "max_gap",
            "gap_max",
            "mine.toml:11: bus.gap_max: found the unknown name 'gap_max', allowed: one of",
        ),
        (
            "energy_import_wh",
            "energy",
            "mine.toml:17: values.energy: found the unknown name 'energy', allowed",
        ),
        (
            "[defaults]",
            "[default]",
            "mine.toml:13: default: found the unknown name 'default', allowed: one of",
        ),
        ("= 1\nkind", "= 2\nkind", "mine.toml:1: schema: found 2, allowed: a whole number, 1..1"),
        (
            "[values]",
            "[actions]\nreset = {}\n[values]",
            "mine.toml:16: actions: found a table, allowed: nothing",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line_and_what_is_allowed(write, old, new, problem):
    assert problem in problems(write(METER.replace(old, new, 1)))


def test_all_problems_are_told_at_once(write):
    text = METER.replace("unit = 1", "unit = 300").replace("= 10,", "= -1,")
    assert len(problems(write(text)).splitlines()) == 2


def test_a_file_that_is_no_toml_is_refused(write):
    assert "line 1" in problems(write("schema = = 1"))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[actions.allow]\n", "[actions.permit]\n", "the unknown name 'permit', allowed: one of set_current"),
        ("min = 6, max = 63", "min = 64, max = 63", "actions.set_current.arguments.amps.min: found 64"),
        ('"{amps}"', '"{current}"', "found '{current}', allowed: a whole number or {amps}"),
        ('12 = "contactor"', '12 = "relay"', 'faults.12: found "relay", allowed: one of lock, pilot'),
        ('12 = "contactor"', '64 = "contactor"', "faults.64: found the name '64'"),
        ('C2 = "C"', 'C2 = "G"', 'pilot.C2: found "G", allowed: one of A, B, C, D, E, F, unknown'),
        (
            "release_by = { equals",
            "freed_by = { equals",
            "require.freed_by.equals: found no value of this name",
        ),
    ],
)
def test_what_is_wrong_in_the_map_of_a_controller_is_told(write, old, new, problem):
    text = (SHIPPED / "phoenix-ev-cc-basic.toml").read_text()
    assert old in text
    assert problem in problems(write(text.replace(old, new, 1), "phoenix-ev-cc-basic"))
