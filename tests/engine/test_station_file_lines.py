"""The line of an entry is found in whatever way TOML lets it be written."""

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from engine.declaration.locate import lines_of
from engine.declaration.problems import EntryPath, show_path

TEXT = '''\
# A comment with [brackets] and = signs
top = 1
[table]  # a comment
name = "a # [b] \\" c"
dotted.key = 2
"quoted name" = 'C:\\'
inline = { first = 1, second = { third = [1, 2] } }
list = [
    "a",  # ]
    { x = 1 },

    "b",
]
[ table . inner ]
lines = """
[not.a.table]
x = 1 \\"""
"""
after = true
literal = \'\'\'
it's [no.table]\'\'\'
[[array]]
one = 1
[array.sub]
two = 2
[[array.nested]]
[[array.nested]]
three = 3
[[array]]
one = 1979-05-27 07:32:00
[array.sub]
two = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("table",), 3),
        (("table", "name"), 4),
        (("table", "dotted"), 5),
        (("table", "dotted", "key"), 5),
        (("table", "quoted name"), 6),
        (("table", "inline", "second", "third", 1), 7),
        (("table", "list"), 8),
        (("table", "list", 0), 9),
        (("table", "list", 1, "x"), 10),
        (("table", "list", 2), 12),
        (("table", "inner"), 14),
        (("table", "inner", "lines"), 15),
        (("table", "inner", "after"), 19),
        (("table", "inner", "literal"), 20),
        (("array",), 22),
        (("array", 0), 22),
        (("array", 0, "one"), 23),
        (("array", 0, "sub", "two"), 25),
        (("array", 0, "nested", 0), 26),
        (("array", 0, "nested", 1, "three"), 28),
        (("array", 1), 29),
        (("array", 1, "one"), 30),
        (("array", 1, "sub", "two"), 32),
    ],
    ids=str,
)
def test_an_entry_is_found_where_it_begins(path: EntryPath, line: int) -> None:
    assert lines_of(TEXT)[path] == line


def test_what_is_within_a_text_is_no_entry() -> None:
    found = lines_of(TEXT)
    assert ("not",) not in found
    assert ("table", "inner", "x") not in found


def test_windows_line_ends_count_once() -> None:
    assert lines_of("a = 1\r\n# b\r\n[c]\r\nd = 2\r\n")[("c", "d")] == 4


def paths_of(value: object, path: EntryPath = ()) -> set[EntryPath]:
    """Every path that exists in ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths_of(item, (*path, name)) for name, item in inner)) - {()}


@pytest.mark.parametrize("text", [TEXT], ids=["example"])
def test_exactly_the_entries_that_toml_reads_are_found(text: str) -> None:
    assert set(lines_of(text)) == paths_of(tomli.loads(text))


NAMES = st.sampled_from(["a", "b1", "c-d", "E_f"])
SCALARS = st.sampled_from(
    ["1", "-0.5", "true", '"x, ]}#"', "'y = ['", '"""\nz]\n"""', "'''\n[w]\n'''", '""', "1979-05-27"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[ " + ",\n # c ]\n".join(items) + "]")
        | st.dictionaries(NAMES, inner, max_size=3).map(
            lambda table: "{ " + ", ".join(f"{name} = {value}" for name, value in table.items()) + " }"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=3))
def test_whatever_is_written_the_entries_and_their_lines_are_found(tables: dict[str, dict[str, str]]) -> None:
    text = ""
    expected: dict[EntryPath, int] = {}
    for name, entries in tables.items():
        expected[(name,)] = text.count("\n") + 1
        text += f"[{name}]\n"
        for entry, value in entries.items():
            expected[(name, entry)] = text.count("\n") + 1
            text += f"{entry} = {value} # end\n"
    found = lines_of(text)
    assert set(found) == paths_of(tomli.loads(text))
    assert {path: found[path] for path in expected} == expected


def test_a_path_is_shown_as_people_write_it() -> None:
    assert show_path(("connectors", 0, "current_max_a")) == "connectors[0].current_max_a"
    assert show_path(("messages", "sends", 3)) == "messages.sends[3]"
