"""A declared serial line as settings of its port, and other numbers as declared."""

from drivers.serial_port import SerialSettings

Table = dict[str, object]


def serial_settings(declared: Table, baudrate: int, parity: str = "N", stopbits: int = 1) -> SerialSettings:
    """A serial line as ``declared``, and else as its device usually has it."""
    stated_baudrate, stated_stopbits = declared.get("baudrate", baudrate), declared.get("stopbits", stopbits)
    assert isinstance(stated_baudrate, int)
    assert isinstance(stated_stopbits, int)
    return SerialSettings(
        device=str(declared["device"]),
        baudrate=stated_baudrate,
        parity=str(declared.get("parity", parity)),
        stopbits=stated_stopbits,
    )


def numbers(declared: Table, *names: str) -> dict[str, float]:
    """Those of ``names`` that are declared."""
    return {
        name: float(value)
        for name in names
        if isinstance(value := declared.get(name), int | float) and not isinstance(value, bool)
    }
