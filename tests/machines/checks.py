"""What must hold in a walk: the invariants of the exploration, and what only a walk can see, the books."""

from machines.model import invariants
from machines.vocabulary.transactions import Began, Ended


def hold(broken):
    """Fail if anything is broken."""
    broken = list(broken)
    assert not broken, broken


class Ledger:
    """Every transaction message in its order: one start, samples, one stop, and energy that never runs backwards."""

    def __init__(self):
        self.began = {}
        self.ended = set()

    def keep(self, message):
        """Take a message that goes into the queue."""
        number = message.local_id
        match message.body:
            case Began(meter_start=start):
                assert number not in self.began, "a transaction started twice"
                self.began[number] = start
            case Ended(meter_stop=stop):
                assert number in self.began, "a stop without a start"
                assert number not in self.ended, "a transaction stopped twice"
                assert stop >= self.began[number], "energy ran backwards"
                self.ended.add(number)
            case _ if number == 0:
                pass  # a clock-aligned value outside of any transaction
            case _:
                assert number in self.began, "a sample without a start"
                assert number not in self.ended, "a sample after the stop"


def check_sending(world, request):
    """What is said before acceptance."""
    registration = world.charge_point.machines["registration"].state
    is_asked_for = type(request).__name__ in world.triggered
    hold(invariants.broken_by_call(registration, request, is_triggered=is_asked_for))


def check_delivery(world, number):
    """The order of transaction messages."""
    registration = world.charge_point.machines["registration"].state
    hold(invariants.broken_by_delivery(registration, number, world.messages.values()))


def check_step(world, arrival, step, before):
    """What must hold after every step; ``before`` are the facts of each connector before it."""
    charge_point, now = world.charge_point, world.now()
    hold(invariants.broken_by_answers(arrival, step.effects))
    hold(invariants.broken_by_states(charge_point, world.numbers, now))
    timers = ((owner, timer.message) for (owner, _), timer in world.timers.items())
    hold(invariants.broken_by_timers(charge_point, timers))
    for number in world.numbers:
        statuses = invariants.statuses_in(step.taken, number)
        hold(invariants.broken_by_statuses([world.shown.get(number), *statuses]))
        if statuses:
            world.shown[number] = statuses[-1]
        hold(invariants.broken_by_admission(before[number], charge_point.view(number, now)))
    _check_reservations(world)
    assert charge_point.machines["delivery"].data.size == len(world.messages)


def _check_reservations(world):
    machines = world.charge_point.machines
    for number in world.numbers:
        is_reserved = machines[f"reservation/{number}"].state == "held"
        if is_reserved:
            assert machines[f"connector/{number}"].state not in {"Available", "Unavailable"}
            assert (
                machines[f"fault/{number}"].state != "faulted"
                or world.station.settings.reservations_outlast_faults
            )
            assert (f"reservation/{number}", "expiry") in world.timers
        assert is_reserved or machines[f"connector/{number}"].state != "Reserved"
    held = [one for name, one in machines.items() if "reservation/" in name and one.state == "held"]
    assert len({one.data.reservation_id for one in held}) == len(held), "one reservation in two places"
