"""Reading a MeterValues payload as a Central System does."""

from typing import Any

REGISTER = "Energy.Active.Import.Register"


def register(payload: dict[str, Any]) -> int:
    """The register value of its only sample, in Wh."""
    (sample,) = payload["meterValue"]
    (value,) = [s["value"] for s in sample["sampledValue"] if s.get("measurand", REGISTER) == REGISTER]
    return int(value)


def timestamp(payload: dict[str, Any]) -> str:
    """When its only sample was taken."""
    (sample,) = payload["meterValue"]
    taken: str = sample["timestamp"]
    return taken
