"""From declared card readers on serial lines to the objects that serve them."""

from collections.abc import Callable, Sequence
from functools import partial

from drivers.readers.card import CardProtocol, CardSettings
from drivers.readers.serial_reader import ReaderSettings, SerialReader
from engine.serial_lines import SerialPorts, numbers, serial_settings

SPEEDS = {"rdm6300": 9600, "ascii_line": 9600, "twn4": 115_200, "pn532": 115_200}
"""As the makers deliver them."""
GONE_AFTER_S = 1.0


def serial_reader(
    driver: str, parameters: dict[str, object], connectors: Sequence[int], ports: SerialPorts
) -> SerialReader:
    """The reader that is declared."""
    gone_after_s = numbers({"gone_after_s": GONE_AFTER_S, **parameters}, "gone_after_s")
    card = CardSettings(is_reversed=parameters["byte_order"] == "reversed", **gone_after_s)
    port = serial_settings(parameters, SPEEDS[driver])
    settings = ReaderSettings(card=card, **numbers(parameters, "poll_s", "silent_after_s"))
    return SerialReader(ports.opener(parameters, port), _protocol(driver, parameters), settings, connectors)


def _protocol(driver: str, parameters: dict[str, object]) -> Callable[[], CardProtocol]:
    """Only the declared one is imported."""
    match driver:
        case "rdm6300":
            from drivers.readers.rdm6300 import Rdm6300

            return Rdm6300
        case "ascii_line":
            from drivers.readers.ascii_line import AsciiLine

            return AsciiLine
        case "twn4":
            from drivers.readers.twn4 import Twn4

            return partial(Twn4, has_crc=parameters.get("has_crc") is True)
    from drivers.readers.pn532 import Pn532

    assert driver == "pn532"
    return Pn532
