"""Where tours walk: stations declared so or so, and what is done to each. Each is small enough to be gone through.

A ground is about one thing and leaves the rest alone; what its parts do to each other is for random walks.
"""

from engine.conformance.grounds import (
    files,
    haste,
    idtags,
    later,
    messages,
    moments,
    outcomes,
    pilot,
    races,
    service,
    sessions,
    station,
)
from engine.conformance.grounds.words import QUIET_KEYS, Ground

__all__ = ["GROUNDS", "QUIET_KEYS", "Ground"]

GROUNDS: tuple[Ground, ...] = (
    *sessions.GROUNDS,
    *idtags.GROUNDS,
    *service.GROUNDS,
    *messages.GROUNDS,
    *station.GROUNDS,
    *haste.GROUNDS,
    *files.GROUNDS,
    *outcomes.GROUNDS,
    *pilot.GROUNDS,
    *races.GROUNDS,
    *later.GROUNDS,
    *moments.GROUNDS,
)
"""Every ground."""
