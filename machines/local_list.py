"""The local authorization list: idTags that the Central System laid down here, for when it is slow or away.

OCPP 1.6 edition 2: 3.5.2 Local Authorization List, 5.10 Get Local List Version, 5.15 Send Local List; facts section 8.
Only SendLocalList changes the list, and does so whole or not at all. LocalAuthListEnabled switches the list off and
keeps what is in it. What the list is used for stands in machines/authorization.py.
"""

from enum import Enum
from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.keys import Keys
from machines.vocabulary.notices import IdTagLearnt
from machines.vocabulary.ocpp import (
    ChargePointErrorCode,
    ChargePointStatus,
    GetLocalListVersion,
    GetLocalListVersionConf,
    SendLocalList,
    SendLocalListConf,
    StatusNotification,
    StatusNotificationConf,
    UpdateStatus,
    UpdateType,
)
from machines.vocabulary.tags import VALID, TagBook, entry_of
from machines.vocabulary.wire import CallFailed

NOT_SUPPORTED = -1
"""The version of a list that there is not."""

NO_VERSIONS = frozenset({0, NOT_SUPPORTED})
"""What GetLocalListVersion.conf means otherwise, so that no list may have it (5.15)."""


class LocalListData(Struct, frozen=True):
    """The list, and its version as the Central System counts it."""

    version: int = 0
    """0 whenever the list is empty (5.10)."""
    book: TagBook = TagBook()


class Update(Enum):
    """What becomes of a SendLocalList.req."""

    APPLY = "apply"
    FAIL = "fail"
    MISMATCH = "mismatch"


def judge(data: LocalListData, request: SendLocalList, keys: Keys) -> Update:
    """Whether ``request`` may change the list. The first line that applies holds."""
    update = request.local_authorization_list or ()
    is_full = request.update_type is UpdateType.FULL
    if request.list_version in NO_VERSIONS:
        return Update.FAIL  # 5.15: 0 and -1 have a meaning of their own
    if not is_full and request.list_version <= data.version:
        return Update.MISMATCH  # 5.15: a differential update is newer than the list
    if len(update) > keys.send_local_list_max_length:
        return Update.FAIL  # 9.3 SendLocalListMaxLength
    if len({entry.id_tag.casefold() for entry in update}) < len(update):
        return Update.FAIL  # 5.15: every idTag once
    if is_full and any(entry.id_tag_info is None for entry in update):
        return Update.FAIL  # 7.1: a full update says something of every idTag
    if len(updated(data, request).book.entries) > keys.local_auth_list_max_length:
        return Update.FAIL  # 9.3 LocalAuthListMaxLength
    return Update.APPLY


def updated(data: LocalListData, request: SendLocalList) -> LocalListData:
    """The list after ``request``: replaced, or with entries put in and taken out (5.15)."""
    update = request.local_authorization_list or ()
    before = TagBook() if request.update_type is UpdateType.FULL else data.book
    removed = before.without(entry.id_tag for entry in update if entry.id_tag_info is None)
    book = removed.with_entries(
        entry_of(entry.id_tag, entry.id_tag_info) for entry in update if entry.id_tag_info is not None
    )
    return LocalListData(request.list_version if book.entries else 0, book)


class LocalList(Machine[LocalListData, Facts]):
    """The local authorization list of the station."""

    memory = LocalListData
    messages = (
        SendLocalList,
        GetLocalListVersion,
        IdTagLearnt,
        StatusNotificationConf,
        CallFailed,
        Resumed,
    )

    ready = State("Ready", value="ready", initial=True)

    # fmt: off
    ready.to(ready, event=when(SendLocalList,          "5.15 NotSupported: LocalAuthListEnabled is false"), unless="is_enabled",                    on="answer_not_supported")
    ready.to(ready, event=when(SendLocalList,          "5.15 Failed: nothing is changed"),                  cond=["is_enabled", "fails"],           on="fail")
    ready.to(ready, event=when(SendLocalList,          "5.15 VersionMismatch: nothing is changed"),         cond=["is_enabled", "is_outdated"],     on="mismatch")
    ready.to(ready, event=when(SendLocalList,          "5.15 Accepted"),                                    cond=["is_enabled", "applies"],         on="apply")
    ready.to(ready, event=when(GetLocalListVersion,    "5.10 -1: LocalAuthListEnabled is false"),           unless="is_enabled",                    on="tell_none")
    ready.to(ready, event=when(GetLocalListVersion,    "5.10"),                                             cond="is_enabled",                      on="tell_version")
    ready.to(ready, event=when(IdTagLearnt,            "3.5.2 LocalListConflict"),                          cond="contradicts",                     on="report_conflict")
    ready.to(ready, event=when(IdTagLearnt,            "3.5.2 nothing is learnt from answers"),             unless="contradicts")
    ready.to(ready, event=when(StatusNotificationConf, "3.5.2 the Central System knows of the conflict"))
    ready.to(ready, event=when(CallFailed,             "decision LL3: the conflict is told again when it shows again"))
    ready.to(ready, event=when(Resumed,                "3.5.2 the list is kept"),                                                                   on="recall")
    # fmt: on

    exclusive = (("fails", "is_outdated", "applies"),)
    impossible: ClassVar = {}

    # Guards

    def is_enabled(self) -> bool:
        return self.facts.has_local_list

    def fails(self, request: SendLocalList) -> bool:
        return judge(self.data, request, self.facts.keys) is Update.FAIL

    def is_outdated(self, request: SendLocalList) -> bool:
        return judge(self.data, request, self.facts.keys) is Update.MISMATCH

    def applies(self, request: SendLocalList) -> bool:
        return judge(self.data, request, self.facts.keys) is Update.APPLY

    def contradicts(self, learnt: IdTagLearnt) -> bool:
        entry = self.facts.local_list.find(learnt.id_tag)
        if entry is None:
            return False
        return (entry.status_at(self.facts.now.utc) in VALID) is not (learnt.info.status in VALID)

    # Actions

    def answer_not_supported(self) -> None:
        self._answer(UpdateStatus.NOT_SUPPORTED)

    def fail(self) -> None:
        self._answer(UpdateStatus.FAILED)

    def mismatch(self) -> None:
        self._answer(UpdateStatus.VERSION_MISMATCH)

    def apply(self, request: SendLocalList) -> None:
        self.data = updated(self.data, request)
        self._answer(UpdateStatus.ACCEPTED)

    def tell_none(self) -> None:
        self.emit(Answer(GetLocalListVersionConf(list_version=NOT_SUPPORTED)))

    def tell_version(self) -> None:
        self.emit(Answer(GetLocalListVersionConf(list_version=self.data.version)))

    def report_conflict(self) -> None:
        # The idTag is not named: who may see a status report need not know who charges.
        self.emit(
            Call(
                StatusNotification(
                    connector_id=0,
                    status=self._status(),
                    error_code=ChargePointErrorCode.LOCAL_LIST_CONFLICT,
                ),
                at=self.facts.now,
            )
        )

    def recall(self, resumed: Resumed) -> None:
        self.data = resumed.data

    def _status(self) -> ChargePointStatus:
        if self.facts.is_faulted:
            return ChargePointStatus.FAULTED
        return ChargePointStatus.AVAILABLE if self.facts.is_operative else ChargePointStatus.UNAVAILABLE

    def _answer(self, status: UpdateStatus) -> None:
        self.emit(Answer(SendLocalListConf(status=status)))
