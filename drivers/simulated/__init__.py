"""A board, an electric vehicle and a card reader in memory, with the timings of IEC 61851-1.

For the bench, for tests and for virtual stations. A person's doings are plain methods (*stimuli*): they never
wait, and one that is out of order raises :class:`SimulationError` and changes nothing.
"""

from drivers.simulated.connector import SimulatedConnector
from drivers.simulated.errors import SimulationError
from drivers.simulated.reader import SimulatedReader
from drivers.simulated.settings import SimulatedConnectorSettings, SimulatedVehicleSettings
from drivers.simulated.state import SimulatedConnectorState

__all__ = [
    "SimulatedConnector",
    "SimulatedConnectorSettings",
    "SimulatedConnectorState",
    "SimulatedReader",
    "SimulatedVehicleSettings",
    "SimulationError",
]
