"""The Central System of these tests reads all that a station sends before it closes."""

import json

from trio_websocket import open_websocket_url

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def test_an_answer_just_before_the_end_is_told_of(csms, nursery):
    """The peer may not be done with an earlier CALL; it can't answer that one any more."""

    async def answer_and_close():
        async with open_websocket_url(f"{csms.url}/X", subprotocols=["ocpp1.6"]) as socket:
            _, call_id, *_ = json.loads(await socket.get_message())
            for number in range(5):
                await socket.send_message(json.dumps([2, str(number), "StatusNotification", STATUS]))
            await socket.send_message(json.dumps([3, call_id, {"status": "Accepted"}]))

    nursery.start_soon(answer_and_close)
    await csms.until("connected")
    assert await csms.call("Reset", type="Soft") == {"status": "Accepted"}
    await csms.until("disconnected")
    assert len(csms.calls("StatusNotification")) == 5
