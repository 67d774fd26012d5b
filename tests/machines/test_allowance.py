"""What may still be drawn after a start that was not accepted, by itself: 9.1 MaxEnergyOnInvalidId."""

import pytest

from machines.allowance import ALLOWANCE_TICKET, Allowance, AllowanceData, AllowanceDue
from machines.transaction import STOP_TICKET
from machines.vocabulary.effects import ReadMeter, StartTimer, StopTimer
from machines.vocabulary.hardware import MeterRead, MeterReadFailed, MeterReading
from machines.vocabulary.notices import AllowanceUsed, Deauthorized, LimitsChanged, TransactionEnded
from tests.machines import alone
from tests.machines.alone import STATION, unmoved

NOTHING, UP_TO = AllowanceData(), AllowanceData(1500)
(SOCKET, _) = STATION.settings.connectors
MOST_W = SOCKET.current_max_a * SOCKET.voltage_v * SOCKET.phases
READ = ReadMeter(1, ALLOWANCE_TICKET)
OVER = [StopTimer("allowance"), LimitsChanged(), AllowanceUsed()]
DATA = {"nothing": NOTHING, "measuring": NOTHING, "granted": UP_TO}


def told(state, message, allowed_wh=500):
    return alone.told(Allowance, state, DATA[state], message, keys={"max_energy_on_invalid_id": allowed_wh})


def read(wh, ticket=ALLOWANCE_TICKET):
    return MeterRead(ticket, MeterReading(energy_import_wh=wh))


def due(left_wh):
    return StartTimer("allowance", left_wh * 3600 / MOST_W, AllowanceDue())


def test_the_register_is_read_first():
    assert told("nothing", Deauthorized()) == ("measuring", [READ], NOTHING)


def test_where_nothing_is_allowed_nothing_is_measured_and_the_others_have_what_it_had():
    assert told("nothing", Deauthorized(), allowed_wh=0) == ("nothing", [LimitsChanged()], NOTHING)


def test_it_counts_from_what_the_register_shows():
    assert told("measuring", read(1000)) == ("granted", [due(500)], UP_TO)


def test_the_register_is_read_again_when_it_could_be_used_up():
    assert told("granted", AllowanceDue()) == ("granted", [READ], UP_TO)
    assert told("granted", read(1400)) == ("granted", [due(100)], UP_TO)


def test_a_register_is_not_read_more_than_once_a_second():
    assert told("granted", read(1499)).emitted == [StartTimer("allowance", 1.0, AllowanceDue())]


@pytest.mark.parametrize("wh", [1500, 1600])
def test_when_it_is_used_up_it_is_over(wh):
    assert told("granted", read(wh)) == ("nothing", OVER, NOTHING)


@pytest.mark.parametrize("state", ["measuring", "granted"])
def test_what_cannot_be_counted_is_used_up(state):
    assert told(state, MeterReadFailed(ALLOWANCE_TICKET)) == ("nothing", OVER, NOTHING)


@pytest.mark.parametrize("state", ["measuring", "granted"])
def test_it_ends_with_the_transaction(state):
    assert told(state, TransactionEnded(4)) == ("nothing", [StopTimer("allowance")], NOTHING)


@pytest.mark.parametrize("state", ["nothing", "measuring", "granted"])
@pytest.mark.parametrize("message", [read(9000, STOP_TICKET), MeterReadFailed(STOP_TICKET)])
def test_the_readings_of_others_do_not_count(state, message):
    assert told(state, message) == unmoved(state, DATA[state])


def test_where_nothing_is_allowed_nothing_ends():
    assert told("nothing", TransactionEnded(4)) == unmoved("nothing", NOTHING)
