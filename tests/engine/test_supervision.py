"""What a service manager is told, in virtual time, by a socket of its kind."""

import socket

import pytest
import trio

from engine.supervision import Notifier, feed_period_s, notifier_of, supervise


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        yield manager


def told(manager: socket.socket) -> list[str]:
    messages: list[str] = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


@pytest.fixture
def notifier(manager):
    notifier = Notifier(manager.getsockname())
    yield notifier
    notifier.close()


async def test_a_station_that_moves_is_ready_and_feeds_the_watchdog(
    manager, notifier, nursery, autojump_clock
):
    nursery.start_soon(supervise, notifier, trio.lowlevel.checkpoint, 5.0, lambda: "CP1 runs")
    await trio.sleep(12)
    assert told(manager) == ["READY=1\nSTATUS=CP1 runs", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]


async def test_another_status_is_told_with_the_next_feed(manager, notifier, nursery, autojump_clock):
    texts = iter(["CP1: offline", "CP1: offline", "CP1: online", "CP1: online"])
    nursery.start_soon(supervise, notifier, trio.lowlevel.checkpoint, 5.0, lambda: next(texts))
    await trio.sleep(12)
    assert told(manager) == [
        "READY=1\nSTATUS=CP1: offline",
        "WATCHDOG=1",
        "WATCHDOG=1\nSTATUS=CP1: online",
        "WATCHDOG=1",
    ]


async def test_a_station_that_does_not_move_starves_the_watchdog_until_it_moves(
    manager, notifier, nursery, autojump_clock
):
    moves = [True]

    async def until_moved() -> None:
        while not moves[0]:
            await trio.sleep(0.1)

    nursery.start_soon(supervise, notifier, until_moved, 5.0, str)
    await trio.sleep(1)
    moves[0] = False
    told(manager)
    await trio.sleep(60)
    assert told(manager) == []
    moves[0] = True
    await trio.sleep(6)
    assert "WATCHDOG=1" in told(manager)


async def test_a_station_that_has_not_begun_is_not_ready(manager, notifier, nursery, autojump_clock):
    nursery.start_soon(supervise, notifier, trio.sleep_forever, 5.0, str)
    await trio.sleep(60)
    assert told(manager) == []


def test_a_manager_that_is_gone_is_no_error(tmp_path):
    notifier = Notifier(str(tmp_path / "nowhere"))
    notifier.tell(WATCHDOG="1")
    notifier.close()


def test_without_a_manager_nobody_is_told():
    assert notifier_of({}) is None
    assert feed_period_s({}) == 0


def test_the_watchdog_is_fed_twice_in_its_time():
    assert feed_period_s({"WATCHDOG_USEC": "10000000"}) == 5
    assert feed_period_s({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}) == 0
