"""NXP PN532 on a serial line (UM0701-02, 6.2): frames with a length and two check sums, asked and answered.

00 00 FF, length, its complement, direction, command, data, complement of the sum, 00. The chip acknowledges every
command, then answers with the number of the command plus one.
"""

START = b"\x00\xff"
TO_CHIP, FROM_CHIP = 0xD4, 0xD5
WAKE = b"\x55\x55" + bytes(14)
SAM_CONFIGURATION = b"\x14\x01\x14\x01"
"""Normal mode, without a security module."""
LIST_TARGETS = b"\x4a\x01\x00"
"""One target, 106 kbit/s type A (ISO 14443)."""
TARGETS_LISTED = bytes([FROM_CHIP, 0x4B])
ACKNOWLEDGED, REFUSED = (0x00, 0xFF), (0xFF, 0x00)
UID_AT = 8
UID_SIZES = (4, 7, 10)


class Pn532:
    """Implements ``CardProtocol``."""

    def __init__(self) -> None:
        self.answers = 0
        self._held = b""
        self.opening = WAKE + frame_of(SAM_CONFIGURATION)
        self.poll = frame_of(LIST_TARGETS)

    def feed(self, received: bytes) -> list[bytes]:
        """The UIDs in what was received."""
        uids: list[bytes] = []
        self._held += received
        while (start := self._held.find(START)) >= 0:
            frame = self._held[start + len(START) :]
            if len(frame) < 2:
                return uids
            size, complement = frame[0], frame[1]
            if (size, complement) in (ACKNOWLEDGED, REFUSED):
                self._held = frame[2:]
                self.answers += 1
            elif (size + complement) & 0xFF:
                self._held = self._held[start + 1 :]
            elif len(frame) < size + 3:
                return uids
            elif sum(frame[2 : size + 3]) & 0xFF:
                self._held = self._held[start + 1 :]
            else:
                self._held = frame[size + 3 :]
                self.answers += 1
                if uid := _uid_of(frame[2 : size + 2]):
                    uids.append(uid)
        # The first byte of a start may be there already.
        self._held = self._held[-1:]
        return uids


def frame_of(command: bytes) -> bytes:
    """``command`` as it stands on the line."""
    body = bytes([TO_CHIP]) + command
    head = b"\x00" + START + bytes([len(body), -len(body) & 0xFF])
    return head + body + bytes([-sum(body) & 0xFF, 0x00])


def _uid_of(body: bytes) -> bytes:
    """The UID of the first target, if ``body`` lists one."""
    if body[:2] != TARGETS_LISTED or len(body) < UID_AT or not body[2]:
        return b""
    size = body[UID_AT - 1]
    uid = body[UID_AT : UID_AT + size]
    return uid if size in UID_SIZES and len(uid) == size else b""
