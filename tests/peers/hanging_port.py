"""A serial port whose opening hangs, as that of a USB adapter may: in the kernel, whatever flags it is opened with.

It is a file in a file system in user space that never answers; whoever opens a file there waits until that file system
is gone. Needs root.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LAZILY = 2

libc = ctypes.CDLL(None, use_errno=True)


def is_possible() -> bool:
    """Whether it can be done here."""
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


class HangingPort:
    """The port.

    Args:
        folder: Where the file system is mounted.
        fuse: What the kernel asks it by.
    """

    def __init__(self, folder: Path, fuse: int) -> None:
        self._fuse = fuse
        self.path = folder / "ttyUSB0"

    def pull(self) -> None:
        """Pull the adapter: whoever waits is told that there is nothing."""
        if self._fuse >= 0:
            os.close(self._fuse)
            self._fuse = -1


@contextmanager
def hanging_port(folder: Path) -> Iterator[HangingPort]:
    """Within it opening the port hangs. ``folder`` is made."""
    folder.mkdir()
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"hanging", bytes(folder), b"fuse", 0, options) != 0:
        os.close(fuse)
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    port = HangingPort(folder, fuse)
    try:
        yield port
    finally:
        port.pull()
        libc.umount2(bytes(folder), LAZILY)
