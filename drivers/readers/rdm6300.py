"""RDM6300 and its like: EM4100 tags of 125 kHz, told by itself some 15 to 20 times a second while a tag is there.

STX, ten hexadecimal digits, two of their exclusive or, ETX.
"""

from functools import reduce
from operator import xor

STX, ETX = 0x02, 0x03
FRAME_SIZE = 14
DIGITS = frozenset(b"0123456789ABCDEFabcdef")


class Rdm6300:
    """Implements ``CardProtocol``."""

    opening = b""
    poll = b""

    def __init__(self) -> None:
        self.answers = 0
        self._held = b""

    def feed(self, received: bytes) -> list[bytes]:
        """The UIDs in what was received."""
        uids: list[bytes] = []
        self._held += received
        while (start := self._held.find(STX)) >= 0:
            self._held = self._held[start:]
            if len(self._held) < FRAME_SIZE:
                return uids
            uid = _uid_of(self._held[:FRAME_SIZE])
            self._held = self._held[FRAME_SIZE if uid else 1 :]
            if uid:
                uids.append(uid)
        self._held = b""
        return uids


def _uid_of(frame: bytes) -> bytes:
    if frame[-1] != ETX or not DIGITS.issuperset(frame[1:-1]):
        return b""
    *content, check = bytes.fromhex(frame[1:-1].decode())
    return bytes(content) if reduce(xor, content) == check else b""
