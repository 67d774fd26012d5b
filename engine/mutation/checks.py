"""What may notice a fault: a check, and what is known of it from a run without any."""

from collections.abc import Callable

from msgspec import Struct


class MutationError(Exception):
    """The mutants cannot be judged; the text is one line for the user."""


class Check(Struct, frozen=True):
    """One test."""

    suite: str
    """The kind of test that it is."""
    name: str
    """As its runner knows it; no other check has the same."""
    run: "Callable[[Check | None], str]"
    """Run it and return what is wrong, in one line, or nothing. Takes the check that is run after it."""


class Measured(Struct, frozen=True):
    """A check on machines without a fault."""

    check: str
    rows: tuple[str, ...] = ()
    """The rows that machines took: kind and number, ``connector/12``."""
    did: tuple[str, ...] = ()
    """What they emitted there, and where they remembered something else: ``connector/12/StartTimer``."""
    reads: tuple[str, ...] = ()
    """The kinds of machines whose rows it read."""
    cpu_s: float = 0
    virtual_s: float = 0
    """How far it moved the clock of Trio."""
    failure: str = ""
    """Why it does not count: it fails without any fault."""


class Verdict(Struct, frozen=True):
    """What became of a mutant."""

    mutant: str
    """Its name."""
    kind: str
    operator: str
    row: str
    """The row with the fault, as in its table."""
    suite: str = ""
    """The suite that caught it first; none if it survived."""
    check: str = ""
    why: str = ""
    """What the check said."""
    checks: int = 0
    """How many were run."""
    takers: int = 0
    """How many of those that were to be run take the row, and do not only read the table."""
    seconds: float = 0

    @property
    def is_caught(self) -> bool:
        """Whether anything noticed."""
        return bool(self.suite)
