"""An installer that is a program: real ones, run by a shell."""

import pytest

from engine.installers import InstallError
from engine.installers.command import CommandInstaller


@pytest.fixture
def firmware(tmp_path):
    """A downloaded file."""
    file = tmp_path / "fw.bin"
    file.write_bytes(b"new")
    return file


def shell(script, **more):
    return CommandInstaller(("/bin/sh", "-c", script, "installer", "{file}"), **more)


async def install(installer, firmware):
    seen = []
    await installer.install(firmware, seen.append)
    return seen


async def test_the_file_is_an_argument_and_in_the_environment(firmware, tmp_path):
    await install(shell(f'cp "$1" {tmp_path}/a; cp "$STATECHARGE_FIRMWARE" {tmp_path}/b'), firmware)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"new"


async def test_progress_is_told(firmware):
    seen = await install(shell("echo 10%; echo 100% done"), firmware)
    assert seen[-1] == 100


@pytest.mark.parametrize(
    ("printed", "percent"),
    [
        ("40%", 40),
        ("[=====     ]  40 % of rootfs", 40),
        (r"10%\r40%\r", 40),
        (r"20%\nwriting 40% of 2 images\nlog line", 40),
        ("40% and 400%", 40),
        ("load 1.40%", None),
        ("4000%", None),
        ("no number %", None),
    ],
)
async def test_progress_is_what_was_said_last_in_percent(firmware, printed, percent):
    seen = await install(shell(f"printf '{printed.replace('%', '%%')}'"), firmware)
    assert (seen[-1] if seen else None) == percent


async def test_declared_environment_is_there(firmware):
    await install(shell('test "$SLOT" = b', environment=(("SLOT", "b"),)), firmware)


async def test_a_program_that_fails_is_told_with_its_last_line(firmware):
    with pytest.raises(InstallError, match="exit code 3: bad signature"):
        await install(shell("echo begin; echo bad signature >&2; exit 3"), firmware)


async def test_a_program_that_does_not_end_is_ended(firmware):
    with pytest.raises(InstallError, match=r"not done in 0\.1 s"):
        await install(shell("exec sleep 60", timeout_s=0.1), firmware)


async def test_what_a_program_left_running_is_not_waited_for(firmware):
    """It has the output of the program, which then does not end with it."""
    seen = await install(shell("echo 100%; sleep 5 & exit 0", timeout_s=2, afterwards_s=0.1), firmware)
    assert seen == [100]
    with pytest.raises(InstallError, match="exit code 3: bad signature"):
        await install(shell("sleep 5 & echo bad signature; exit 3", timeout_s=2, afterwards_s=0.1), firmware)


async def test_a_program_that_is_not_there(firmware):
    with pytest.raises(InstallError, match="No such file"):
        await install(CommandInstaller(("/nowhere/installer",)), firmware)


async def test_a_program_that_says_too_much_is_kept_short(firmware):
    with pytest.raises(InstallError) as caught:
        await install(shell("yes x | tr -d '\\n' | head -c 10000000; exit 1"), firmware)
    assert len(str(caught.value)) < 300


async def test_the_new_firmware_is_confirmed_by_exit_code_0():
    for is_cut in (False, True):
        await CommandInstaller(("true",), confirm=("true",)).confirm(is_cut=is_cut)
        with pytest.raises(InstallError):
            await CommandInstaller(("true",), confirm=("false",)).confirm(is_cut=is_cut)


async def test_where_no_program_confirms_whatever_runs_is_it_but_after_a_cut():
    await CommandInstaller(("true",)).confirm(is_cut=False)
    with pytest.raises(InstallError, match="no program is declared that tells what runs"):
        await CommandInstaller(("true",)).confirm(is_cut=True)
