"""What a case does to the hardware: stimuli as calls, and the memory of what must be undone afterwards."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Literal

from engine.conformance.rig import Rig, RigError
from engine.conformance.stimuli import (
    ClearFault,
    CutLink,
    CutPower,
    FailPilot,
    FailPower,
    FreeLock,
    JamLock,
    Pause,
    PlugIn,
    PressStop,
    RaiseFault,
    RepairPilot,
    RestoreLink,
    Resume,
    SendData,
    SilenceMeter,
    Stimulus,
    Swipe,
    Unplug,
)
from engine.csms import Csms
from machines.vocabulary.ocpp import ChargePointErrorCode

Side = Literal["both", "vehicle", "station"]


class Hands:
    """Gives stimuli through a rig, and knows how the hardware was left. Every method may raise RigError.

    Args:
        rig: Moves the hardware.
        csms: Cuts the connection where the rig has no way to cut the network.
    """

    def __init__(self, rig: Rig, csms: Csms) -> None:
        self.rig = rig
        self.csms = csms
        self.plugged: dict[int, Side] = {}
        """What is still in, by connector: the cable at both ends, or only at the station."""
        self.faults: set[tuple[int, ChargePointErrorCode]] = set()
        self.jammed: set[int] = set()
        self.shorted: set[int] = set()
        self.silent: set[int] = set()
        self.is_link_cut = False
        self.was_link_cut = False
        self.power_cut_at = 0
        """How long the transcript was when the power was cut for the last time."""

    def can(self, *kinds: type[Stimulus]) -> bool:
        """Whether all of these stimuli can be given."""
        return all(kind in (CutLink, RestoreLink) or self.rig.can(kind) for kind in kinds)

    async def plug_in(self, connector: int = 1) -> None:
        """Connect a vehicle that asks for energy."""
        await self.rig.do(PlugIn(connector))
        self.plugged[connector] = "both"

    async def unplug(self, connector: int = 1, side: Side = "both") -> None:
        """Take the cable out at one end or at both."""
        await self.rig.do(Unplug(connector, side))
        if side == "vehicle":
            self.plugged[connector] = "station"
        else:
            self.plugged.pop(connector, None)

    async def pause(self, connector: int = 1) -> None:
        """Let the vehicle ask for no more energy."""
        await self.rig.do(Pause(connector))

    async def resume(self, connector: int = 1) -> None:
        """Let the vehicle ask for energy again."""
        await self.rig.do(Resume(connector))

    async def swipe(self, card: str = "CARD", connector: int | None = 1) -> None:
        """Show a card, for ``connector`` though one reader may serve several."""
        await self.rig.do(Swipe(card, connector))

    async def press_stop(self, connector: int = 1, *, is_emergency: bool = False) -> None:
        """Press the stop button."""
        await self.rig.do(PressStop(connector, is_emergency))

    async def raise_fault(self, error_code: ChargePointErrorCode, connector: int = 1) -> None:
        """Cause a fault."""
        await self.rig.do(RaiseFault(error_code, connector))
        self.faults.add((connector, error_code))

    async def clear_fault(self, error_code: ChargePointErrorCode, connector: int = 1) -> None:
        """Remove the cause of a fault."""
        await self.rig.do(ClearFault(error_code, connector))
        self.faults.discard((connector, error_code))

    async def jam_lock(self, connector: int = 1) -> None:
        """Keep the lock from moving."""
        await self.rig.do(JamLock(connector))
        self.jammed.add(connector)

    async def free_lock(self, connector: int = 1) -> None:
        """Let the lock move again."""
        await self.rig.do(FreeLock(connector))
        self.jammed.discard(connector)

    async def fail_pilot(self, connector: int = 1) -> None:
        """Short the control pilot."""
        await self.rig.do(FailPilot(connector))
        self.shorted.add(connector)

    async def repair_pilot(self, connector: int = 1) -> None:
        """Let the control pilot be read again."""
        await self.rig.do(RepairPilot(connector))
        self.shorted.discard(connector)

    async def silence_meter(self, connector: int = 1) -> None:
        """Let the meter stop answering."""
        await self.rig.do(SilenceMeter(silent=True, connector=connector))
        self.silent.add(connector)

    async def revive_meter(self, connector: int = 1) -> None:
        """Let the meter answer again."""
        await self.rig.do(SilenceMeter(silent=False, connector=connector))
        self.silent.discard(connector)

    async def fail_power(self, connector: int = 1) -> None:
        """Let the supply warn that it will be gone soon."""
        await self.rig.do(FailPower(connector))

    async def cut_power(self, seconds: float = 10) -> None:
        """Take the power away, for ``seconds`` or as long as the rig needs."""
        self.power_cut_at = len(self.csms.transcript)
        await self.rig.do(CutPower(seconds))

    async def cut_link(self) -> None:
        """No network from now on; without a way to cut it, the Central System is silent and takes no connection."""
        if self.rig.can(CutLink):
            await self.rig.do(CutLink())
        else:
            self.csms.set_reachable(False)
        self.is_link_cut = self.was_link_cut = True

    async def restore_link(self) -> None:
        """The network is back."""
        if self.rig.can(CutLink):
            await self.rig.do(RestoreLink())
        else:
            self.csms.set_reachable(True)
        self.is_link_cut = False

    async def send_data(self, vendor_id: str, message_id: str | None = None, data: str | None = None) -> None:
        """Have the station send DataTransfer."""
        await self.rig.do(SendData(vendor_id, message_id, data))

    async def undo(self) -> None:
        """Bring the hardware back to how it was, but for what is plugged in."""
        for undoing in self._undoings():
            await undoing()

    async def undo_what_can_be(self) -> None:
        """The same, as far as it goes: a rig may fail, and a fault may have gone by itself."""
        for undoing in self._undoings():
            with suppress(RigError):
                await undoing()

    def _undoings(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            *([self.restore_link] if self.is_link_cut else []),
            *(partial(self.free_lock, connector) for connector in sorted(self.jammed)),
            *(partial(self.repair_pilot, connector) for connector in sorted(self.shorted)),
            *(partial(self.revive_meter, connector) for connector in sorted(self.silent)),
            *(
                partial(self.clear_fault, error_code, connector)
                for connector, error_code in sorted(self.faults)
            ),
        ]
