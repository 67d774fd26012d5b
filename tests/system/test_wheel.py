"""What is shipped: the wheel, unpacked and used far from the source tree."""

import zipfile
from pathlib import Path

from tests.peers.processes import ROOT, program

NAMES = ("ac-smart", "base", "catalogue", "full")
TELL = """
import engine, engine.station_file
print(engine.__file__)
print(len(engine.station_file.load("full").settings.connectors))
"""


async def test_the_wheel_holds_the_shipped_declarations_and_scripts(tmp_path: Path) -> None:
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check", ROOT)
    async with program(*build, "--wheel-dir", tmp_path, directory=tmp_path) as pip:
        assert await pip.ended() == 0, pip.err.all
    (wheel,) = tmp_path.glob("statecharge-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    for name in NAMES:
        shipped = installed / "engine" / "stations" / f"{name}.toml"
        assert shipped.is_file()
        assert not shipped.is_symlink()
        assert shipped.read_text() == (ROOT / "engine" / "stations" / f"{name}.toml").read_text()
    for script in (ROOT / "engine" / "scripts").glob("*.jsonl"):
        assert (installed / "engine" / "scripts" / script.name).read_text() == script.read_text()
    async with program("-c", TELL, directory=tmp_path, python_path=installed) as python:
        assert await python.ended() == 0, python.err.all
    assert python.out.all == [str(installed / "engine" / "__init__.py"), "2"]
