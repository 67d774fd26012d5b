"""The installer of virtual stations."""

import pytest

from engine.installers import InstallError
from engine.installers.simulated import SimulatedInstaller


async def test_any_file_is_installed(tmp_path, autojump_clock):
    (tmp_path / "fw").write_bytes(b"anything")
    seen = []
    await SimulatedInstaller().install(tmp_path / "fw", seen.append)
    assert seen[-1] == 100


async def test_a_broken_file_is_not(tmp_path, autojump_clock):
    (tmp_path / "fw").write_bytes(b"BROKEN firmware")
    with pytest.raises(InstallError, match="not a firmware"):
        await SimulatedInstaller().install(tmp_path / "fw", lambda _: None)
