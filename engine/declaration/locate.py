"""On which line of a TOML text an entry stands. tomli tells values, not places.

The text has been read by tomli before, so that this may rely on it being correct TOML. It is read a second
time, by :func:`lines_of`, only when there is a problem to tell.
"""

import re

from engine.declaration.problems import EntryPath

BLANKS = re.compile(r"[ \t]*")
BLANKS_LINES_COMMENTS = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
SCALAR = re.compile(r"[^,\]}#\r\n]+")
BASIC_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
LITERAL_STRING = re.compile(r"'[^']*'")
# Up to two quotation marks may touch the closing three.
BASIC_LINES = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")', re.DOTALL)
LITERAL_LINES = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
STRINGS = (BASIC_LINES, LITERAL_LINES, BASIC_STRING, LITERAL_STRING)


def lines_of(text: str) -> dict[EntryPath, int]:
    """The line, from 1, of every table, entry and list item of the TOML ``text``."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


class _Scanner:
    """Goes once through a text and notes where each entry begins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._counts: dict[EntryPath, int] = {}
        """How often each array of tables was opened so far."""
        self.lines: dict[EntryPath, int] = {}

    def scan(self) -> None:
        """Read the whole text."""
        table: EntryPath = ()
        while True:
            self._skip(BLANKS_LINES_COMMENTS)
            if self._position == len(self._text):
                return
            if self._takes("[["):
                table = self._open_array_element()
                self._expect("]]")
            elif self._takes("["):
                table = self._resolve(self._key())
                self._note(table)
                self._expect("]")
            else:
                self._entry(table)

    def _open_array_element(self) -> EntryPath:
        """The path of the table that ``[[...]]`` begins."""
        key = self._key()
        array = (*self._resolve(key[:-1]), key[-1])
        number = self._counts.get(array, 0)
        self._counts[array] = number + 1
        self._note(array)
        self._note((*array, number))
        return (*array, number)

    def _resolve(self, key: EntryPath) -> EntryPath:
        """``key`` of a header, with the number of the last element behind every array of tables."""
        path: EntryPath = ()
        for part in key:
            path = (*path, part)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _entry(self, table: EntryPath) -> None:
        """``key = value`` within ``table``."""
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path)
        self._expect("=")
        self._skip(BLANKS)
        self._value(path)

    def _key(self) -> EntryPath:
        """A bare, quoted or dotted key."""
        parts: list[str] = []
        while True:
            self._skip(BLANKS)
            quoted = self._match(BASIC_STRING) or self._match(LITERAL_STRING)
            parts.append(quoted[1:-1] if quoted else self._match(BARE_KEY))
            self._skip(BLANKS)
            if not self._takes("."):
                return tuple(parts)

    def _value(self, path: EntryPath) -> None:
        if self._takes("["):
            self._items(path)
        elif self._takes("{"):
            self._inline_table(path)
        elif not any(self._match(string) for string in STRINGS):
            self._match(SCALAR)

    def _items(self, path: EntryPath) -> None:
        """The rest of a list that has been opened."""
        number = 0
        while True:
            self._skip(BLANKS_LINES_COMMENTS)
            if self._takes("]"):
                return
            self._note((*path, number))
            self._value((*path, number))
            self._skip(BLANKS_LINES_COMMENTS)
            self._takes(",")
            number += 1

    def _inline_table(self, path: EntryPath) -> None:
        """The rest of an inline table that has been opened."""
        while True:
            self._skip(BLANKS_LINES_COMMENTS)
            if self._takes("}"):
                return
            self._entry(path)
            self._skip(BLANKS_LINES_COMMENTS)
            self._takes(",")

    def _note(self, path: EntryPath) -> None:
        """Remember the line of ``path``; the first place counts."""
        self.lines.setdefault(path, self._text.count("\n", 0, self._position) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _match(self, pattern: re.Pattern[str]) -> str:
        """Go over ``pattern`` if it is next; return what it matched, else an empty text."""
        found = pattern.match(self._text, self._position)
        if found is None:
            return ""
        self._position = found.end()
        return found.group()

    def _takes(self, mark: str) -> bool:
        """Go over ``mark`` if it is next."""
        if not self._text.startswith(mark, self._position):
            return False
        self._position += len(mark)
        return True

    def _expect(self, mark: str) -> None:
        self._skip(BLANKS)
        assert self._takes(mark), f"{mark!r} missing at {self._position}"
