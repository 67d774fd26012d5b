"""What a service manager is told: that the station is ready, and that it moves (sd_notify(3)).

The watchdog is fed only after a message has gone through the inbox of the charge point and come out, and every driver
has looked after its hardware once more: as long as that goes on, everything that matters does. A station that hangs is
restarted, with its contactors open.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping

import trio

FEEDS_PER_TIME_OUT = 2
"""Half of the time-out, as the manual of sd_watchdog_enabled(3) asks for."""
MICROSECONDS = 1e6


class Notifier:
    """The socket of the service manager.

    Args:
        address: Path, or with @ in front a name without a file.
    """

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def tell(self, **state: str) -> None:
        """Tell ``state``, such as READY="1". Nobody waits: what cannot be told now is told the next time."""
        message = "\n".join(f"{name}={value}" for name, value in state.items())
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError:
            # The manager is restarting, or its queue is full.
            return

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def notifier_of(environment: Mapping[str, str] = os.environ) -> Notifier | None:
    """The socket that the service manager offers; None if it offers none."""
    address = environment.get("NOTIFY_SOCKET", "")
    return Notifier(address) if address.startswith(("/", "@")) else None


def feed_period_s(environment: Mapping[str, str] = os.environ) -> float:
    """How often the watchdog wants to be fed, in s; 0 if there is none, or it is another process's."""
    is_ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    stated = environment.get("WATCHDOG_USEC", "")
    return int(stated) / MICROSECONDS / FEEDS_PER_TIME_OUT if is_ours and stated.isdecimal() else 0.0


async def supervise(
    notifier: Notifier, until_moved: Callable[[], Awaitable[None]], period_s: float, status: Callable[[], str]
) -> None:
    """Tell that the station is ready as soon as it moves, then feed the watchdog as long as it does.

    Args:
        notifier: Whom to tell.
        until_moved: Returns when everything in the station has moved.
        period_s: Between two feeds; 0 is none at all.
        status: What the station does, for people; told when it is another.
    """
    await until_moved()
    told = status()
    notifier.tell(READY="1", STATUS=told)
    while period_s:
        with trio.move_on_after(period_s) as late:
            await until_moved()
        if not late.cancelled_caught:
            before, told = told, status()
            notifier.tell(WATCHDOG="1", **({"STATUS": told} if told != before else {}))
            await trio.sleep(period_s)
