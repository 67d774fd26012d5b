"""Who follows the tutorial sees what it shows."""

import pytest

from tests.docs.console import Desk, lay_out
from tests.peers.processes import ROOT

PAGE = ROOT / "docs" / "tutorials" / "first-charge.md"


@pytest.mark.skipif(
    not (ROOT / ".venv" / "ready").exists(), reason="the tutorial begins with .venv, and make sets it up"
)
async def test_the_tutorial_is_true(tmp_path, free_tcp_ports):
    csms, bench = free_tcp_ports(2)
    async with Desk(lay_out(tmp_path), {"9000": csms, "8080": bench}) as desk:
        assert await desk.follow(PAGE) > 12
