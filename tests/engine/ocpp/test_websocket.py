"""Dialling: URL, credentials, certificates, and every way in which a server may fail to open it."""

import contextlib
import ssl
import warnings
from functools import partial

import hypothesis
import pytest
import trio
import trio.testing
import trustme
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from trio_websocket import wrap_server_stream

from engine.csms import Csms
from engine.ocpp.link import Link
from engine.ocpp.websocket import HANDSHAKE_SIZE_MAX, Dialling, authorization, connection_url, converse
from machines.vocabulary.wire import ConnectionClosed, ConnectionFailed, ConnectionOpened


@pytest.mark.parametrize(
    ("endpoint", "identity", "url"),
    [
        ("wss://host/ocpp", "WB 7/42", "wss://host/ocpp/WB%207%2F42"),
        ("wss://host/ocpp/", "WB7", "wss://host/ocpp/WB7"),
        ("ws://host", "WB7", "ws://host/WB7"),
        ("ws://host:8080/a/b", "Säule?#%", "ws://host:8080/a/b/S%C3%A4ule%3F%23%25"),
    ],
)
def test_the_identity_is_percent_encoded_behind_the_endpoint(endpoint, identity, url):
    assert connection_url(endpoint, identity) == url


@pytest.mark.parametrize(
    ("identity", "key", "header"),
    [
        (
            "AL1000",
            "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF",
            b"Basic QUwxMDAwOgABAgMEBQYH////////////////",
        ),
        (
            "WB-0042",
            "00112233445566778899AABBCCDDEEFF00112233",
            b"Basic V0ItMDA0MjoAESIzRFVmd4iZqrvM3e7/ABEiMw==",
        ),
    ],
)
def test_the_password_is_sent_as_raw_bytes(identity, key, header):
    assert authorization(identity, bytes.fromhex(key)) == header


@pytest.mark.parametrize("url", ["http://host", "host/ocpp", "ws://", "ws://host/?a=b", "ws://host/#a", ""])
def test_what_is_no_endpoint_is_refused(settings, url):
    with pytest.raises(ValueError, match="allowed is ws:// or wss://"):
        replace(settings, url=url)


async def dial_and_see_the_request(bench, settings):
    """The upgrade request that a server sees."""
    send, receive = trio.open_memory_channel(1)

    async def serve(stream):
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            await send.send(request)
            await request.accept(subprotocol="ocpp1.6")

    bench.serve = serve
    bench.start(settings).dial()
    return await receive.receive()


async def test_the_upgrade_request_offers_ocpp16_at_the_encoded_path(bench, settings, autojump_clock):
    request = await dial_and_see_the_request(bench, replace(settings, identity="WB 7/42"))

    assert request.path == "/ocpp/WB%207%2F42"
    assert request.proposed_subprotocols == ("ocpp1.6",)


async def test_the_upgrade_request_names_host_and_port(bench, settings, autojump_clock):
    send, receive = trio.open_memory_channel(1)

    async def serve(stream):
        await send.send(await stream.receive_some())

    bench.serve = serve
    bench.start(replace(settings, url="ws://central.example:8080/ocpp")).dial()

    assert b"\r\nHost: central.example:8080\r\n" in await receive.receive()


async def test_the_credentials_are_on_the_upgrade_request_and_not_in_the_log(bench, settings, autojump_clock):
    request = await dial_and_see_the_request(bench, replace(settings, password=bytes(20)))

    assert dict(request.headers)[b"authorization"] == authorization("WB-0042", bytes(20))
    assert await bench.next() == ConnectionOpened()
    assert "Basic" not in str(bench.log_lines)


async def test_without_a_password_there_are_no_credentials(bench, settings, autojump_clock):
    request = await dial_and_see_the_request(bench, settings)

    assert b"authorization" not in dict(request.headers)


async def test_a_changed_password_is_used_on_the_next_connection(bench, settings, now, autojump_clock):
    seen = []
    csms = Csms(now, admit=lambda identity, header: seen.append(header) or True)
    bench.serve = csms.serve_stream
    link = bench.start(replace(settings, password=b"old"))
    link.dial()
    await bench.next()
    link.set_password(b"new")
    link.hang_up("the password was changed")
    await bench.next()
    link.dial()
    await bench.next()

    assert seen == [authorization("WB-0042", b"old"), authorization("WB-0042", b"new")]


async def failure(bench, settings, serve) -> str:
    """Why dialling a server that does ``serve`` fails."""
    bench.serve = serve
    bench.start(settings).dial()
    event = await bench.next()
    assert isinstance(event, ConnectionFailed)
    return event.why


async def test_a_server_without_the_subprotocol_is_left(bench, settings, autojump_clock):
    async def serve(stream):
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            await request.accept()

    assert await failure(bench, settings, serve) == "the server did not choose subprotocol ocpp1.6"


def says(answer: bytes, *, then_close: bool = False):
    """A server that gives ``answer`` to whatever it is asked."""

    async def serve(stream):
        await stream.receive_some()
        await stream.send_all(answer)
        if then_close:
            await stream.aclose()
        else:
            await trio.sleep_forever()

    return serve


UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP 404"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", "HTTP 404"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "HTTP 401"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP 200"),
        (UPGRADE + b"Sec-WebSocket-Accept: wrong\r\n\r\n", "Bad accept token"),
        (UPGRADE + b"\r\n", "Bad accept token"),
        (UPGRADE + b"Sec-WebSocket-Protocol: \xff\r\n\r\n", "ascii"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "Missing header"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "Bad HTTP message"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "Bad HTTP message"),
        (b"", "no connection within 10 s"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n" + b"x" * (HANDSHAKE_SIZE_MAX + 1), "answered too much"),
        (b"x" * (HANDSHAKE_SIZE_MAX + 1), "Bad HTTP message"),
    ],
)
async def test_a_server_that_does_not_open_a_websocket_makes_dialling_fail(
    bench, settings, answer, why, autojump_clock
):
    assert why in await failure(bench, settings, says(answer))


@pytest.mark.parametrize("answer", [b"", UPGRADE, b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n"])
async def test_a_server_that_closes_during_the_handshake_is_not_waited_for(
    bench, settings, answer, autojump_clock
):
    why = await failure(bench, settings, says(answer, then_close=True))

    assert (why, trio.current_time()) == ("the server closed the connection", 0)


async def test_a_server_that_reads_nothing_makes_dialling_fail(bench, settings, autojump_clock):
    class Deaf(trio.abc.Stream):
        async def send_all(self, data):
            await trio.sleep_forever()

        async def receive_some(self, max_bytes=None):
            await trio.sleep_forever()

        async def wait_send_all_might_not_block(self):
            await trio.sleep_forever()

        async def aclose(self):
            pass

    async def open_stream(url):
        return Deaf()

    link = bench.start(settings, open_stream)
    link.dial()

    assert isinstance(await bench.next(), ConnectionFailed)
    assert trio.current_time() <= settings.connect_timeout_s


async def test_a_transport_that_cannot_be_opened_makes_dialling_fail(bench, settings, autojump_clock):
    async def open_stream(url):
        raise OSError("no route to host")

    bench.start(settings, open_stream).dial()

    assert await bench.next() == ConnectionFailed("no route to host")


async def test_after_a_failure_the_link_dials_again(bench, settings, csms, autojump_clock):
    serve = bench.serve
    await failure(bench, settings, says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    bench.serve = serve
    bench.link.dial()

    assert await bench.next() == ConnectionOpened()


async def test_hanging_up_ends_dialling(bench, settings, autojump_clock):
    bench.serve = says(b"")
    link = bench.start(settings)
    link.dial()
    await trio.sleep(1)
    link.hang_up("no need")

    assert await bench.next() == ConnectionFailed("no need")
    assert trio.current_time() == 1


PREFIXES = [b"", b"HTTP/1.1 ", b"HTTP/1.1 404 x\r\n", UPGRADE, UPGRADE + b"Sec-WebSocket-Accept: "]


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@given(prefix=st.sampled_from(PREFIXES), rest=st.binary(max_size=100))
def test_whatever_a_server_answers_dialling_ends(settings, prefix, rest):
    async def main():
        with trio.fail_after(60):
            return await converse(dialling(settings), open_stream, talk)

    async def open_stream(url):
        ours, theirs = trio.testing.memory_stream_pair()
        await theirs.send_all(prefix + rest)
        await theirs.send_eof()
        return ours

    async def talk(socket):
        raise AssertionError("that was no handshake")

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) != ""


def dialling(settings) -> Dialling:
    return Dialling(
        url=settings.url,
        identity=settings.identity,
        password=settings.password,
        connect_timeout_s=10,
        send_timeout_s=5,
        frame_size_max=1000,
    )


# Real sockets


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def tls_port(nursery, now, authority):
    """The port of a Central System behind TLS on this machine, with a certificate for ``localhost``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1", https_compatible=True)

    async def serve(stream):
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError:
            return
        await Csms(now).serve_stream(stream)

    nursery.start_soon(partial(trio.serve_listeners, serve, listeners))
    return listeners[0].transport_listener.socket.getsockname()[1]


def write_certificate(authority: trustme.CA, folder):
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


async def dial_tls(bench, settings, host, port, ca_file):
    settings = replace(settings, url=f"wss://{host}:{port}/ocpp", ca_file=ca_file)
    link = Link(settings, bench.report, bench.log)
    bench.nursery.start_soon(link.run)
    link.dial()
    return await bench.next()


async def test_a_server_of_our_authority_is_connected_over_tls(
    bench, settings, tls_port, authority, tmp_path
):
    file = write_certificate(authority, tmp_path)

    assert await dial_tls(bench, settings, "localhost", tls_port, file) == ConnectionOpened()


async def test_a_server_of_another_authority_is_refused(bench, settings, tls_port, tmp_path):
    file = write_certificate(trustme.CA(), tmp_path)

    event = await dial_tls(bench, settings, "localhost", tls_port, file)

    assert isinstance(event, ConnectionFailed)
    assert event.why.startswith("the server's certificate is not valid:")


async def test_a_server_of_another_name_is_refused(bench, settings, tls_port, authority, tmp_path):
    file = write_certificate(authority, tmp_path)

    event = await dial_tls(bench, settings, "127.0.0.1", tls_port, file)

    assert isinstance(event, ConnectionFailed)
    assert "IP address mismatch" in event.why


async def test_a_server_of_tls_1_1_is_refused(bench, settings, authority, tmp_path, nursery):
    file = write_certificate(authority, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")

    async def serve(stream):
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.do_handshake()

    nursery.start_soon(trio.serve_listeners, serve, listeners)
    port = listeners[0].transport_listener.socket.getsockname()[1]

    assert isinstance(await dial_tls(bench, settings, "localhost", port, file), ConnectionFailed)


async def test_a_missing_certificate_file_makes_dialling_fail(bench, settings, tls_port, tmp_path):
    event = await dial_tls(bench, settings, "localhost", tls_port, tmp_path / "none.pem")

    assert isinstance(event, ConnectionFailed)


async def test_a_port_where_nobody_listens_makes_dialling_fail(bench, settings):
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    link = Link(replace(settings, url=f"ws://127.0.0.1:{port}"), bench.report, bench.log)
    bench.nursery.start_soon(link.run)
    link.dial()

    assert isinstance(await bench.next(), ConnectionFailed)


async def test_plain_tcp_connects_to_a_central_system_that_serves_it(bench, settings, nursery, now):
    csms = Csms(now)
    port = await nursery.start(csms.serve_tcp, "127.0.0.1", 0)
    link = Link(replace(settings, url=f"ws://127.0.0.1:{port}/ocpp"), bench.report, bench.log)
    nursery.start_soon(link.run)
    link.dial()

    assert await bench.next() == ConnectionOpened()
    link.hang_up("done")
    assert await bench.next() == ConnectionClosed("done")
