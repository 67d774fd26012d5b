"""What can be wrong with a stimulus."""


class SimulationError(Exception):
    """The stimulus cannot happen now, as plugging in twice. Nothing was changed."""
