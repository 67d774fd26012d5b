"""Readers that type: one UID a line in hexadecimal digits, with CR, LF or both behind it."""

import re

LINE_END = re.compile(rb"[\r\n]+")
UID = re.compile(rb"(?:[0-9A-Fa-f]{2}){4,10}")
HELD_MAX = 64


class AsciiLine:
    """Implements ``CardProtocol``."""

    opening = b""
    poll = b""

    def __init__(self) -> None:
        self.answers = 0
        self._held = b""

    def feed(self, received: bytes) -> list[bytes]:
        """The UIDs in what was received."""
        *lines, held = LINE_END.split(self._held + received)
        # What is cut off here is too long for a UID, and stays so.
        self._held = held[-HELD_MAX:]
        return [bytes.fromhex(line.decode()) for line in lines if UID.fullmatch(line)]
