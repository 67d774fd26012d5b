"""The cards of a test: by which names cases speak of idTags, and which idTags the cards at hand really have.

A case shows ``CARD``. On a card of somebody's wallbox stands ``04A1B2C3D4``, and ``--card CARD=04A1B2C3D4`` says so.
Names and idTags meet in two places: the frames of the Central System (:mod:`engine.csms`), and :class:`CardRig`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from engine.conformance.case import EACH, Case
from engine.conformance.rig import CannotError, Rig
from engine.conformance.stimuli import Stimulus, Swipe
from engine.id_tags import IdTagNames

NUMBERED = re.compile(re.escape(EACH).replace("N", "[1-9][0-9]{0,2}"))
"""A card of its own for one connector."""
SPOKEN = ("GROUP", "REMOTE")
"""What test cases speak of without ever showing a card: a parentIdTag, and whoever starts remotely."""

Cards = Mapping[str, str]
"""The idTags of the cards at hand, by name. Without any, the idTag of each card is its name."""
NO_CARDS: Cards = MappingProxyType({})


class CardError(Exception):
    """The cards that were named are not those of the cases. One line, for the user."""


def cards_of(pairs: Iterable[tuple[str, str]], cases: Sequence[Case]) -> dict[str, str]:
    """The cards that the user named.

    Args:
        pairs: Name and idTag of each.
        cases: All there are, whether they are to be played or not.

    Raises:
        CardError: A name is unknown or comes twice, or an idTag has two names.
    """
    named = {*SPOKEN, *(name for case in cases for name in (*case.cards, *case.id_tags))}
    cards: dict[str, str] = {}
    for name, id_tag in pairs:
        if name not in named - {EACH} and not NUMBERED.fullmatch(name):
            allowed = ", ".join(sorted(named)).replace(EACH, f"{EACH} (N is a connector)")
            raise CardError(f"--card {name}={id_tag}: no case names {name}; allowed: {allowed}")
        if name in cards:
            raise CardError(f"--card {name}={id_tag}: {name} is {cards[name]} already")
        cards[name] = id_tag
    # A name that is not in the list is its own idTag.
    owners = {name.casefold(): name for name in named - cards.keys()}
    owners |= {
        tag.casefold(): tag
        for tag in cards.values()
        if NUMBERED.fullmatch(tag.upper()) and tag.upper() not in cards
    }
    for name, id_tag in cards.items():
        owner = owners.setdefault(id_tag.casefold(), name)
        if owner != name:
            raise CardError(f"--card {name}={id_tag}: {owner} has that idTag; each name needs one of its own")
    return cards


def told(cards: Cards) -> str:
    """For people: ``CARD=04A1B2C3D4, OTHER=04A1B2C3D5``."""
    return ", ".join(f"{name}={id_tag}" for name, id_tag in sorted(cards.items()))


def shown_by(case: Case, connectors: int) -> tuple[str, ...]:
    """The cards that ``case`` shows to a station with so many connectors."""
    numbers = range(1, connectors + 1)
    each = (
        (EACH.replace("N", str(number)) for number in numbers) if name == EACH else (name,)
        for name in case.cards
    )
    return tuple(name for names in each for name in names)


class CardRig:
    """A rig that shows the cards at hand. Implements ``engine.conformance.rig.Rig``.

    Args:
        rig: What gives the stimuli; it is told the idTag of a card, and not its name.
        cards: The cards at hand.
    """

    def __init__(self, rig: Rig, cards: Cards) -> None:
        self._rig = rig
        self._cards = cards
        self._names = IdTagNames(cards)

    def can(self, kind: type[Stimulus]) -> bool:
        """As the rig can."""
        return self._rig.can(kind)

    async def do(self, stimulus: Stimulus) -> None:
        """Give it, with the idTag that the card has.

        Raises:
            CannotError: The card is not at hand, though others are.
            RigError: It could not be given.
        """
        if isinstance(stimulus, Swipe):
            if self._cards and stimulus.id_tag not in self._cards:
                raise CannotError(missing(stimulus.id_tag))
            stimulus = Swipe(self._names.id_tag(stimulus.id_tag), stimulus.connector)
        await self._rig.do(stimulus)

    async def is_locked(self, connector: int) -> bool | None:
        """What the rig sees."""
        return await self._rig.is_locked(connector)

    async def has_energy(self, connector: int) -> bool | None:
        """What the rig sees."""
        return await self._rig.has_energy(connector)

    async def register_wh(self, connector: int) -> float | None:
        """What the rig sees."""
        return await self._rig.register_wh(connector)


def missing(name: str) -> str:
    """What to say of a card that is not at hand."""
    return f"no card is known to be {name}: name its idTag with --card {name}=IDTAG"
