"""Write the database of a day for this version."""

import sqlite3
import tempfile
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import trio
from trio.testing import MockClock

from engine.store import FILE
from machines.vocabulary import ocpp
from tests.lab import EPOCH, Lab

FOLDER = Path(__file__).parent


async def day(directory: Path) -> None:
    """A station with two connectors; the first charges without a connection when the power goes."""
    lab = Lab(directory, "full")
    async with lab.powered():
        entry = ocpp.AuthorizationData(
            id_tag="LISTED", id_tag_info=ocpp.IdTagInfo(status=ocpp.AuthorizationStatus.ACCEPTED)
        )
        profile = ocpp.ChargingProfile(
            charging_profile_id=5,
            stack_level=0,
            charging_profile_purpose=ocpp.ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE,
            charging_profile_kind=ocpp.ChargingProfileKindType.ABSOLUTE,
            charging_schedule=ocpp.ChargingSchedule(
                charging_rate_unit=ocpp.ChargingRateUnitType.A,
                start_schedule=EPOCH,
                charging_schedule_period=(ocpp.ChargingSchedulePeriod(start_period=0, limit=20.0),),
            ),
        )
        for request in (
            ocpp.SendLocalList(
                list_version=3, update_type=ocpp.UpdateType.FULL, local_authorization_list=(entry,)
            ),
            ocpp.ChangeConfiguration(key="MeterValueSampleInterval", value="300"),
            ocpp.SetChargingProfile(connector_id=0, cs_charging_profiles=profile),
            ocpp.ReserveNow(
                connector_id=2, expiry_date=EPOCH + timedelta(days=9), id_tag="HOLDER", reservation_id=4
            ),
            ocpp.UpdateFirmware(location="http://files/firmware", retrieve_date=EPOCH + timedelta(days=9)),
        ):
            await lab.csms.call(request)
        await lab.charge("KNOWN")
        await trio.sleep(1800)
        lab.swipe("KNOWN", (1,))
        await lab.until("StopTransaction")
        lab.connector().unplug()
        lab.cut_link()
        await trio.sleep(60)
        lab.connector().plug_in()
        await trio.sleep(1)
        lab.swipe("LISTED", (1,))
        await trio.sleep(3600)


def main() -> None:
    """Write it, unless it is there."""
    target = FOLDER / f"{version('statecharge')}.sql"
    if target.exists():
        raise SystemExit(f"{target}: was written when this version was released")
    with tempfile.TemporaryDirectory() as scratch:
        trio.run(day, Path(scratch), clock=MockClock(autojump_threshold=0))
        database = sqlite3.connect(Path(scratch) / FILE)
        (schema_version,) = database.execute("PRAGMA user_version").fetchone()
        lines = [*database.iterdump(), f"PRAGMA user_version = {schema_version};"]
        database.close()
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
