import socket

import pytest


@pytest.fixture
def free_tcp_ports():
    """Makes ports that nobody listens on."""

    def find(count):
        with_each = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        ports = [listener.getsockname()[1] for listener in with_each]
        for listener in with_each:
            listener.close()
        return ports

    return find
