import pytest

from tests.lab import Lab


@pytest.fixture
async def lab(tmp_path):
    """The AC SMART, not yet powered."""
    return Lab(tmp_path)
