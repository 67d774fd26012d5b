"""The station that acts a script: its hardware is simulated in this process and moved by stimuli.

Its Central System is real, and somewhere on the network. It runs on the clock of the Trio run that it is in: real
time, a faster one (``engine.speed``), or a virtual one.
"""

from pathlib import Path

import trio
from msgspec.structs import replace

from drivers.simulated import SimulatedConnector, SimulationError
from engine.bench_stimuli import FAULTS
from engine.conformance.rig import CannotError, RigError
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
from engine.declaration.station import Station
from engine.devices import Devices, devices_of
from engine.ocpp.websocket import OpenStream
from engine.process import StationProcess, simulated_connectors, simulated_reader
from engine.run import RunningStation
from engine.store import Store
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.wire import DataTransferAsked


class Actor:
    """Implements ``engine.conformance.rig.Rig``, for the station that :meth:`run` runs.

    Args:
        station: As declared, with simulated hardware.
        state: Directory of its database.
        seed: Of the random parts of waiting times.
        open_stream: How the transport to the Central System is opened; default TCP or TLS.
        commit_in_thread: See ``engine.owner.Owner``.

    Raises:
        DeviceError, NoSimulationError: Its hardware cannot be simulated.
    """

    def __init__(
        self,
        station: Station,
        state: Path,
        seed: int,
        *,
        open_stream: OpenStream | None = None,
        commit_in_thread: bool = True,
    ) -> None:
        # Frames are what a transcript is made of.
        self.station = replace(station, log=replace(station.log, frames=True))
        self._state = state
        self._seed = seed
        self._open_stream = open_stream
        self._commit_in_thread = commit_in_thread
        self._devices = devices_of(station)
        self._connectors = simulated_connectors(self._devices)
        self._reader = simulated_reader(self._devices)
        self._process: StationProcess | None = None

    async def run(self) -> None:
        """Run the station until cancelled, and again after every power cut.

        Raises:
            StoreError: Its database cannot be used.
        """
        store = Store(self._state)
        try:
            self._process = StationProcess(self.station, self._devices, store, self._begin)
            await self._process.run()
        except trio.Cancelled:
            store.mark_clean()
            raise
        finally:
            self._process = None
            store.close()

    def _begin(self, station: Station, devices: Devices, store: Store) -> RunningStation:
        return RunningStation(
            station,
            devices,
            store,
            open_stream=self._open_stream,
            commit_in_thread=self._commit_in_thread,
            seed=self._seed,
        )

    # The rig

    def can(self, kind: type[Stimulus]) -> bool:  # noqa: ARG002 - whichever it is
        """Everything."""
        return True

    async def do(self, stimulus: Stimulus) -> None:
        """Give ``stimulus``; of CutPower, return at once.

        Raises:
            RigError: It cannot happen now, as plugging in twice.
            CannotError: It can never happen to this station.
        """
        try:
            match stimulus:
                case CutPower(seconds=seconds):
                    self._running().go_dark(seconds)
                case CutLink() | RestoreLink():
                    self._running().set_link(isinstance(stimulus, RestoreLink))
                case SendData(vendor_id=vendor_id, message_id=message_id, data=data):
                    await self._running().send_data(DataTransferAsked(vendor_id, message_id, data))
                case Swipe(id_tag=id_tag, connector=number):
                    self._reader.swipe(id_tag, None if number is None else (number,))
                case _:
                    _move(self._connector(getattr(stimulus, "connector", 1)), stimulus)
        except SimulationError as error:
            raise RigError(str(error)) from error

    async def is_locked(self, connector: int) -> bool | None:
        """The position of the simulated lock."""
        return self._connector(connector).state().locked

    async def has_energy(self, connector: int) -> bool | None:
        """The feedback of the simulated contactor."""
        return self._connector(connector).state().contactor

    async def register_wh(self, connector: int) -> float | None:
        """What the simulated meter shows."""
        return self._connector(connector).register_wh

    def power_w(self, connector: int) -> float:
        """What the vehicle draws.

        Raises:
            CannotError: There is no such connector.
        """
        return self._connector(connector).state().power_w

    def _connector(self, number: int) -> SimulatedConnector:
        if number not in self._connectors:
            numbers = ", ".join(map(str, self._connectors))
            raise CannotError(f"connector {number}: the station has {numbers}")
        return self._connectors[number]

    def _running(self) -> StationProcess:
        assert self._process is not None, "the station is not run"
        return self._process


def _move(connector: SimulatedConnector, stimulus: Stimulus) -> None:
    """Give a stimulus that is about one connector."""
    match stimulus:
        case PlugIn():
            connector.plug_in()
        case Unplug(side=side):
            connector.unplug(side)
        case Pause():
            connector.pause()
        case Resume():
            connector.resume()
        case PressStop(emergency=is_emergency):
            connector.press_stop(is_emergency=is_emergency)
        case RaiseFault(error_code=code, info=info):
            connector.raise_fault(_fault(code), info)
        case ClearFault(error_code=code):
            connector.clear_fault(_fault(code))
        case JamLock():
            connector.lock_failure()
        case FreeLock():
            connector.lock_repair()
        case FailPilot():
            connector.pilot_failure()
        case RepairPilot():
            connector.pilot_repair()
        case SilenceMeter(silent=is_silent):
            connector.meter_silence(is_silent)
        case FailPower():
            connector.fail_power()
        case _:
            raise CannotError(f"{stimulus} cannot be simulated")


def _fault(code: str) -> HardwareFault:
    if code not in FAULTS:
        raise CannotError(f"errorCode {code}: a board has one of {', '.join(FAULTS)}")
    return FAULTS[code]
