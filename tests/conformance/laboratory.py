"""The station ``full`` in virtual time; what it and its Central System say is compared with the JSON schemas."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.conformance import laboratory as product
from engine.conformance.cards import NO_CARDS, Cards
from engine.conformance.laboratory import Laboratory
from engine.conformance.world import EPOCH
from engine.station_file import load
from tests.conformance.schemas import problems

__all__ = ["EPOCH", "laboratory"]

PASSWORD = "00112233445566778899AABBCCDDEEFF00112233"


@asynccontextmanager
async def laboratory(
    directory: Path, declares: str = "", cards: Cards = NO_CARDS
) -> AsyncIterator[Laboratory]:
    """The station ``full``, booted.

    Args:
        directory: For its file and its database.
        declares: What it declares otherwise.
        cards: The idTags of cards by the names that cases have for them.

    Raises:
        AssertionError: At the end: a payload does not fit the JSON schema of its message.
    """
    password = directory / "password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    file = directory / "station.toml"
    file.write_text(f'extends = "full"\n{declares}')
    async with product.laboratory(load(file), directory, cards=cards) as lab:
        yield lab
    found = [problem for entry in lab.csms.transcript for problem in problems(entry)]
    assert not found, found
