"""The Central System on the event loop of the test, as with pytest-asyncio: what waits for it waits in a thread."""

import asyncio

from csms import Csms


async def serve_and_charge(statecharge_station):
    csms, listening = Csms(), asyncio.Event()
    serving = asyncio.create_task(csms.run(listening))
    await listening.wait()
    box = statecharge_station(f"ws://127.0.0.1:{csms.port}/ocpp", identity="BOX-2", speed=60)
    await asyncio.to_thread(box.wait_for, "StatusNotification", connectorId=1, status="Available")
    box.plug_in()
    await asyncio.to_thread(box.wait_for, "StatusNotification", connectorId=1, status="Preparing")
    answer = await csms.start_from_afar("BOX-2", "ALICE")
    started = await asyncio.to_thread(box.wait_for, "StartTransaction")
    serving.cancel()
    await asyncio.wait([serving])
    return answer, started


def test_a_session_is_started_from_afar(statecharge_station):
    answer, started = asyncio.run(serve_and_charge(statecharge_station))

    assert answer == "Accepted"
    assert (started.payload["idTag"], started.answer["transactionId"]) == ("ALICE", 1)
