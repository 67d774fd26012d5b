"""Which cards a case shows and of which idTags is spoken, as seen from outside."""

from engine.conformance.stimuli import Swipe
from engine.id_tags import mapped

CARDS = {
    **{name: f"04A1B2C3D4{number}" for number, name in enumerate(("CARD", "FOREIGN", "HOLDER", "MEMBER"))},
    "OTHER": "Guest 1",
    "CARD-1": "04A1B2C3D51",
    "CARD-2": "04A1B2C3D52",
    "REMOTE": "CARD",
    "GROUP": "remote",
}
"""An idTag for each name. Two are named as others are: what is on the wire is not the name for that."""


class Watched:
    """A rig that remembers which cards it was to show.

    Args:
        rig: What gives the stimuli.
        written: What the reader makes of what is on a card.
    """

    def __init__(self, rig, written=str):
        self._rig = rig
        self._written = written
        self.shown = set()
        for name in ("can", "is_locked", "has_energy", "register_wh"):
            setattr(self, name, getattr(rig, name))

    async def do(self, stimulus):
        if isinstance(stimulus, Swipe):
            self.shown.add(stimulus.id_tag)
            stimulus = Swipe(self._written(stimulus.id_tag), stimulus.connector)
        await self._rig.do(stimulus)


def id_tags_in(payloads):
    """Every idTag in payloads."""
    found = set()
    for payload in payloads:
        mapped(payload, lambda id_tag: found.add(id_tag) or id_tag)
    return found
