"""An SFTP server in a process of its own; it tells its port and its public key, and ends with its standard input.

``python sftp_server.py FOLDER USER PASSWORD STALL_AFTER [PUBLIC_KEY]``: USER gets in by the password, or by the key. Of
what is read no more is sent than STALL_AFTER bytes, until the client goes; 0 is everything.
"""

import asyncio
import sys
from pathlib import Path

import asyncssh


class Server(asyncssh.SSHServer):
    """Lets one user in."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._user, self._password)


def files(folder: str, stall_after: int) -> type[asyncssh.SFTPServer]:
    """A server of ``folder``."""

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=folder)

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            if stall_after and offset + size > stall_after:
                await asyncio.Event().wait()
            return super().read(file_obj, offset, size)

    return Files


async def main() -> None:
    folder, user, password, stall_after, *public = sys.argv[1:]
    key = asyncssh.generate_private_key("ssh-ed25519")
    options = {"authorized_client_keys": public[0]} if public else {}
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[key],
        server_factory=lambda: Server(user, password),
        sftp_factory=files(folder, int(stall_after)),
        **options,
    )
    print(listener.get_port(), key.export_public_key().decode().strip(), flush=True)  # noqa: T201 - how it is told
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True)
    asyncio.run(main())
