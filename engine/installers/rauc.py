"""An installer that asks RAUC over D-Bus, by jeepney's Trio side (interface de.pengutronix.rauc.Installer).

RAUC writes the other slot, and the boot loader tries it at the next boot. After the restart the slot that runs must be
another than before; then it is marked good, so that the boot loader keeps it.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from engine.installers import InstallError, OnProgress
from engine.speed import of_real_time

if TYPE_CHECKING:
    from jeepney.io.trio import DBusRouter

SERVICE = "de.pengutronix.rauc"
INTERFACE = f"{SERVICE}.Installer"
PROPERTIES = "org.freedesktop.DBus.Properties"


class RaucInstaller:
    """Installs bundles.

    Args:
        note: A file that keeps the name of the slot that ran at the installation, over the restart.
        bus: ``SYSTEM``, or the address of a bus.
        timeout_s: Of an installation.
    """

    def __init__(self, note: Path, bus: str = "SYSTEM", timeout_s: float = 1800) -> None:
        self._note = note
        self._bus = bus
        self._timeout_s = timeout_s

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.installers.Installer`."""
        with trio.move_on_after(of_real_time(self._timeout_s)):
            await self._with_router(_install, file, on_progress, self._note)
            return
        raise InstallError(f"RAUC: not done in {self._timeout_s:g} s")

    async def confirm(self, *, is_cut: bool) -> None:  # noqa: ARG002 - the slot says it all
        """See :class:`engine.installers.Installer`."""
        with trio.move_on_after(of_real_time(self._timeout_s)):
            await self._with_router(_confirm, self._note)
            return
        raise InstallError(f"RAUC: not done in {self._timeout_s:g} s")

    async def _with_router(self, work: Any, *arguments: object) -> None:
        try:
            from jeepney import DBusErrorResponse
            from jeepney.io.common import RouterClosed
            from jeepney.io.trio import open_dbus_router
        except ModuleNotFoundError as missing:
            # It would end the process, and after each restart once more: what runs is asked this way, too.
            raise InstallError("RAUC: needs pip install 'statecharge[rauc]'") from missing

        try:
            # The router looks through its filters as it ends: they go after it.
            with ExitStack() as filters:
                async with open_dbus_router(self._bus) as router:
                    await work(router, filters, *arguments)
        except* DBusErrorResponse as group:
            error: Any = next(_leaves(group))
            told = error.data[0] if error.data else error.name
            raise InstallError(f"RAUC: {told}") from group
        except* (OSError, KeyError) as group:
            raise InstallError(f"RAUC: no such bus: {next(_leaves(group))}") from group
        except* (
            trio.EndOfChannel,
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            RouterClosed,
        ) as group:
            raise InstallError("RAUC: the bus is gone") from group
        except* InstallError as group:
            raise next(_leaves(group)) from None


def _leaves(group: BaseExceptionGroup[Any]) -> Any:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _install(
    router: "DBusRouter", filters: ExitStack, file: Path, on_progress: OnProgress, note: Path
) -> None:
    from jeepney import HeaderFields, MatchRule, message_bus
    from jeepney.io.trio import Proxy

    slot = await _property(router, "BootSlot")
    await trio.to_thread.run_sync(_keep, note, slot)
    progressed = MatchRule(type="signal", interface=PROPERTIES, path="/")
    completed = MatchRule(type="signal", interface=INTERFACE, member="Completed")
    bus: Any = Proxy(message_bus, router)
    await bus.AddMatch(progressed)
    await bus.AddMatch(completed)
    send, receive = trio.open_memory_channel[Any](64)
    for rule in (progressed, completed):
        filters.enter_context(router.filter(rule, channel=send))
    await _call(router, INTERFACE, "InstallBundle", "sa{sv}", (str(file), {}))
    code = 1
    async for signal in receive:
        if signal.header.fields[HeaderFields.member] == "Completed":
            (code,) = signal.body
            break
        changed = signal.body[1]
        if "Progress" in changed:
            on_progress(min(max(int(changed["Progress"][1][0]), 0), 100))
    if code:
        told = await _property(router, "LastError")
        raise InstallError(f"RAUC: {told or f'exit code {code}'}")


def _keep(note: Path, slot: str) -> None:
    """Write ``slot``, so that a power cut leaves all of it or nothing: the installation that follows may be cut."""
    fresh = note.with_name(note.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(slot)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(note)
    folder = os.open(note.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def _confirm(router: "DBusRouter", _filters: ExitStack, note: Path) -> None:
    before = trio.Path(note)
    old = await before.read_text(encoding="utf-8", errors="replace") if await before.exists() else ""
    if not (old and old.isascii() and old.isprintable()):
        raise InstallError("RAUC: nobody knows which slot ran before")
    slot = await _property(router, "BootSlot")
    if slot == old:
        raise InstallError(f"RAUC: slot {slot} runs as before")
    await _call(router, INTERFACE, "Mark", "ss", ("good", "booted"))
    await before.unlink()


async def _property(router: "DBusRouter", name: str) -> str:
    ((_, value),) = await _call(router, PROPERTIES, "Get", "ss", (INTERFACE, name))
    return str(value)


async def _call(
    router: "DBusRouter", interface: str, member: str, signature: str, body: tuple[object, ...]
) -> Any:
    from jeepney import DBusAddress, new_method_call
    from jeepney.wrappers import unwrap_msg

    address = DBusAddress("/", bus_name=SERVICE, interface=interface)
    reply = await router.send_and_get_reply(new_method_call(address, member, signature, body))
    return unwrap_msg(reply)
