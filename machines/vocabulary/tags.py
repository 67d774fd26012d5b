"""What the charge point itself knows of idTags: entries of the local authorization list and of the cache.

OCPP 1.6 edition 2: 3.4 Local Authorization and Offline Behavior, 7.8 AuthorizationStatus, 7.28 CiString.
"""

from collections.abc import Iterable
from typing import Self

from msgspec import Struct

from machines.vocabulary.ocpp import AuthorizationStatus, IdTagInfo

VALID = frozenset({AuthorizationStatus.ACCEPTED, AuthorizationStatus.CONCURRENT_TX})
"""What is said of an idTag that may charge, by itself: it charges elsewhere already (ConcurrentTx) or not."""


def is_same(one: str, other: str) -> bool:
    """Whether two idTags are the same: they are case-insensitive (7.28 CiString)."""
    return one.casefold() == other.casefold()


def is_group(one: str | None, other: str | None) -> bool:
    """Whether two parentIdTags make a group; an empty one, from before it was taken for none, makes none."""
    if not one or not other:
        return False
    return is_same(one, other)


class TagEntry(Struct, frozen=True):
    """What is known of one idTag."""

    id_tag: str
    status: AuthorizationStatus
    """As it was told; see :meth:`status_at`."""
    parent_id_tag: str | None = None
    expires: float | None = None
    """POSIX s; None is never."""

    def status_at(self, utc: float | None) -> AuthorizationStatus:
        """The status at ``utc`` (POSIX s): Expired from the expiry date on.

        While the time of day is not known (None), an entry with an expiry date counts as expired: nobody can tell
        that it is not.
        """
        is_over = self.expires is not None and (utc is None or utc >= self.expires)
        return AuthorizationStatus.EXPIRED if is_over and self.status in VALID else self.status


def entry_of(id_tag: str, info: IdTagInfo) -> TagEntry:
    """What the Central System says of ``id_tag``, as an entry."""
    expires = None if info.expiry_date is None else info.expiry_date.timestamp()
    return TagEntry(id_tag, info.status, info.parent_id_tag, expires)


class TagBook(Struct, frozen=True):
    """Entries, each idTag once in whatever case it is written; the one that was put in last is the last."""

    entries: tuple[TagEntry, ...] = ()

    def find(self, id_tag: str) -> TagEntry | None:
        """The entry of ``id_tag``, in whatever case it is written; None if there is none."""
        wanted = id_tag.casefold()
        for entry in self.entries:
            if entry.id_tag.casefold() == wanted:
                return entry
        return None

    def with_entries(self, entries: Iterable[TagEntry]) -> Self:
        """The book with ``entries`` added, or put in place of older ones of the same idTags."""
        by_tag = {entry.id_tag.casefold(): entry for entry in self.entries}
        for entry in entries:
            by_tag.pop(entry.id_tag.casefold(), None)
            by_tag[entry.id_tag.casefold()] = entry
        return type(self)(tuple(by_tag.values()))

    def without(self, id_tags: Iterable[str]) -> Self:
        """The book without the entries of ``id_tags``; one that is not in it is left alone."""
        gone = {id_tag.casefold() for id_tag in id_tags}
        kept = tuple(entry for entry in self.entries if entry.id_tag.casefold() not in gone)
        return self if len(kept) == len(self.entries) else type(self)(kept)
