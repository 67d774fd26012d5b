"""One case on one station: whether it applies, what it needs, the case itself, and silence after it."""

from engine.conformance.bed import HEARTBEAT_S, Bed
from engine.conformance.cards import missing, shown_by
from engine.conformance.case import Case, NotApplicable
from engine.conformance.rig import CannotError

SETTLING_S = 3
"""How long after the end of a case nothing unexpected may come either."""

QUIET_KEYS = {
    "MeterValueSampleInterval": ("0", "MeterValues"),
    "ClockAlignedDataInterval": ("0", "MeterValues"),
    "HeartbeatInterval": (str(HEARTBEAT_S), "Heartbeat"),
}
"""Keys that keep a station from sending unasked, with what it sends if it does not take the value."""


async def attempt(case: Case, bed: Bed) -> None:
    """Run ``case`` on a station at rest.

    Args:
        case: The case.
        bed: A fresh one. Bring the station to rest with it afterwards, whatever came of the case.

    Raises:
        NotApplicable: The station or the rig lacks what the case needs.
        Deviation: The station did other than the case says.
        RigError: A stimulus could not be given.
    """
    check_applicable(case, bed)
    for key, (value, action) in QUIET_KEYS.items():
        bed.sequence.pass_over()
        if await bed.prefer(**{key: value}):
            bed.sequence.ignored.add(action)
    bed.sequence.pass_over()
    await bed.configure(**case.keys)
    try:
        await case.run(bed)
    except CannotError as error:
        raise NotApplicable(str(error)) from error
    await bed.quiet(SETTLING_S)
    bed.sequence.check_form()
    check_energy(bed)


def check_energy(bed: Bed) -> None:
    """Whatever a case is about, no meter may run backwards.

    Raises:
        Deviation: A transaction that was stopped during the case has given less than nothing.
    """
    for number, transaction in bed.csms.ledger.items():
        if transaction.energy_wh is not None and bed.told_stop(number) is not None:
            is_positive = transaction.energy_wh >= 0
            bed.check(is_positive, True, f"whether meterStop of transaction {number} is at least meterStart")


def check_applicable(case: Case, bed: Bed) -> None:
    """Find out without the station whether ``case`` can be run.

    Raises:
        NotApplicable: It cannot.
    """
    for kind in case.needs:
        if not bed.can(kind):
            raise NotApplicable(f"the rig has no stimulus {kind.__struct_config__.tag}")
    if bed.declared.cards:
        for card in shown_by(case, bed.connectors):
            if card not in bed.declared.cards:
                raise NotApplicable(missing(card))
    if case.profile == "Security":
        return  # It is no profile that could be announced (security whitepaper).
    is_announced = case.profile in bed.declared.profiles
    if is_announced is not case.is_announced:
        does = "announces" if is_announced else "does not announce"
        raise NotApplicable(f"the station {does} the profile {case.profile}")
