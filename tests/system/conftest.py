import pytest

from tests.peers.drivers import central_system

QUICK = """
extends = "ac-smart"
limits.back_off_first_s = 0.1
limits.back_off_max_s = 0.1
limits.back_off_jitter = 0
limits.vehicle_response_s = 0.5

[keys]
MeterValueSampleInterval = { default = 1 }

[[connectors]]
number = 1
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "simulated"
parameters.vehicle = { response_s = 0.1 }
"""


@pytest.fixture
async def csms():
    """A Central System as a process."""
    async with central_system() as running:
        yield running


@pytest.fixture
def quick(tmp_path):
    """The AC SMART with a vehicle and a dialler that lose no time, and a sample every second."""
    file = tmp_path / "quick.toml"
    file.write_text(QUICK)
    return file


@pytest.fixture
def quick_resuming(tmp_path):
    """The same, and a transaction is to go on after a power cut."""
    file = tmp_path / "quick_resuming.toml"
    file.write_text(QUICK.replace("limits.", 'transactions.recovery = "resume"\nlimits.', 1))
    return file
