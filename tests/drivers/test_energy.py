"""The energy register that is reported: it never runs backwards, and never jumps."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.energy import STEP_MAX_WH, EnergyRegister

POWER_W = 22_000.0


def taken(register: EnergyRegister, *readings: tuple[float, float]) -> list[int | None]:
    """What is shown for readings at instants."""
    return [register.take(read_wh, now).energy_wh for now, read_wh in readings]


def test_what_the_meter_reads_is_shown_in_whole_wh():
    assert taken(EnergyRegister(POWER_W), (0, 1000.9), (10, 1012.4)) == [1000, 1012]


def test_a_single_wrong_reading_is_not_used():
    assert taken(EnergyRegister(POWER_W), (0, 5000), (10, 12), (20, 5010)) == [5000, None, 5010]


def test_a_meter_that_was_reset_is_counted_on():
    assert taken(EnergyRegister(POWER_W), (0, 5000), (10, 0), (20, 30), (30, 60)) == [5000, None, 5030, 5060]


def test_a_meter_that_was_replaced_by_one_with_more_is_counted_on():
    shown = taken(EnergyRegister(POWER_W), (0, 5000), (10, 900_000), (20, 900_020))
    assert shown == [5000, None, 5020]


def test_a_register_that_begins_again_is_counted_on_without_loss():
    register = EnergyRegister(POWER_W, modulus_wh=1_000_000)
    assert taken(register, (0, 999_990), (10, 5), (20, 25)) == [999_990, 1_000_005, 1_000_025]


def test_a_register_that_begins_again_where_it_may_is_told_once():
    register = EnergyRegister(POWER_W, modulus_wh=1_000_000)
    register.take(999_990, 0)
    assert register.take(5, 10).note == "register went over from 999990 to 5 Wh"
    assert register.take(25, 20).note == ""


def test_a_register_is_reset_where_it_cannot_have_begun_again():
    register = EnergyRegister(POWER_W, modulus_wh=1_000_000)
    assert taken(register, (0, 5000), (10, 0), (20, 30)) == [5000, None, 5030]


def test_one_that_is_known_to_be_the_same_was_reset_and_not_replaced():
    register = EnergyRegister(POWER_W)
    register.take(5000, 0)
    register.take(0, 10)
    assert register.take(10, 20, is_same=True).note == "register went from 5000 to 10 Wh: reset"


def test_what_flowed_during_a_long_silence_is_shown():
    assert taken(EnergyRegister(POWER_W), (0, 5000), (3600, 26_000)) == [5000, 26_000]


def test_whatever_is_wrong_is_told():
    register = EnergyRegister(POWER_W)
    notes = [register.take(*reading).note for reading in [(5000, 0), (0, 10), (10, 20), (20, 30)]]
    assert notes == [
        "",
        "register went from 5000 to 0 Wh",
        "register went from 5000 to 10 Wh: replaced or reset",
        "",
    ]


def test_another_meter_is_counted_on_at_once_whatever_it_reads():
    register = EnergyRegister(POWER_W)
    register.take(5000, 0)
    assert register.take(5001, 10, is_other=True).energy_wh == 5000
    assert register.take(5011, 20).energy_wh == 5010


def test_what_is_shown_goes_on_after_a_restart():
    before, after = EnergyRegister(POWER_W), EnergyRegister(POWER_W)
    taken(before, (0, 5000), (10, 0), (20, 30))
    after.resume(*before.base, at=100)
    assert taken(after, (100, 40), (110, 60)) == [5040, 5060]


def test_the_same_meter_has_counted_what_it_has_counted_while_nobody_looked():
    """A wallbox without a clock of its own does not know how long it was off."""
    register = EnergyRegister(POWER_W)
    register.resume(5000, 100, at=0)
    assert register.take(25_000, 0, is_same=True).energy_wh == 25_100
    assert register.take(45_000, 10, is_same=True).energy_wh is None


def test_the_same_meter_that_reads_less_was_reset():
    register = EnergyRegister(POWER_W)
    register.resume(5000, 0, at=0)
    assert register.take(10, 0, is_same=True).energy_wh is None
    assert register.take(12, 10, is_same=True).energy_wh == 5002


def test_a_meter_that_was_replaced_before_the_restart_is_counted_on():
    register = EnergyRegister(POWER_W)
    register.resume(5000, 0, at=0)
    assert taken(register, (10, 7), (20, 20)) == [None, 5013]


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 1e9)), max_size=40))
def test_it_never_runs_backwards_and_never_gains_more_than_can_flow(steps):
    register, now, shown, shown_at = EnergyRegister(POWER_W), 0.0, None, 0.0
    for passed_s, read_wh in steps:
        now += passed_s
        energy_wh = register.take(read_wh, now).energy_wh
        if energy_wh is not None and shown is not None:
            most_wh = POWER_W * (now - shown_at) / 3600 + STEP_MAX_WH + 1
            assert 0 <= energy_wh - shown <= most_wh
        if energy_wh is not None:
            shown, shown_at = energy_wh, now
