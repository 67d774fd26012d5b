"""Lines of a chip by the real libgpiod, in a process whose kernel is played by ``tests/peers/gpio_chip.c``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEER = ROOT / "tests" / "peers" / "gpio_chip.c"

pytestmark = pytest.mark.skipif(
    not shutil.which("cc") or not Path("/usr/include/linux/gpio.h").exists(), reason="no C compiler"
)

PREPARED = """
import ctypes, trio
from drivers.board import Board, BoardSettings
from drivers.gpio import ChipLines, LineSettings
from machines.vocabulary.hardware import *

far = ctypes.CDLL(None)
OUTPUTS = {"contactor": LineSettings(name="LINE1"), "lock": LineSettings(name="2", active_low=True)}
INPUTS = {"lock_closed": LineSettings(name="LINE5"), "contactor_closed": LineSettings(name="6", active_low=True)}

def lines(names=(*OUTPUTS, *INPUTS)):
    return ChipLines("/dev/gpiochip0", {n: l for n, l in OUTPUTS.items() if n in names},
                     {n: l for n, l in INPUTS.items() if n in names})
"""


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    built = tmp_path_factory.mktemp("chip") / "gpio_chip.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", built, PEER, "-ldl"], check=True)
    return built


def run_on(chip: Path, code: str) -> list[str]:
    """What ``code`` prints in a process that has the chip."""
    run = subprocess.run(
        [sys.executable, "-c", PREPARED + code],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(chip)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_outputs_are_inactive_until_they_are_set_and_fall_back_when_they_are_let_go(chip):
    code = """
def levels(): return far.far_level(1), far.far_level(2)
held = lines()
print(*levels())
held.set({"contactor": True, "lock": True}); print(*levels())
held.set({"contactor": False}); print(*levels())
held.set({"contactor": True}); held.close(); print(far.far_level(1))
"""
    assert run_on(chip, code) == ["0 1", "1 0", "0 0", "0"]


def test_inputs_are_read_and_heard_in_order(chip):
    code = """
async def main():
    held = lines()
    far.far_put(6, 1)
    print(held.get("lock_closed"), held.get("contactor_closed"))
    far.far_put(6, 0)
    far.far_put(5, 1)
    far.far_put(6, 1)
    heard = []
    async for change in held.changes():
        heard.append(f"{change.name} {change.is_active}")
        if len(heard) == 4:
            break
    print(*heard, sep=", ")
trio.run(main)
"""
    assert run_on(chip, code) == [
        "False False",
        "contactor_closed False, contactor_closed True, lock_closed True, contactor_closed False",
    ]


def test_a_line_that_somebody_else_has_is_an_error_that_the_board_tells_of(chip):
    code = """
other = lines(["contactor"])
async def report(event):
    print(type(event).__name__, event.info)
    raise SystemExit
board = Board(lines, BoardSettings(outputs=tuple(OUTPUTS), inputs=tuple(INPUTS)))
trio.run(board.run, report)
"""
    assert run_on(chip, code) == ["FaultRaised lines: Device or resource busy"]


@pytest.mark.parametrize("name", ["LINE99", "99"])
def test_a_line_that_is_not_there_is_an_error_too(chip, name):
    code = f"""
try:
    ChipLines("/dev/gpiochip0", {{"contactor": LineSettings(name={name!r})}}, {{}})
except OSError as error:
    print("told")
"""
    assert run_on(chip, code) == ["told"]


def test_a_board_works_on_them(chip):
    code = """
async def main():
    told = []
    async def report(event): told.append(event)
    board = Board(lines, BoardSettings(outputs=tuple(OUTPUTS), inputs=tuple(INPUTS)))
    board.permit(True)
    async with trio.open_nursery() as nursery:
        far.far_put(6, 1)
        nursery.start_soon(board.run, report)
        await trio.testing.wait_all_tasks_blocked()
        board.apply(Setpoint(contactor=True, offered_a=16.0, locked=True))
        print(far.far_level(1), far.far_level(2))
        far.far_put(6, 0)
        far.far_put(5, 1)
        while LockChanged(True) not in told:
            await trio.sleep(0.01)
        board.permit(False)
        print(far.far_level(1))
        while not any(isinstance(event, FaultRaised) for event in told):
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    print(told[-1].info, far.far_level(1))
import trio.testing
trio.run(main)
"""
    assert run_on(chip, code) == ["1 0", "0", "does not open: welded 0"]


def test_looking_sets_nothing(chip):
    code = """
far.far_put(1, 1)
board = Board(lines, BoardSettings(outputs=tuple(OUTPUTS), inputs=tuple(INPUTS)))
print(board.look(), far.far_level(1))
"""
    assert run_on(chip, code) == ["{'lock_closed': False, 'contactor_closed': True} 1"]
