"""Elatec TWN4, Simple Protocol (DocRev17) in ASCII: lines of hexadecimal digits, asked and answered.

SearchTag: ``0500`` and the greatest length of a UID. The answer: 00, found or not, type of tag, bits, bytes, UID.
"""

SEARCH_TAG = bytes([0x05, 0x00, 0x10])
HEADER_SIZE = 5
HELD_MAX = 128
CRC_SIZE = 2


class Twn4:
    """Implements ``CardProtocol``.

    Args:
        has_crc: Whether the reader is set up to send and to expect check sums.
    """

    opening = b""

    def __init__(self, *, has_crc: bool = False) -> None:
        self.answers = 0
        self._has_crc = has_crc
        self._held = b""
        self.poll = line_of(SEARCH_TAG, has_crc=has_crc)

    def feed(self, received: bytes) -> list[bytes]:
        """The UIDs in what was received."""
        *lines, held = (self._held + received).split(b"\r")
        self._held = held[-HELD_MAX:]
        uids = [self._uid_of(line) for line in lines]
        return [uid for uid in uids if uid]

    def _uid_of(self, line: bytes) -> bytes:
        try:
            answer = bytes.fromhex(line.decode("ascii"))
        except ValueError:
            return b""
        if self._has_crc:
            answer, check = answer[:-CRC_SIZE], answer[-CRC_SIZE:]
            if crc_of(answer) != check:
                return b""
        if not answer or answer[0] != 0:
            return b""
        self.answers += 1
        if len(answer) <= HEADER_SIZE or answer[1] != 1:
            return b""
        uid = answer[HEADER_SIZE:]
        return uid if len(uid) == answer[HEADER_SIZE - 1] else b""


def line_of(message: bytes, *, has_crc: bool) -> bytes:
    """``message`` as it stands on the line."""
    return (message + (crc_of(message) if has_crc else b"")).hex().upper().encode() + b"\r"


def crc_of(message: bytes) -> bytes:
    """Check sum: the polynomial 0x8408 from 0xFFFF, least significant byte first."""
    register = 0xFFFF
    for byte in message:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return register.to_bytes(2, "little")
