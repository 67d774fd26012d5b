import pytest

from tests.conformance.bed import Bed


@pytest.fixture
async def bed(tmp_path):
    """A station with everything, not yet powered."""
    return Bed(tmp_path)
