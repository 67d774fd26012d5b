"""An FTP server in a process of its own; it tells its port, and ends with its standard input.

``python ftp_server.py FOLDER USER PASSWORD BYTES_PER_SECOND [CERTIFICATE]``: 0 is as fast as it can. With a certificate
it wants explicit TLS for everything.
"""

import logging
import sys
import threading

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
from pyftpdlib.servers import FTPServer


def of_one_session() -> type:
    """Data connections as vsftpd and FileZilla take them by default: none but of who has the control connection."""
    from OpenSSL import SSL
    from pyftpdlib.handlers import TLS_DTPHandler

    class OneSession(TLS_DTPHandler):
        def handle_ssl_established(self) -> None:
            if not SSL._lib.SSL_session_reused(self.socket._ssl):
                self.cmd_channel.respond("522 SSL connection failed: session reuse required")
                self.close()

    return OneSession


def main() -> None:
    folder, user, password, speed, *certificate = sys.argv[1:]
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, folder, perm="elradfmw")
    if certificate:
        from pyftpdlib.handlers import TLS_FTPHandler

        handler = TLS_FTPHandler
        handler.certfile = certificate[0]
        handler.tls_control_required = handler.tls_data_required = True
        handler.get_ssl_context().set_session_id(b"files")
        handler.dtp_handler = of_one_session()
    else:
        handler = FTPHandler
    handler.authorizer = authorizer
    handler.auth_failed_timeout = 0
    if int(speed):
        ThrottledDTPHandler.write_limit = int(speed)
        handler.dtp_handler = ThrottledDTPHandler
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it makes one of its own
    server = FTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.socket.getsockname()[1], flush=True)  # noqa: T201 - how its port is told
    sys.stdin.read()


if __name__ == "__main__":
    main()
