"""Card readers: every protocol in any pieces and with any noise, and what becomes a token."""

import os
import tty
from contextlib import suppress
from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from drivers.interfaces import ReaderEvent
from drivers.readers.ascii_line import AsciiLine
from drivers.readers.card import CardSettings, Presence, token_of
from drivers.readers.pn532 import Pn532, frame_of
from drivers.readers.rdm6300 import Rdm6300
from drivers.readers.serial_reader import ReaderSettings, SerialReader
from drivers.readers.twn4 import Twn4, line_of
from drivers.serial_port import SerialSettings, open_port
from machines.vocabulary.hardware import FaultCleared, FaultRaised, HardwareFault, TokenRead

CARD = CardSettings(is_reversed=False, gone_after_s=1.0)


def rdm6300(uid: bytes) -> bytes:
    check = 0
    for byte in uid:
        check ^= byte
    return b"\x02" + (uid + bytes([check])).hex().upper().encode() + b"\x03"


def twn4(uid: bytes, *, has_crc: bool) -> bytes:
    return line_of(bytes([0, 1, 0x80, 8 * len(uid), len(uid)]) + uid, has_crc=has_crc)


def pn532(uid: bytes) -> bytes:
    body = bytes([0xD5, 0x4B, 1, 1, 0, 4, 8, len(uid)]) + uid
    acknowledged = bytes.fromhex("0000FF00FF00")
    head = b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF])
    return acknowledged + head + body + bytes([-sum(body) & 0xFF, 0])


CASES = {
    "RDM6300": (Rdm6300, 5, rdm6300),
    "ASCII": (AsciiLine, 7, lambda uid: uid.hex().encode() + b"\r\n"),
    "TWN4": (Twn4, 4, partial(twn4, has_crc=False)),
    "TWN4 with check sum": (partial(Twn4, has_crc=True), 7, partial(twn4, has_crc=True)),
    "PN532, 4 bytes": (Pn532, 4, pn532),
    "PN532, 10 bytes": (Pn532, 10, pn532),
}
each_protocol = pytest.mark.parametrize(("protocol", "size", "encode"), CASES.values(), ids=CASES)


@pytest.mark.parametrize(
    ("protocol", "received", "uid"),
    [
        (Rdm6300(), "02313030303836463434343236 03", "100086F444"),
        (Twn4(), b"000180200466CF4DC2\r".hex(), "66CF4DC2"),
        (Pn532(), "0000FF00FF00 0000FF0CF4D54B010100040804FB0EE20BD800", "FB0EE20B"),
        (AsciiLine(), b"04a1b2c3\r".hex(), "04A1B2C3"),
    ],
    ids=["RDM6300", "TWN4", "PN532", "ASCII"],
)
def test_a_message_of_the_makers_documents_is_understood(protocol, received, uid):
    assert protocol.feed(bytes.fromhex(received)) == [bytes.fromhex(uid)]


def test_what_is_asked_is_what_the_makers_documents_say():
    assert Twn4().poll == b"050010\r"
    assert line_of(b"\x00\x05", has_crc=True) == b"000515A7\r"
    assert frame_of(b"\x02") == bytes.fromhex("0000FF02FED4022A00")
    assert Pn532().poll == bytes.fromhex("0000FF04FCD44A0100E100")


@each_protocol
@given(data=st.data())
def test_cards_are_seen_however_the_bytes_are_cut(protocol, size, encode, data):
    uids = data.draw(st.lists(st.binary(min_size=size, max_size=size), min_size=1, max_size=3))
    wire = b"".join(map(encode, uids))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    reader, seen = protocol(), []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        seen += reader.feed(wire[start:end])
    assert seen == uids


@each_protocol
@given(noise=st.binary(max_size=300))
def test_noise_is_passed_over_and_the_next_cards_are_seen(protocol, size, encode, noise):
    reader, uid = protocol(), bytes(range(1, size + 1))
    reader.feed(noise)
    assert uid in [seen for _ in range(30) for seen in reader.feed(encode(uid))]


@each_protocol
def test_a_spoilt_message_is_no_card(protocol, size, encode):
    wire = bytearray(encode(bytes(range(1, size + 1))))
    wire[-4] ^= 0x01
    seen = protocol().feed(bytes(wire))
    assert seen == [] or protocol in (AsciiLine, Twn4)  # these two have no check sum


# Tokens


def test_a_token_is_upper_case_hexadecimal():
    assert token_of(bytes.fromhex("04a1b2c3"), is_reversed=False) == "04A1B2C3"


def test_the_bytes_of_a_token_are_reversed_if_that_is_declared():
    assert token_of(bytes.fromhex("04a1b2c3"), is_reversed=True) == "C3B2A104"


def test_the_longest_uid_fits_an_id_tag():
    assert len(token_of(bytes(10), is_reversed=False)) == 20
    assert token_of(bytes(11), is_reversed=False) == ""


def test_a_uid_that_a_telephone_made_up_is_no_token():
    assert token_of(bytes.fromhex("08a1b2c3"), is_reversed=False) == ""


def test_a_card_that_lies_there_is_told_once():
    presence, uid = Presence(CARD), b"\x04\xa1\xb2\xc3"
    assert [presence.see(uid, 0.5 * moment) for moment in range(10)] == ["04A1B2C3"] + [""] * 9


def test_a_card_that_comes_back_is_told_again():
    presence, uid = Presence(CARD), b"\x04\xa1\xb2\xc3"
    assert [presence.see(uid, now) for now in (0, 0.5, 2.0)] == ["04A1B2C3", "", "04A1B2C3"]


def test_another_card_is_told_at_once():
    presence = Presence(CARD)
    assert [presence.see(uid, 0) for uid in (b"\x04\x01\x02\x03", b"\x04\x01\x02\x04")] == [
        "04010203",
        "04010204",
    ]


# On a line


async def test_a_reader_that_has_to_be_asked_is_asked(nursery, autojump_clock):
    near, far = memory_stream_pair()
    asked: list[float] = []
    told: list[ReaderEvent] = []

    async def connect() -> trio.abc.Stream:
        return near

    async def answer() -> None:
        async for question in far:
            assert question == b"050010\r"
            asked.append(trio.current_time())
            await far.send_all(twn4(b"\x04\x01\x02\x03", has_crc=False) if len(asked) > 2 else b"0000\r")

    async def report(event: ReaderEvent) -> None:
        await trio.sleep(0.3)
        told.append(event)

    reader = SerialReader(connect, Twn4, ReaderSettings(card=CARD), [1, 2])
    nursery.start_soon(answer)
    nursery.start_soon(reader.run, report)
    await trio.sleep(5)
    assert told == [TokenRead("04010203", (1, 2))]
    assert asked[1] - asked[0] == pytest.approx(0.25)


async def test_a_reader_on_a_port_is_heard_again_after_it_was_unplugged(tmp_path, nursery):
    link = tmp_path / "reader"
    send, receive = trio.open_memory_channel[ReaderEvent](10)

    def plug_in() -> tuple[int, int]:
        master, slave = os.openpty()
        tty.setraw(slave)
        link.symlink_to(os.ttyname(slave))
        return master, slave

    port = SerialSettings(device=str(link))
    settings = ReaderSettings(card=CARD, reconnect_s=0.01)
    reader = SerialReader(partial(open_port, port), Rdm6300, settings, [1])
    for uid in (b"\x10\x00\x86\xf4\x44", b"\x10\x00\x86\xf4\x45"):
        master, slave = plug_in()
        if uid.endswith(b"\x44"):
            nursery.start_soon(reader.run, send.send)
        with trio.fail_after(10):
            told: list[ReaderEvent] = []
            while not told:
                os.write(master, rdm6300(uid))
                with trio.move_on_after(0.05):
                    told.append(await receive.receive())
        assert told == [TokenRead(uid.hex().upper(), (1,))]
        link.unlink()  # first: the number of the terminal is another one's soon
        os.close(master)
        os.close(slave)
    nursery.cancel_scope.cancel()


async def test_a_card_that_lies_there_is_told_once_however_often_the_reader_is_asked(nursery, autojump_clock):
    """As often as may be declared: less than ``gone_after_s`` apart."""
    told: list[ReaderEvent] = []
    near, far = memory_stream_pair()

    async def connect() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return near

    async def answer() -> None:
        async for _ in far:
            await far.send_all(twn4(b"\x04\x01\x02\x03", has_crc=False))

    async def report(event: ReaderEvent) -> None:
        told.append(event)

    nursery.start_soon(answer)
    settings = ReaderSettings(card=CARD, poll_s=0.9 * CARD.gone_after_s)
    nursery.start_soon(SerialReader(connect, Twn4, settings, [1]).run, report)
    await trio.sleep(60)
    assert told == [TokenRead("04010203", (1,))]


# Health


class Served:
    """A reader in memory that is served, and what was told of it."""

    def __init__(self, nursery: trio.Nursery, protocol) -> None:
        self._nursery = nursery
        self.is_plugged = True
        self.answer = b""
        """To every question."""
        self.is_hanging = False
        self.is_stuck = False
        """It takes nothing any more."""
        self.heard: list[bytes] = []
        self.events: list[ReaderEvent] = []
        self._line = None
        reader = SerialReader(self._connect, protocol, ReaderSettings(card=CARD), [1])
        nursery.start_soon(reader.run, self._report)

    async def _report(self, event: ReaderEvent) -> None:
        self.events.append(event)

    async def _connect(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if self.is_hanging:
            await trio.sleep_forever()
        if not self.is_plugged:
            raise OSError("no such port")
        near, self._line = memory_stream_pair()
        carry = near.send_stream.send_all_hook

        async def take() -> None:
            if self.is_stuck:
                await trio.sleep_forever()
            await carry()

        near.send_stream.send_all_hook = take
        self._nursery.start_soon(self._serve, self._line)
        return near

    async def _serve(self, line: trio.abc.Stream) -> None:
        with suppress(trio.ClosedResourceError, trio.BrokenResourceError):
            async for question in line:
                self.heard.append(question)
                if self.answer:
                    await line.send_all(self.answer)

    def unplug(self) -> None:
        self.is_plugged = False
        self._line.send_stream.close()

    async def told(self, after_s: float) -> list[ReaderEvent]:
        await trio.sleep(after_s)
        told, self.events = self.events, []
        return told


async def test_a_reader_that_was_unplugged_has_failed_after_a_while_and_is_well_when_it_is_back(
    nursery, autojump_clock
):
    served = Served(nursery, Rdm6300)
    assert await served.told(3600) == []
    served.unplug()
    assert await served.told(4.9) == []
    assert await served.told(0.2) == [FaultRaised(HardwareFault.READER, "card reader: no such port")]
    assert await served.told(60) == []
    served.is_plugged = True
    assert await served.told(3) == [FaultCleared(HardwareFault.READER)]


async def test_a_line_that_hangs_when_it_is_opened_is_told_in_time_and_tried_again(nursery, autojump_clock):
    served = Served(nursery, Rdm6300)
    await served.told(1)
    served.is_hanging = True
    served.unplug()
    assert await served.told(4.9) == []
    no_answer = "card reader: the line cannot be opened: no answer"
    assert await served.told(0.2) == [FaultRaised(HardwareFault.READER, no_answer)]
    served.is_plugged, served.is_hanging = True, False
    assert await served.told(5) == [FaultCleared(HardwareFault.READER)]


@pytest.mark.parametrize("protocol", [Twn4, Pn532])
async def test_a_reader_that_takes_no_question_any_more_has_failed_in_time(nursery, autojump_clock, protocol):
    """As a USB reader that hangs: the kernel takes some questions for it, and then none."""
    served = Served(nursery, protocol)
    served.answer = b"0000\r" if protocol is Twn4 else bytes.fromhex("0000FF00FF00")
    assert await served.told(10) == []
    served.is_stuck = True
    assert await served.told(4.5) == []
    stuck = "card reader: it takes no question"
    assert await served.told(0.6) == [FaultRaised(HardwareFault.READER, stuck)]
    assert await served.told(60) == []
    served.is_stuck = False
    assert await served.told(5) == [FaultCleared(HardwareFault.READER)]


async def test_a_short_unplugging_is_no_news(nursery, autojump_clock):
    served = Served(nursery, Rdm6300)
    await served.told(10)
    served.unplug()
    await served.told(1)
    served.is_plugged = True
    assert await served.told(60) == []


@pytest.mark.parametrize(
    ("protocol", "nothing"),
    [(Twn4, b"0000\r"), (Pn532, bytes.fromhex("0000FF00FF00"))],
    ids=["TWN4", "PN532"],
)
async def test_a_reader_that_does_not_answer_has_failed_and_is_set_up_anew(
    protocol, nothing, nursery, autojump_clock
):
    served = Served(nursery, protocol)
    served.answer = nothing
    assert await served.told(60) == []
    served.answer = b""
    served.heard.clear()
    told = await served.told(30)
    assert told == [FaultRaised(HardwareFault.READER, "card reader: it does not answer")]
    opening = protocol().opening
    assert not opening or opening in b"".join(served.heard)
    served.answer = nothing
    assert await served.told(10) == [FaultCleared(HardwareFault.READER)]


async def test_noise_is_no_sign_of_life(nursery, autojump_clock):
    served = Served(nursery, Twn4)
    served.answer = b"\xffgarbage\r"
    assert await served.told(10) == [FaultRaised(HardwareFault.READER, "card reader: it does not answer")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"0000\r", "no card"), (twn4(b"\x04\x01\x02\x03", has_crc=False), "card 04010203"), (b"", "")],
)
async def test_a_reader_is_looked_at(nursery, autojump_clock, answer, said):
    near, far = memory_stream_pair()

    async def connect() -> trio.abc.Stream:
        return near

    async def serve() -> None:
        async for _ in far:
            if answer:
                await far.send_all(answer)

    nursery.start_soon(serve)
    assert await SerialReader(connect, Twn4, ReaderSettings(card=CARD), [1]).look(1.0) == said
