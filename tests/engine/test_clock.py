"""What time it was, known sooner or later."""

import trio

from engine.clock import Clock


async def test_before_the_first_sync_an_instant_has_no_time_of_day(autojump_clock):
    """It is resolved with what is learnt afterwards."""
    clock = Clock(3, system_utc=0, earlier={})
    await trio.sleep(100)
    then = clock.now()
    await trio.sleep(50)
    clock.learn(1_000_000)

    assert then.utc is None
    assert clock.resolve(then) == 1_000_000 - 50


async def test_after_the_first_sync_an_instant_keeps_its_time_of_day(autojump_clock):
    """A later correction does not move what has happened."""
    clock = Clock(3, system_utc=0, earlier={})
    clock.learn(1_000)
    then = clock.now()
    await trio.sleep(10)
    error = clock.learn(2_000)

    assert clock.resolve(then) == 1_000
    assert error == 1_010 - 2_000


async def test_an_instant_of_an_earlier_run_is_resolved_by_that_runs_clock(autojump_clock):
    first = Clock(1, system_utc=500, earlier={})
    await trio.sleep(20)
    then = first.now()
    second = Clock(2, system_utc=9_000, earlier={1: 100_000})

    assert second.resolve(then) == 100_020
