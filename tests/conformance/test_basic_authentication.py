"""HTTP Basic authentication: facts 1.2."""

from base64 import b64decode

from machines.vocabulary.ocpp import ChangeConfiguration

PROFILE = "Security"
OLD = "00112233445566778899AABBCCDDEEFF00112233"
NEW = "0102030405060708090A0B0C0D0E0F10111213"
"""19 bytes, as the case has it."""


def credentials(upgrade):
    """Identity of the connection, user name and password of its Authorization header."""
    identity, header = upgrade
    kind, _, encoded = header.partition(b" ")
    assert kind == b"Basic"
    user, _, password = b64decode(encoded, validate=True).partition(b":")
    return identity, user.decode(), password


async def change_password(bed, key):
    """Set AuthorizationKey; the station connects anew and does not register again."""
    before = len(bed.upgrades)
    assert await bed.status_of(ChangeConfiguration(key="AuthorizationKey", value=key)) == "Accepted"
    await bed.quiet(60)
    assert len(bed.upgrades) == before + 1


async def test_tc_073_update_password(bed, autojump_clock):
    """Update Charge Point Password for HTTP Basic Authentication.

    Accepted; the station reconnects with the new key, and with the old one when that is set back.
    """
    bed.declare(authorization_key=OLD)
    async with bed.powered():
        await change_password(bed, NEW)
        await change_password(bed, OLD)

    assert [credentials(each)[2].hex().upper() for each in bed.upgrades] == [OLD, NEW, OLD]


async def test_tc_085_basic_authentication(bed, autojump_clock):
    """Basic Authentication - Valid Username/Password Combination.

    The upgrade request carries the header: the identity of the URL and a key of at least 16 bytes.
    """
    bed.declare(authorization_key=OLD)
    async with bed.powered():
        pass
    identity, user, password = credentials(bed.upgrades[0])

    assert identity == user == bed.station.csms.identity
    assert len(password) >= 16
    assert password.hex().upper() == OLD
