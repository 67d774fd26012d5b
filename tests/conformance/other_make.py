"""A charge point of another make, as far as a test says what it does: it answers by a table, and sends what it is told.

It shares nothing with our station, so it may do what ours never would, right or wrong. The time is virtual.
"""

import json
from collections import deque
from datetime import timedelta

import trio
from trio.testing import memory_stream_pair
from trio_websocket import ConnectionClosed, wrap_client_stream

from engine.conformance.bed import Bed
from engine.conformance.declared import Declared, Key
from engine.csms import Csms
from engine.ocpp.websocket import authorization
from tests.conformance.laboratory import EPOCH

KEYS = {
    "SupportedFeatureProfiles": Key("Core,SmartCharging,LocalAuthListManagement", is_readonly=True),
    "NumberOfConnectors": Key("1", is_readonly=True),
}
ACCEPTED = {"status": "Accepted"}


class OtherMake:
    """The charge point, its rig, and the Central System that it dials.

    Args:
        nursery: Where it lives.
        tolerance_s: How far times may be off.
    """

    def __init__(self, nursery, *, tolerance_s=1.5):
        began = trio.current_time()
        self.csms = Csms(lambda: EPOCH + timedelta(seconds=trio.current_time() - began))
        self.declared = Declared(keys=KEYS)
        self.answers = {}
        """By action: a payload, a function of the payload that returns one, or the code of a CALLERROR as text."""
        self.reactions = {}
        """By stimulus: an async function that is started when it is given."""
        self.given = []
        """Every stimulus."""
        self.locked = None
        self.password = None
        """What it presents with the next connection."""
        self._nursery = nursery
        self._tolerance_s = tolerance_s
        self._connection = None
        self._socket = None
        self._awaited = {}
        self._ids = iter(())

    def bed(self):
        """A fresh bed for a case."""
        return Bed(self.csms, self, connectors=1, tolerance_s=self._tolerance_s, declared=self.declared)

    # The link

    async def connect(self):
        """Dial."""
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self.csms.serve_stream, theirs)
        self._ids = iter(range(1, 1_000_000))
        self._connection = trio.CancelScope()
        await self._nursery.start(self._listen, ours, self._connection)

    def disconnect(self):
        """Be gone without a word."""
        self._connection.cancel()

    async def _listen(self, stream, connection, task_status):
        with connection:
            async with trio.open_nursery() as nursery:
                headers = (
                    []
                    if self.password is None
                    else [("Authorization", authorization("OTHER-1", self.password))]
                )
                self._socket = await wrap_client_stream(
                    nursery, stream, "csms", "/OTHER-1", subprotocols=["ocpp1.6"], extra_headers=headers
                )
                task_status.started()
                try:
                    while True:
                        await self._take(json.loads(await self._socket.get_message()))
                except ConnectionClosed:
                    nursery.cancel_scope.cancel()

    async def _take(self, frame):
        match frame:
            case [2, call_id, action, payload]:
                answer = self.answers.get(action, ACCEPTED)
                answer = answer(payload) if callable(answer) else answer
                is_error = isinstance(answer, str)
                await self._say([4, call_id, answer, "", {}] if is_error else [3, call_id, answer])
            case [_, call_id, payload, *_]:
                if call_id in self._awaited:
                    self._awaited.pop(call_id)(payload)

    async def _say(self, frame):
        await self._socket.send_message(json.dumps(frame))

    async def tell(self, action, **payload):
        """Send a CALL; return what is answered."""
        call_id = str(next(self._ids))
        answers, ended = deque(), trio.Event()

        def take(answer):
            answers.append(answer)
            ended.set()

        self._awaited[call_id] = take
        await self._say([2, call_id, action, payload])
        await ended.wait()
        return answers[0]

    async def tell_status(self, value, connector=1):
        """Send StatusNotification."""
        await self.tell("StatusNotification", connectorId=connector, errorCode="NoError", status=value)

    async def boot(self, *statuses):
        """Register, and tell every status."""
        await self.tell("BootNotification", chargePointVendor="Other", chargePointModel="Make")
        for number, value in enumerate(statuses):
            await self.tell_status(value, number)

    async def prepare(self):
        """A reaction to PlugIn."""
        await self.tell_status("Preparing")

    async def start(self, id_tag="CARD", **members):
        """Begin a transaction; return its number."""
        answer = await self.tell(
            "StartTransaction", connectorId=1, idTag=id_tag, meterStart=0, timestamp=self.stamp(), **members
        )
        return answer["transactionId"]

    async def stop(self, transaction_id, **members):
        """End it."""
        await self.tell(
            "StopTransaction", transactionId=transaction_id, meterStop=10, timestamp=self.stamp(), **members
        )

    def soon(self, react, *arguments):
        """Let ``react`` be started once what is on its way, such as an answer, is there."""

        async def later():
            await trio.sleep(0.1)
            await react(*arguments)

        self._nursery.start_soon(later)

    def stamp(self):
        """The time of day, as it is sent."""
        return self.csms.now().isoformat().replace("+00:00", "Z")

    # The rig

    def can(self, _kind):
        return True

    async def do(self, stimulus):
        await trio.lowlevel.checkpoint()
        self.given.append(stimulus)
        reaction = self.reactions.get(type(stimulus))
        if reaction is not None:
            self._nursery.start_soon(reaction)

    async def is_locked(self, _connector):
        await trio.lowlevel.checkpoint()
        return self.locked

    async def has_energy(self, _connector):
        await trio.lowlevel.checkpoint()

    register_wh = has_energy
