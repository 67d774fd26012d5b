"""DataTransfer, in both directions.

OCPP 1.6 edition 2: 4.3 and 5.6 Data Transfer. What is taken is declared: vendors, their messages, and what each is
answered (``[data_transfer]`` in the station file). What is sent is asked for by somebody at the station.
"""

from typing import ClassVar

from msgspec import Struct

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.vocabulary.effects import Answer, Call
from machines.vocabulary.ocpp import DataTransfer as DataTransferRequest
from machines.vocabulary.ocpp import DataTransferConf, DataTransferStatus
from machines.vocabulary.settings import VendorMessages
from machines.vocabulary.wire import CallFailed, DataTransferAsked


class DataTransferData(Struct, frozen=True):
    """How the latest transfer to the Central System ended."""

    outcome: str = ""
    """The status that was answered, ``failed``, or ``not sent``; empty before the first."""
    data: str | None = None
    """What came with the answer."""


class DataTransfer(Machine[DataTransferData, Facts]):
    """Vendor data."""

    messages = (DataTransferRequest, DataTransferAsked, DataTransferConf, CallFailed)

    ready = State("Ready", value="ready", initial=True)

    # fmt: off
    # DataTransfer.req of the Central System
    ready.to(ready, event=when(DataTransferRequest, "5.6 UnknownVendorId"),                unless="is_known_vendor",                            on="refuse_vendor")
    ready.to(ready, event=when(DataTransferRequest, "5.6 UnknownMessageId"),               cond="is_known_vendor", unless="is_known_message",   on="refuse_message")
    ready.to(ready, event=when(DataTransferRequest, "5.6 as declared"),                    cond=["is_known_vendor", "is_known_message"],        on="reply")
    # DataTransfer.req of ours
    ready.to(ready, event=when(DataTransferAsked,   "4.3"),                                cond=["is_offered", "is_online"],                    on="transfer")
    ready.to(ready, event=when(DataTransferAsked,   "4.2 nothing before registration"),    cond="is_offered", unless="is_online",               on="give_up")
    ready.to(ready, event=when(DataTransferAsked,   "4.3 not declared, not sent"),         unless="is_offered",                                 on="give_up")
    ready.to(ready, event=when(DataTransferConf,    "4.3 the answer"),                                                                          on="note")
    ready.to(ready, event=when(CallFailed,          "4.3 not repeated: who asked may ask again"),                                               on="note_failure")
    # fmt: on

    impossible: ClassVar = {}

    # Guards

    def is_known_vendor(self, request: DataTransferRequest) -> bool:
        return self._vendor(request) is not None

    def is_known_message(self, request: DataTransferRequest) -> bool:
        vendor = self._vendor(request)
        assert vendor is not None
        # A transfer without messageId is declared as "".
        wanted = (request.message_id or "").casefold()
        return wanted in {message_id.casefold() for message_id in vendor.messages}

    def is_offered(self) -> bool:
        return "DataTransfer" in self.facts.settings.sends

    def is_online(self) -> bool:
        return self.facts.is_online

    # Actions

    def refuse_vendor(self) -> None:
        self.emit(Answer(DataTransferConf(status=DataTransferStatus.UNKNOWN_VENDOR_ID)))

    def refuse_message(self) -> None:
        self.emit(Answer(DataTransferConf(status=DataTransferStatus.UNKNOWN_MESSAGE_ID)))

    def reply(self, request: DataTransferRequest) -> None:
        vendor = self._vendor(request)
        assert vendor is not None
        self.emit(Answer(DataTransferConf(status=DataTransferStatus(vendor.status), data=vendor.data)))

    def transfer(self, asked: DataTransferAsked) -> None:
        request = DataTransferRequest(vendor_id=asked.vendor_id, message_id=asked.message_id, data=asked.data)
        self.emit(Call(request))

    def give_up(self) -> None:
        self.data = DataTransferData("not sent")

    def note(self, conf: DataTransferConf) -> None:
        self.data = DataTransferData(conf.status.value, conf.data)

    def note_failure(self) -> None:
        self.data = DataTransferData("failed")

    def _vendor(self, request: DataTransferRequest) -> VendorMessages | None:
        wanted = request.vendor_id.casefold()
        for vendor in self.facts.settings.data_transfer:
            if vendor.vendor_id.casefold() == wanted:
                return vendor
        return None
