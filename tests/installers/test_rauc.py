"""RAUC over a real D-Bus of the test's own, with a service that answers as RAUC does."""

import shutil
import subprocess
from contextlib import suppress

import pytest
import trio
from jeepney import (
    DBusAddress,
    HeaderFields,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.trio import Proxy, open_dbus_connection

from engine.installers import InstallError
from engine.installers.rauc import INTERFACE, PROPERTIES, SERVICE, RaucInstaller

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="Debian package dbus is missing")


class FakeRauc:
    """Two slots; ``result`` is the exit code of the next installation."""

    def __init__(self):
        self.slot = "rootfs.0"
        self.result = 0
        self.error = ""
        self.refusal = ""
        self.is_slow = False
        """Whether an installation never comes to its end."""
        self.bundles = []
        self.marked = []

    async def serve(self, address, task_status=trio.TASK_STATUS_IGNORED):
        connection = await open_dbus_connection(address)
        async with connection.router() as router:
            await Proxy(message_bus, router).RequestName(SERVICE)
        task_status.started()
        with suppress(trio.EndOfChannel):  # The bus went away; a test does that.
            async with connection:
                while True:
                    message = await connection.receive()
                    if message.header.message_type is MessageType.method_call:
                        await self.answer(connection, message)

    async def answer(self, connection, message):
        match message.header.fields[HeaderFields.member]:
            case "Get":
                name = message.body[1]
                value = {"BootSlot": self.slot, "LastError": self.error}[name]
                await connection.send(new_method_return(message, "v", (("s", value),)))
            case "InstallBundle" if self.refusal:
                await connection.send(new_error(message, f"{SERVICE}.Error", "s", (self.refusal,)))
            case "InstallBundle":
                self.bundles.append(message.body[0])
                await connection.send(new_method_return(message))
                for percent in (0, 40, 100):
                    changed = {"Progress": ("(isi)", (percent, "Copying", 1))}
                    properties = DBusAddress("/", interface=PROPERTIES)
                    body = (INTERFACE, changed, [])
                    await connection.send(new_signal(properties, "PropertiesChanged", "sa{sv}as", body))
                ours = DBusAddress("/", interface=INTERFACE)
                if self.is_slow:
                    return
                await connection.send(new_signal(ours, "Completed", "i", (self.result,)))
            case "Mark":
                self.marked.append(message.body)
                await connection.send(new_method_return(message, "ss", (self.slot, "marked")))


@pytest.fixture
def daemon():
    """A bus of our own."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1", "--nopidfile"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        yield daemon
        daemon.terminate()


@pytest.fixture
def bus(daemon):
    """The address of the bus."""
    return daemon.stdout.readline().strip()


@pytest.fixture
async def rauc(bus, nursery):
    """The service."""
    fake = FakeRauc()
    await nursery.start(fake.serve, bus)
    return fake


async def test_a_bundle_is_installed_and_kept_after_the_restart(rauc, bus, tmp_path):
    installer, seen = RaucInstaller(tmp_path / "slot", bus), []
    await installer.install(tmp_path / "fw.raucb", seen.append)
    assert rauc.bundles == [str(tmp_path / "fw.raucb")]
    assert seen == [0, 40, 100]
    assert not rauc.marked
    rauc.slot = "rootfs.1"
    await installer.confirm(is_cut=False)
    assert rauc.marked == [("good", "booted")]


async def test_the_old_slot_after_the_restart_is_a_failure(rauc, bus, tmp_path):
    installer = RaucInstaller(tmp_path / "slot", bus)
    await installer.install(tmp_path / "fw.raucb", lambda _: None)
    with pytest.raises(InstallError, match=r"slot rootfs\.0 runs as before"):
        await installer.confirm(is_cut=False)
    assert not rauc.marked


@pytest.mark.parametrize("slot", ["rootfs.0", "rootfs.1"])
async def test_after_a_cut_the_slot_that_runs_tells_whether_it_was_installed(rauc, bus, tmp_path, slot):
    """Decision FU2: RAUC may have done its work, and the box have booted, before anybody heard of it."""
    rauc.is_slow = True
    installer = RaucInstaller(tmp_path / "slot", bus)
    with trio.move_on_after(5) as scope:
        await installer.install(tmp_path / "fw.raucb", lambda percent: percent == 40 and scope.cancel())
    rauc.slot, again = slot, RaucInstaller(tmp_path / "slot", bus)
    if slot == "rootfs.1":
        await again.confirm(is_cut=True)
        assert rauc.marked == [("good", "booted")]
    else:
        with pytest.raises(InstallError, match="runs as before"):
            await again.confirm(is_cut=True)
        rauc.is_slow = False
        await again.install(tmp_path / "fw.raucb", lambda _: None)
        assert len(rauc.bundles) == 2


@pytest.mark.parametrize("left", [b"", b"\0\0\0\0\0\0\0\0", b"\xff\xfe"])
async def test_a_note_that_a_power_cut_emptied_tells_nothing(rauc, bus, tmp_path, left):
    """The old slot runs: to take it for the new one would tell Installed of what was not."""
    (tmp_path / "slot").write_bytes(left)
    with pytest.raises(InstallError, match="nobody knows which slot ran before"):
        await RaucInstaller(tmp_path / "slot", bus).confirm(is_cut=True)
    assert not rauc.marked


async def test_an_installation_that_never_ends_is_left(rauc, bus, tmp_path):
    rauc.is_slow = True
    with pytest.raises(InstallError, match=r"not done in 0\.3 s"):
        await RaucInstaller(tmp_path / "slot", bus, timeout_s=0.3).install(
            tmp_path / "fw.raucb", lambda _: None
        )


async def test_a_bundle_that_does_not_fit_is_told(rauc, bus, tmp_path):
    rauc.result, rauc.error = 1, "Compatible mismatch"
    with pytest.raises(InstallError, match="Compatible mismatch"):
        await RaucInstaller(tmp_path / "slot", bus).install(tmp_path / "fw.raucb", lambda _: None)


async def test_a_refusal_is_told(rauc, bus, tmp_path):
    rauc.refusal = "already processing"
    with pytest.raises(InstallError, match="already processing"):
        await RaucInstaller(tmp_path / "slot", bus).install(tmp_path / "fw.raucb", lambda _: None)


async def test_a_bus_that_goes_away_is_told(daemon, rauc, bus, tmp_path):
    rauc.is_slow = True
    with pytest.raises(InstallError, match="RAUC: the bus is gone"):
        await RaucInstaller(tmp_path / "slot", bus).install(
            tmp_path / "fw.raucb", lambda percent: percent == 100 and daemon.terminate()
        )


async def test_without_rauc_nothing_is_installed(bus, tmp_path):
    with pytest.raises(InstallError, match="RAUC"):
        await RaucInstaller(tmp_path / "slot", bus).install(tmp_path / "fw.raucb", lambda _: None)


async def test_without_a_bus_nothing_is_installed(tmp_path):
    with pytest.raises(InstallError, match="no such bus"):
        await RaucInstaller(tmp_path / "slot", f"unix:path={tmp_path}/none").install(
            tmp_path / "fw.raucb", lambda _: None
        )
