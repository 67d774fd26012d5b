"""A test case for a charge point, and what may come of it other than success."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from engine.conformance.stimuli import Stimulus, Swipe

if TYPE_CHECKING:
    from engine.conformance.bed import Bed


Value = TypeVar("Value")

CARD = "CARD"
"""The card that is shown unless a case says otherwise."""
EACH = "CARD-N"
"""Stands for a card of its own for each connector: CARD-1, CARD-2, and so on."""


class NotApplicable(Exception):  # noqa: N818 - the name of the fact
    """The station or the rig lacks what the case needs. One line, for the tester."""


class Deviation(Exception):  # noqa: N818 - the name of the fact
    """The station did other than the case says.

    The first line says what came and what was expected; the lines after it are the latest frames.
    """


class Case(Struct, frozen=True):
    """A test case: what is done to the station, and what it must do."""

    id: str
    """Of the certification programme, without TC in front and CS behind: ``004_1``."""
    title: str
    profile: str
    """The feature profile that it is about."""
    run: "Callable[[Bed], Awaitable[None]]"
    """Raises Deviation, NotApplicable or RigError. The station is at rest before."""
    variant: str = ""
    """Which of several cases with this id, in one word or more with hyphens: ``tethered``."""
    is_announced: bool = True
    """Whether the case is for stations that announce the profile, rather than for those that do not."""
    needs: tuple[type[Stimulus], ...] = ()
    """The stimuli without which it cannot be run."""
    cards: tuple[str, ...] = ()
    """The cards that it shows, by the names of their idTags; :data:`EACH` stands for several."""
    id_tags: tuple[str, ...] = ()
    """What else a script names for an idTag."""
    keys: Mapping[str, str] = {}
    """Configuration keys that are set first; the case is not applicable if the station does not take them."""
    declares: str = ""
    """What a station file must say for the case to be applicable, as TOML, where that cannot be set over OCPP."""
    lasts_s: float = 10
    """How long it takes typically on a station that answers at once and restarts in 10 s."""
    text: str = ""
    """What must be seen, for people."""

    @property
    def name(self) -> str:
        """What no other case is called: ``012-tethered``."""
        return f"{self.id}-{self.variant}" if self.variant else self.id


def case(
    id: str,  # noqa: A002 - as the field is called
    profile: str,
    *,
    variant: str = "",
    is_announced: bool = True,
    needs: tuple[type[Stimulus], ...] = (),
    cards: tuple[str, ...] = (CARD,),
    keys: Mapping[str, str] | None = None,
    declares: str = "",
    lasts_s: float = 10,
) -> "Callable[[Callable[[Bed], Awaitable[None]]], Case]":
    """Make a Case of a function: its title is the first line of the docstring, its text the rest."""

    def decorate(run: "Callable[[Bed], Awaitable[None]]") -> Case:
        title, _, text = inspect.cleandoc(run.__doc__ or "").partition("\n\n")
        return Case(
            id=id,
            title=title.removesuffix("."),
            profile=profile,
            run=run,
            variant=variant,
            is_announced=is_announced,
            needs=needs,
            cards=cards if Swipe in needs else (),
            keys=keys or {},
            declares=declares,
            lasts_s=lasts_s,
            text=text.strip(),
        )

    return decorate


def cases(
    id: str,  # noqa: A002 - as the field is called
    profile: str,
    variants: Mapping[str, Value],
    *,
    needs: tuple[type[Stimulus], ...] = (),
    cards: tuple[str, ...] = (CARD,),
    keys: Mapping[str, str] | None = None,
    lasts_s: float = 10,
) -> "Callable[[Callable[[Bed, Value], Awaitable[None]]], tuple[Case, ...]]":
    """Make Cases of one function: one for each of ``variants``, which is called with its value."""

    def decorate(run: "Callable[[Bed, Value], Awaitable[None]]") -> tuple[Case, ...]:
        def of(value: Value) -> "Callable[[Bed], Awaitable[None]]":
            async def with_value(bed: "Bed") -> None:
                await run(bed, value)

            with_value.__doc__ = run.__doc__
            return with_value

        return tuple(
            case(id, profile, variant=variant, needs=needs, cards=cards, keys=keys, lasts_s=lasts_s)(
                of(value)
            )
            for variant, value in variants.items()
        )

    return decorate
