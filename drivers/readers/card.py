"""What a reader sees, and the token that it becomes."""

from typing import Protocol

from msgspec import Struct

TOKEN_BYTES_MAX = 10
"""As hexadecimal digits 20, which is the length of an idTag; the longest UID of ISO 14443 just fits."""
RANDOM_UID_BYTES = 4
RANDOM_UID_FIRST = 0x08
"""First byte of a UID that a card makes up anew each time (ISO/IEC 14443-3, 6.5.4): telephones do that."""


class CardProtocol(Protocol):
    """How one kind of reader talks. Holds what has been received of an unfinished message, and nothing else."""

    opening: bytes
    """Sent once, when the line is open."""
    poll: bytes
    """Sent again and again to ask for a card; empty if the reader tells by itself."""
    answers: int
    """Answers that were understood, with a card or without: signs of life of a reader that is asked."""

    def feed(self, received: bytes) -> list[bytes]:
        """The UIDs in what was received, in the order of the reader. Noise is passed over."""


class CardSettings(Struct, frozen=True, kw_only=True):
    """How a UID becomes a token."""

    is_reversed: bool
    """Whether the Central System knows the bytes in the other order than the reader tells them."""
    gone_after_s: float
    """A card that was not seen for so long was taken away; the next time it is presented anew."""


class Presence:
    """Tells a card that is presented from one that lies there.

    Args:
        settings: How a UID becomes a token.
    """

    def __init__(self, settings: CardSettings) -> None:
        self._settings = settings
        self._token = ""
        self._seen_at = 0.0

    def see(self, uid: bytes, now: float) -> str:
        """The token of a card that is presented now, in s; empty if it is none, or was there already."""
        token = token_of(uid, is_reversed=self._settings.is_reversed)
        if not token:
            return ""
        was_there = token == self._token and now - self._seen_at < self._settings.gone_after_s
        self._token, self._seen_at = token, now
        return "" if was_there else token


def token_of(uid: bytes, *, is_reversed: bool) -> str:
    """``uid`` in upper-case hexadecimal digits; empty if nobody can be known by it."""
    is_random = len(uid) == RANDOM_UID_BYTES and uid[0] == RANDOM_UID_FIRST
    if is_random or not 1 <= len(uid) <= TOKEN_BYTES_MAX:
        return ""
    return (uid[::-1] if is_reversed else uid).hex().upper()
