"""Charging profiles as real back ends send them wrong, to a station that charges: refused, and nothing else happens."""

import json

import pytest
import trio

from engine.csms import NotConnectedError
from machines.vocabulary.ocpp import ChargingRateUnitType, GetCompositeSchedule
from machines.vocabulary.wire import CallError
from tests.lab import Lab
from tests.smart_charging.payloads import payload

START_S = 1_767_225_600
"""When the day of the tests begins."""
LIMIT = json.dumps(payload("default", {0: 10}, id_=1, start_s=START_S))
GOOD = json.dumps(payload("default", {0: 16, 60: 20}, id_=2, start_s=START_S, level=1))
FROM_TO = '"validFrom": "2026-06-02T00:00:00Z", "validTo": "2026-06-01T00:00:00Z", "stackLevel"'
MANY = 3_000
"""As many periods as a frame can hold, about; with more of them it is refused unread."""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def periods(*starts):
    return json.dumps(payload("default", dict.fromkeys(starts, 16), id_=2, start_s=START_S, level=1))


# fmt: off
WRONG = {
    "a negative limit": (changed('"limit": 16', '"limit": -16'), "Rejected"),
    "periods out of order": (periods(0, 120, 60), "Rejected"),
    "periods from the last to the first": (periods(60, 0), "Rejected"),
    "no first period": (periods(60, 120), "Rejected"),
    "no period": (periods(), "Rejected"),
    "validTo before validFrom": (changed('"stackLevel"', FROM_TO), "Rejected"),
    "too many periods": (periods(*range(MANY)), "Rejected"),
    "NaN": (changed('"limit": 16', '"limit": NaN'), "FormationViolation"),
    "Infinity": (changed('"limit": 16', '"limit": Infinity'), "FormationViolation"),
    "a limit that is a text": (changed('"limit": 16', '"limit": "16"'), "TypeConstraintViolation"),
    "a date without a zone": (changed("00Z", "00"), "PropertyConstraintViolation"),
    "a date as Germans write it": (changed("2026-01-01T00:00:00Z", "01.01.2026"), "PropertyConstraintViolation"),
    "a unit that does not exist": (changed('RateUnit": "A"', 'RateUnit": "kW"'), "PropertyConstraintViolation"),
    "a connector that does not exist": (changed('"connectorId": 0', '"connectorId": 9'), "PropertyConstraintViolation"),
}
# fmt: on


@pytest.fixture
async def lab(tmp_path):
    return Lab(tmp_path, "full")


async def install(lab, text):
    """What SetChargingProfile with the payload ``text`` is answered."""
    answer = await lab.csms.call_with("SetChargingProfile", text.encode())
    return answer.code.value if isinstance(answer, CallError) else answer.status.value


async def told(lab):
    unit = ChargingRateUnitType.A
    conf = await lab.csms.call(GetCompositeSchedule(connector_id=1, duration=300, charging_rate_unit=unit))
    return [period.limit for period in conf.charging_schedule.charging_schedule_period]


async def charges_at_10_a(lab):
    state = lab.connector().state()
    return (state.contactor, state.offered_a, await told(lab)) == (True, 10, [10])


async def test_as_it_should_be_it_is_accepted(lab, autojump_clock):
    async with lab.powered():
        await lab.charge()
        assert await install(lab, LIMIT) == "Accepted"
        assert await charges_at_10_a(lab)
        assert await install(lab, GOOD) == "Accepted"
        assert not await charges_at_10_a(lab)


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_one_is_refused_and_the_vehicle_charges_on(lab, autojump_clock, name):
    text, answer = WRONG[name]
    async with lab.powered():
        await lab.charge()
        assert await install(lab, LIMIT) == "Accepted"
        before = lab.statuses()
        assert await install(lab, text) == answer
        await trio.sleep(30)
        assert await charges_at_10_a(lab)
        assert lab.statuses() == before


async def test_a_million_periods_fit_no_frame_and_the_vehicle_charges_on(lab, autojump_clock):
    """The connection is closed, as nothing of so large a frame is kept, and comes back by itself."""
    schedule = payload("default", {0: 16}, id_=2, start_s=START_S, level=1)
    schedule["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"] *= 1_000_000
    async with lab.powered():
        await lab.charge()
        assert await install(lab, LIMIT) == "Accepted"
        before = lab.statuses()
        with pytest.raises(NotConnectedError):
            await install(lab, json.dumps(schedule))
        await trio.sleep(30)
        assert await charges_at_10_a(lab)
        assert lab.statuses() == before
