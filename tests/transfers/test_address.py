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
    ("path", "asked"),
    [
        ("/o/firmware%2Fv1.bin", "/o/firmware%2Fv1.bin"),
        ("/a+b=c,d;e@f:g!(h)~/x%20y%25z.bin", "/a+b=c,d;e@f:g!(h)~/x%20y%25z.bin"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/caf\u00e9 1", "/caf%C3%A9%201"),
        ("/100%.bin", "/100%25.bin"),
        ("", "/"),
    ],
)
def test_a_path_is_asked_for_as_it_is_written(path, asked):
    """Object stores have file names with slashes in them, written %2F: without it that is another file."""
    address = parse(f"https://host{path}?alt=media")
    assert address.url == f"https://host{asked}?alt=media"
    assert address.shown == f"https://host{asked}"
    assert address.beside(".sha256").url == f"https://host{asked}.sha256?alt=media"


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


@pytest.mark.parametrize(
    "url", ["ftp://maker:s3cret/x@host/fw", "ftp://maker:s3cret?x@host/fw", "ftp://maker:s3cret@h\u2100/fw"]
)
def test_what_is_no_usable_url_is_told_without_its_password(url):
    """It goes into the log, and with the diagnostics to somebody else."""
    with pytest.raises(AddressError) as caught:
        parse(url)
    assert "s3cret" not in str(caught.value)


def test_only_declared_schemes_are_taken():
    with pytest.raises(AddressError, match="must be one of ftp"):
        parse("http://host/x", ("ftp",))
