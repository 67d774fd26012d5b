"""What a stimulus does to the charge point in its world, and what it is refused for."""

from engine.bench_stimuli import FAULTS
from engine.conformance import stimuli
from engine.conformance.board import Board, OutOfOrderError
from engine.conformance.enactment import Enactment
from engine.conformance.stimuli import Stimulus
from machines.vocabulary.hardware import PowerFailing, StopPressed, TokenRead
from machines.vocabulary.wire import ConnectionClosed, DataTransferAsked


def give(enactment: Enactment, stimulus: Stimulus) -> None:
    """Give ``stimulus``; what follows from it is still to come.

    Raises:
        OutOfOrderError: The hardware is in no state for it.
    """
    world, now = enactment.world, enactment.world.now
    match stimulus:
        case stimuli.PlugIn(connector=number):
            enactment.report(number, _board(enactment, number).plug_in(now))
        case stimuli.Unplug(connector=number, side=side):
            enactment.report(number, _board(enactment, number).unplug(side, now))
        case stimuli.Pause(connector=number):
            enactment.report(number, _board(enactment, number).pause(now, is_paused=True))
        case stimuli.Resume(connector=number):
            enactment.report(number, _board(enactment, number).pause(now, is_paused=False))
        case stimuli.JamLock(connector=number):
            enactment.report(number, _board(enactment, number).jam(now, is_jammed=True))
        case stimuli.FreeLock(connector=number):
            enactment.report(number, _board(enactment, number).jam(now, is_jammed=False))
        case stimuli.FailPilot(connector=number):
            enactment.report(number, _board(enactment, number).short(now, is_shorted=True))
        case stimuli.RepairPilot(connector=number):
            enactment.report(number, _board(enactment, number).short(now, is_shorted=False))
        case stimuli.RaiseFault(error_code=code, connector=number, info=info):
            enactment.report(number, _board(enactment, number).raise_fault(FAULTS[code], info))
        case stimuli.ClearFault(error_code=code, connector=number):
            enactment.report(number, _board(enactment, number).clear_fault(FAULTS[code]))
        case stimuli.SilenceMeter(silent=silent, connector=number):
            _board(enactment, number).is_silent = silent
        case stimuli.PressStop(connector=number, emergency=is_emergency):
            _refuse_unknown(enactment, number)
            enactment.report(number, [StopPressed(is_emergency)])
        case stimuli.FailPower(connector=number):
            _refuse_unknown(enactment, number)
            enactment.report(number, [PowerFailing()])
        case _:
            _give_to_station(enactment, stimulus)
    if not world.is_powered:
        enactment.local.clear()


def _give_to_station(enactment: Enactment, stimulus: Stimulus) -> None:
    world = enactment.world
    match stimulus:
        case stimuli.Swipe(id_tag=id_tag, connector=number):
            every = enactment.station.readers[0].connectors if enactment.station.readers else ()
            _refuse(not every or number not in (None, *every))
            served = tuple(every) if number is None else (number,)
            enactment.local.append(TokenRead(id_tag, served))
        case stimuli.SendData(vendor_id=vendor_id, message_id=message_id, data=data):
            _refuse(not world.is_powered)
            enactment.local.append(DataTransferAsked(vendor_id, message_id, data))
        case stimuli.CutLink():
            _refuse(not world.is_reachable)
            world.is_reachable = False
            if world.is_open:
                enactment.disconnect()
                enactment.wire.append(ConnectionClosed("the link was cut"))
        case stimuli.RestoreLink():
            _refuse(world.is_reachable)
            world.is_reachable = True
        case stimuli.CutPower(seconds=seconds):
            _refuse(not world.is_powered)
            enactment.disconnect()
            enactment.power_down(seconds)
        case other:
            raise AssertionError(other)


def _board(enactment: Enactment, number: int) -> Board:
    _refuse_unknown(enactment, number)
    boards: tuple[Board, ...] = enactment.world.boards
    return boards[number - 1]


def _refuse_unknown(enactment: Enactment, number: int) -> None:
    _refuse(not 1 <= number <= len(enactment.world.boards))


def _refuse(is_out_of_order: bool) -> None:
    if is_out_of_order:
        raise OutOfOrderError
