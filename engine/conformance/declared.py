"""What is known of a charge point under test before the first case."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from engine.csms import Csms
from machines.vocabulary.ocpp import GetConfiguration, GetConfigurationConf


class Key(Struct, frozen=True):
    """A configuration key, as the station told it."""

    value: str | None
    is_readonly: bool


class Declared(Struct, frozen=True, kw_only=True):
    """What the station told of itself, and what its tester knows of it.

    It is read once, before the first case: ``keys`` hold the values that the station gets back after each case.
    """

    keys: Mapping[str, Key]
    sockets: tuple[int, ...] = ()
    """Connectors with a socket outlet whose lock UnlockConnector moves, as far as known."""
    tethered: tuple[int, ...] = ()
    """Connectors with a fixed cable, as far as known."""
    files: str = ""
    """URL of a folder on the tester's server of files; empty if there is none."""
    cards: Mapping[str, str] = {}
    """The idTags of the cards at hand, by the names that cases have for them; none if their names are their idTags."""

    def key(self, name: str) -> Key | None:
        """A configuration key, however the station spells its name: it is a CiString."""
        return next((key for each, key in self.keys.items() if each.casefold() == name.casefold()), None)

    @property
    def profiles(self) -> tuple[str, ...]:
        """The feature profiles that it announces."""
        key = self.key("SupportedFeatureProfiles")
        return tuple(part.strip() for part in key.value.split(",")) if key and key.value else ()

    @property
    def connectors(self) -> int:
        """How many there are; 1 if the station does not tell."""
        key = self.key("NumberOfConnectors")
        return int(key.value) if key and key.value and key.value.isdecimal() else 1


async def read_declared(
    csms: Csms,
    *,
    sockets: tuple[int, ...] = (),
    tethered: tuple[int, ...] = (),
    files: str = "",
    cards: Mapping[str, str] = MappingProxyType({}),
) -> Declared:
    """Ask the station that is connected for all its keys.

    Raises:
        NotConnectedError: There is none, or it left.
        trio.TooSlowError: It did not answer.
        ValueError: It answered without keys. One line.
    """
    answer = await csms.call(GetConfiguration())
    if not isinstance(answer, GetConfigurationConf) or not answer.configuration_key:
        raise ValueError(f"GetConfiguration: the station answered {answer}, expected are its keys")
    keys = {each.key: Key(each.value, each.readonly) for each in answer.configuration_key}
    return Declared(keys=keys, sockets=sockets, tethered=tethered, files=files, cards=dict(cards))
