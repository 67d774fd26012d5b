"""The authorization cache: what the Central System said last of each idTag, for when it is slow or away.

OCPP 1.6 edition 2: 3.5.1 Authorization Cache, 3.5.3, 5.4 Clear Cache; facts 5.3. A station has one if it declares
AuthorizationCacheEnabled. What the cache is used for stands in machines/authorization.py.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer
from machines.vocabulary.notices import IdTagLearnt
from machines.vocabulary.ocpp import ClearCache, ClearCacheConf, ClearCacheStatus
from machines.vocabulary.tags import VALID, TagBook, TagEntry, entry_of


class AuthorizationCacheData(Struct, frozen=True):
    """What is remembered, from the oldest to the latest."""

    book: TagBook = TagBook()


def bounded(book: TagBook, size_max: int, utc: float | None) -> TagBook:
    """At most ``size_max`` entries of ``book``: those that are not valid go first, then the oldest (3.5.1).

    The latest stays in any case: it is what was just learnt.
    """
    excess = len(book.entries) - size_max
    if excess <= 0:
        return book
    *older, _latest = book.entries

    def is_valid(entry: TagEntry) -> bool:
        return entry.status_at(utc) in VALID

    # Sorting keeps the order of age among equals.
    return book.without(entry.id_tag for entry in sorted(older, key=is_valid)[:excess])


class AuthorizationCache(Machine[AuthorizationCacheData, Facts]):
    """The authorization cache of the station."""

    memory = AuthorizationCacheData
    messages = (IdTagLearnt, ClearCache, Resumed)

    ready = State("Ready", value="ready", initial=True)

    # fmt: off
    ready.to(ready, event=when(IdTagLearnt, "3.5.1"),                                                          cond="is_enabled", unless="is_listed", on="learn")
    ready.to(ready, event=when(IdTagLearnt, "3.5.3 never what the local list has"),                            cond=["is_enabled", "is_listed"],      on="forget")
    ready.to(ready, event=when(IdTagLearnt, "decision LL2: while off nothing is learnt, what is outdated goes"), unless="is_enabled",                  on="forget")
    ready.to(ready, event=when(ClearCache,  "5.4 Accepted"),                                                   cond="is_enabled",                     on="clear")
    ready.to(ready, event=when(ClearCache,  "5.4 Rejected: AuthorizationCacheEnabled is false"),               unless="is_enabled",                   on="reject")
    ready.to(ready, event=when(Resumed,     "3.5.1 the cache is kept"),                                                                               on="recall")
    # fmt: on

    impossible: ClassVar = {}

    # Guards

    def is_enabled(self) -> bool:
        return self.facts.has_cache

    def is_listed(self, learnt: IdTagLearnt) -> bool:
        return self.facts.local_list.find(learnt.id_tag) is not None

    # Actions

    def learn(self, learnt: IdTagLearnt) -> None:
        book = self.data.book.with_entries([entry_of(learnt.id_tag, learnt.info)])
        size_max = self.facts.settings.limits.cache_size_max
        self.data = AuthorizationCacheData(bounded(book, size_max, self.facts.now.utc))

    def forget(self, learnt: IdTagLearnt) -> None:
        self.data = AuthorizationCacheData(self.data.book.without([learnt.id_tag]))

    def clear(self) -> None:
        self.data = AuthorizationCacheData()
        self.emit(Answer(ClearCacheConf(status=ClearCacheStatus.ACCEPTED)))

    def reject(self) -> None:
        self.emit(Answer(ClearCacheConf(status=ClearCacheStatus.REJECTED)))

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data
