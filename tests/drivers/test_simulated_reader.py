"""The simulated card reader."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from drivers.interfaces import ReaderDriver
from drivers.simulated import SimulatedReader, SimulationError
from drivers.simulated.reader import WAITING_MAX
from machines.vocabulary.hardware import TokenRead


@pytest.fixture
async def tokens(nursery):
    """A reader of connectors 1 and 2 that runs, and what it reported."""
    reader, reported = SimulatedReader((1, 2)), []
    driver: ReaderDriver = reader

    async def report(token: TokenRead) -> None:
        await trio.lowlevel.checkpoint()
        reported.append(token)

    nursery.start_soon(driver.run, report)
    await wait_all_tasks_blocked()
    return reader, reported


async def test_each_token_is_reported_once_and_in_order(tokens):
    reader, reported = tokens
    reader.swipe("04A1B2C3")
    reader.swipe("tag 2", [2])
    await wait_all_tasks_blocked()
    assert reported == [TokenRead("04A1B2C3", (1, 2)), TokenRead("tag 2", (2,))]


@pytest.mark.parametrize("token", ["", "x" * 21, "tab\t", "línea"])
async def test_a_token_that_no_card_holds_is_refused(tokens, token):
    reader, reported = tokens
    with pytest.raises(SimulationError, match="1 to 20 printable"):
        reader.swipe(token)
    await wait_all_tasks_blocked()
    assert reported == []


@pytest.mark.parametrize("connectors", [[], [3], [1, 0]])
async def test_a_connector_that_the_reader_does_not_serve_is_refused(tokens, connectors):
    reader, _ = tokens
    with pytest.raises(SimulationError, match="serves 1, 2"):
        reader.swipe("04A1B2C3", connectors)


async def test_tokens_are_refused_while_too_many_wait():
    reader = SimulatedReader((1,))
    for _ in range(WAITING_MAX):
        reader.swipe("04A1B2C3")
    with pytest.raises(SimulationError, match="wait"):
        reader.swipe("04A1B2C3")


async def test_a_card_that_is_shown_without_power_is_not_seen(nursery):
    reader, reported = SimulatedReader((1,)), []

    async def report(token: TokenRead) -> None:
        await trio.lowlevel.checkpoint()
        reported.append(token)

    reader.swipe("04A1B2C3")
    nursery.start_soon(reader.run, report)
    await wait_all_tasks_blocked()
    reader.swipe("04D5E6F7")
    await wait_all_tasks_blocked()
    assert reported == [TokenRead("04D5E6F7", (1,))]
