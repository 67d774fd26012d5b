"""URLs of firmware and diagnostics."""

import pytest

from engine.transfers import AddressError, parse


def test_all_parts_are_read():
    found = parse("ftp://us%40er:pa%3Ass@host.example:2121/some%20folder/file.bin")
    assert (found.scheme, found.host, found.port) == ("ftp", "host.example", 2121)
    assert (found.user, found.password) == ("us@er", "pa:ss")
    assert found.path == "/some folder/file.bin"
    assert found.name == "file.bin"


def test_what_is_shown_has_no_secrets():
    found = parse("https://user:secret@host/file.bin?token=secret")
    assert found.shown == "https://host/file.bin"
    assert "secret" not in repr(found)


def test_a_file_within_a_folder():
    assert parse("ftp://host/logs/").within("a.zip").path == "/logs/a.zip"
    assert parse("ftp://host/logs").within("a.zip").path == "/logs/a.zip"
    assert parse("http://host").within("a.zip").path == "/a.zip"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("file:///etc/passwd", "scheme 'file'"),
        ("host/file", "scheme 'missing'"),
        ("ftp:///file", "host is missing"),
        ("http://host:99999/", "not a URL"),
        ("ftp://host/a%0d%0aDELE%20b", "control characters"),
        ("http://host/" + "x" * 3000, "at most 2000"),
    ],
)
def test_what_is_no_usable_url_is_refused(url, problem):
    with pytest.raises(AddressError, match=problem):
        parse(url)


def test_only_declared_schemes_are_taken():
    with pytest.raises(AddressError, match="must be one of ftp"):
        parse("http://host/x", ("ftp",))
