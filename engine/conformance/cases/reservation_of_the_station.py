"""Reservations of the whole charge point: OCPP 1.6, 5.13 with connectorId 0."""

from datetime import timedelta

from engine.conformance.bed import Bed
from engine.conformance.case import EACH, NotApplicable, case, cases
from engine.conformance.cases.reservation import OVER_VOLTAGE, PROFILE, RESERVED
from engine.conformance.sequence import message, status
from engine.conformance.stimuli import PlugIn, RaiseFault, Swipe
from machines.vocabulary.ocpp import AvailabilityType, ChangeAvailability, ReserveNow

KEY = "ReserveConnectorZeroSupported"
SUPPORTED = {KEY: "true"}
NOT_SUPPORTED = f"[keys]\n{KEY} = {{ default = false }}\n"

ONE_CONNECTOR = """
[[connectors]]
number = 1
cable = "socket"
has_lock = true
current_max_a = 32
current_min_a = 6
phases = 3
voltage_v = 230
driver = "simulated"
[[readers]]
driver = "simulated"
connectors = [1]
[keys]
ConnectorPhaseRotation = { default = ["0.RST", "1.RST"] }
"""


def reserve_now(bed: Bed) -> ReserveNow:
    """A request to keep a connector, any, for HOLDER."""
    expiry = bed.now() + timedelta(hours=1)
    return ReserveNow(connector_id=0, expiry_date=expiry, id_tag="HOLDER", reservation_id=RESERVED)


@case(
    "049",
    PROFILE,
    needs=(PlugIn, Swipe),
    cards=("FOREIGN", "HOLDER"),
    keys=SUPPORTED,
    declares=ONE_CONNECTOR,
    lasts_s=20,
)
async def transaction(bed: Bed) -> None:
    """Reservation of a Charge Point - Transaction.

    With one connector that shows Reserved; only the reserved idTag charges, with the reservationId.
    """
    if bed.connectors > 1:
        raise NotApplicable("the station has more than one connector, so none of them has to show Reserved")
    await bed.ask(reserve_now(bed), "Accepted")
    await bed.expect(status("Reserved"))
    await bed.swipe("FOREIGN")
    await bed.quiet(10)
    await bed.swipe("HOLDER")
    await bed.expect(status("Preparing"), optional=[message("Authorize", idTag="HOLDER")])
    await bed.plug_in()
    await bed.begin("HOLDER", reservationId=RESERVED)


@case("050_1", PROFILE, needs=(RaiseFault,), keys=SUPPORTED, lasts_s=5)
async def faulted(bed: Bed) -> None:
    """Reservation of a Charge Point - Faulted.

    No connector but faulted ones: Faulted.
    """
    for connector in bed.every:
        await bed.raise_fault(OVER_VOLTAGE, connector)
        await bed.expect(status("Faulted", connector, "OverVoltage"))
    await bed.ask(reserve_now(bed), "Faulted")


@cases(
    "050_2",
    PROFILE,
    {"preparing": False, "charging": True},
    needs=(PlugIn, Swipe),
    cards=(EACH,),
    keys=SUPPORTED,
)
async def occupied(bed: Bed, is_charging: bool) -> None:
    """Reservation of a Charge Point - Occupied.

    No connector but those in use: Occupied.
    """
    for connector in bed.every:
        if is_charging:
            await bed.charge(f"CARD-{connector}", connector)
        else:
            await bed.plug_in(connector)
            await bed.expect(status("Preparing", connector))
    await bed.ask(reserve_now(bed), "Occupied")


@case("050_3", PROFILE, keys=SUPPORTED, lasts_s=5)
async def unavailable(bed: Bed) -> None:
    """Reservation of a Charge Point - Unavailable.

    The charge point is out of service: Unavailable.
    """
    await bed.ask(ChangeAvailability(connector_id=0, type=AvailabilityType.INOPERATIVE), "Accepted")
    await bed.expect(*(status("Unavailable", connector) for connector in (0, *bed.every)))
    await bed.ask(reserve_now(bed), "Unavailable")


@case("050_4", PROFILE, declares=NOT_SUPPORTED, lasts_s=5)
async def rejected(bed: Bed) -> None:
    """Reservation of a Charge Point - Rejected.

    ReserveConnectorZeroSupported is false, or not there: Rejected.
    """
    key = bed.declared.key(KEY)
    if key is not None and (key.value or "").casefold() != "false":
        raise NotApplicable("the station supports reservations of connector 0")
    await bed.ask(reserve_now(bed), "Rejected")
