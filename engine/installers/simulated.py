"""An installer for stations without anything to install: it reads the file, and is done."""

from pathlib import Path

import trio
import trio.lowlevel

from engine.installers import InstallError, OnProgress

MARK = b"BROKEN"
"""A file that begins so cannot be installed, so that a test of a Central System can see that too."""
DURATION_S = 5.0
STEPS = 10


class SimulatedInstaller:
    """Takes any file but one that begins with :data:`MARK`."""

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """See :class:`engine.installers.Installer`."""
        try:
            # The beginning says it all; a file may be of any size. One read of a few bytes waits for nobody.
            with file.open("rb") as opened:
                begin = opened.read(len(MARK))
        except OSError as error:
            raise InstallError(f"{file.name}: {error.strerror}") from error
        for step in range(STEPS):
            on_progress(100 * step // STEPS)
            await trio.sleep(DURATION_S / STEPS)
        if begin == MARK:
            raise InstallError(f"{file.name}: not a firmware")
        on_progress(100)

    async def confirm(self, *, is_cut: bool) -> None:
        """See :class:`engine.installers.Installer`; whatever was installed to the end runs."""
        await trio.lowlevel.checkpoint()
        if is_cut:
            raise InstallError("the installation was cut off")
