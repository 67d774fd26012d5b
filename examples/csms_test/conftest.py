"""The Central System under test, on an event loop in a thread of its own."""

import asyncio
import threading

import pytest
from csms import Csms


class Served:
    """A running Central System."""

    def __init__(self):
        self.csms = Csms()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._is_listening = threading.Event()
        self._thread.start()
        self._is_listening.wait()

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.csms.port}/ocpp"

    def do(self, coroutine):
        """Run a coroutine on the loop of the Central System; return what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    def stop(self):
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        listening = asyncio.Event()
        self._serving = asyncio.create_task(self.csms.run(listening))
        await listening.wait()
        self._is_listening.set()
        await asyncio.wait([self._serving])


@pytest.fixture
def served():
    running = Served()
    yield running
    running.stop()
