"""Timers, on Trio's mock clock."""

import random

import trio
from trio.testing import wait_all_tasks_blocked

from engine.timers import Due, Timers
from machines.vocabulary.effects import StartTimer, StopTimer


async def begin(nursery):
    send, receive = trio.open_memory_channel[Due](10)
    timers = Timers(random.Random(1))
    nursery.start_soon(timers.run, send)
    await wait_all_tasks_blocked()
    return timers, receive


async def test_a_timer_delivers_once_to_its_owner(nursery, autojump_clock):
    timers, receive = await begin(nursery)
    timers.start("owner", StartTimer("one", 60, "message"))
    due = await receive.receive()

    assert trio.current_time() == 60
    assert timers.take(due).message == "message"
    assert timers.take(due) is None
    assert len(timers) == 0


async def test_a_timer_stopped_after_it_fired_delivers_nothing(nursery, autojump_clock):
    """Between the deadline and the inbox being read, the machine may stop the timer."""
    timers, receive = await begin(nursery)
    timers.start("owner", StartTimer("one", 1, "message"))
    due = await receive.receive()
    timers.stop("owner", StopTimer("one"))

    assert timers.take(due) is None


async def test_a_restarted_timer_delivers_at_its_new_deadline_only(nursery, autojump_clock):
    timers, receive = await begin(nursery)
    timers.start("owner", StartTimer("one", 60, "old"))
    await trio.sleep(30)
    timers.start("owner", StartTimer("one", 60, "new"))
    due = await receive.receive()

    assert (trio.current_time(), timers.take(due).message) == (90, "new")


async def test_a_sooner_timer_is_not_kept_waiting_by_a_later_one(nursery, autojump_clock):
    timers, receive = await begin(nursery)
    timers.start("owner", StartTimer("late", 100, "late"))
    await trio.sleep(1)
    timers.start("other", StartTimer("soon", 2, "soon"))

    assert timers.take(await receive.receive()).message == "soon"
    assert trio.current_time() == 3


async def test_a_repeating_timer_keeps_its_grid_however_late_it_is_read(nursery, autojump_clock):
    timers, receive = await begin(nursery)
    timers.start("owner", StartTimer("one", 10, "tick", every_s=10))
    times = []
    for late in (0, 3, 4, 0):
        due = await receive.receive()
        times.append(trio.current_time())
        await trio.sleep(late)
        assert timers.take(due).message == "tick"

    assert times == [10, 20, 30, 40]


async def test_jitter_lengthens_by_no_more_than_declared(nursery, autojump_clock):
    timers, receive = await begin(nursery)
    waits = set()
    for _ in range(20):
        began = trio.current_time()
        timers.start("owner", StartTimer("one", 10, "message", jitter=0.5))
        timers.take(await receive.receive())
        waits.add(trio.current_time() - began)

    assert 10 <= min(waits) < max(waits) <= 15


async def test_stopped_timers_leave_nothing_behind(nursery, autojump_clock):
    timers, _ = await begin(nursery)
    for _ in range(10_000):
        timers.start("owner", StartTimer("one", 1e6, "message"))

    assert len(timers._heap) < 200
