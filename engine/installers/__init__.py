"""What puts a downloaded file in place as the firmware of the wallbox: a program, RAUC, or nothing at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

OnProgress = Callable[[int], None]
"""Told percent done, 0 to 100."""


class InstallError(Exception):
    """The firmware could not be installed, or is not what runs now. One line, for the log."""


class Installer(Protocol):
    """Installs firmware. The old one stays whole when it fails."""

    async def install(self, file: Path, on_progress: OnProgress) -> None:
        """Install ``file``; what runs does not change before the restart that follows.

        Raises:
            InstallError: It was not installed.
        """

    async def confirm(self, *, is_cut: bool) -> None:
        """After the restart: make sure that the new firmware runs, and keep it.

        Args:
            is_cut: The restart came before the installation was known to have ended: the power was cut, or the
                installer restarted the box by itself.

        Raises:
            InstallError: The old one runs, or the new one is not fit to be kept, or nobody can tell after a cut.
        """
