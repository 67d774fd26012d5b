"""HTTP Basic authentication: OCPP-J 1.6, 6.2, and the security whitepaper."""

from base64 import b64decode
from binascii import Error
from contextlib import suppress

import trio

from engine.conformance.bed import Bed
from engine.conformance.case import Deviation, NotApplicable, case
from engine.conformance.dialogue import LOOK_S
from engine.csms import NotConnectedError
from engine.ocpp.websocket import authorization
from machines.vocabulary.ocpp import ChangeConfiguration

PROFILE = "Security"
DECLARES = '[csms]\nauthorization_key_file = "password"\n'
"""The file holds the key in hexadecimal digits."""
NEW = "0102030405060708090A0B0C0D0E0F10111213"
"""19 bytes, as the case has it."""
FORMS = bytes.fromhex(NEW), NEW.encode()
"""What may be presented: hexadecimal digits for bytes before the security whitepaper, the password itself since."""
RECONNECT_S = 120
SET_BACK_S = 30
"""How long a station may take until it can be given its old password after a case that failed."""
PASSWORD_SIZE_MIN = 16


def credentials(bed: Bed) -> tuple[str, str, bytes]:
    """Identity of the latest connection, user name and password of its Authorization header.

    Raises:
        NotApplicable: It has no such header.
        Deviation: The header is not as it must be.
    """
    identity, header = bed.csms.upgrades[-1]
    if header is None:
        raise NotApplicable("the station connects without Basic authentication")
    kind, _, encoded = header.partition(b" ")
    try:
        user, colon, password = b64decode(encoded, validate=True).partition(b":")
    except Error:
        user, colon, password = b"", b"", b""
    bed.check((kind.lower(), colon), (b"basic", b":"), "kind and separator of the Authorization header")
    return identity, user.decode("utf-8", "replace"), password


async def change_password(bed: Bed, key: str) -> bytes:
    """Set AuthorizationKey; the station connects anew and does not register again. Return what it then presents."""
    before = len(bed.csms.upgrades)
    await bed.ask(ChangeConfiguration(key="AuthorizationKey", value=key), "Accepted")
    await bed.until(lambda: len(bed.csms.upgrades) > before, "a new connection", RECONNECT_S)
    await bed.quiet(10)
    bed.check(len(bed.csms.upgrades), before + 1, "the number of new connections")
    try:
        return credentials(bed)[2]
    except NotApplicable as error:
        raise bed.sequence.deviation(str(error), "the new password") from error


@case("073", PROFILE, declares=DECLARES, lasts_s=25)
async def update_password(bed: Bed) -> None:
    """Update Charge Point Password for HTTP Basic Authentication.

    Accepted; the station reconnects with the new key, and with the old one when that is set back.
    """
    old = credentials(bed)[2]
    try:
        await there_and_back(bed, old)
    except (Deviation, trio.Cancelled):
        await set_back(bed, old)
        raise


async def there_and_back(bed: Bed, old: bytes) -> None:
    """Set the new password, then the old one again."""
    new = await change_password(bed, NEW)
    bed.check(new in FORMS, True, "whether the new password is presented")
    again = await change_password(bed, key_of(old, new))
    bed.check(again, old, "the password after it was set back")


def key_of(password: bytes, new: bytes) -> str:
    """The value of AuthorizationKey for ``password``, for a station that presents ``new`` when it is NEW."""
    return password.decode("utf-8", "replace") if new == NEW.encode() else password.hex().upper()


async def set_back(bed: Bed, old: bytes) -> None:
    """The case ends before its time: leave no station with a password that nobody but the case knows."""
    with trio.CancelScope(shield=True, deadline=trio.current_time() + SET_BACK_S):
        while True:
            identity, header = bed.csms.upgrades[-1]
            for new in FORMS:
                if header == authorization(identity, new):
                    key = key_of(old, new)
                    with suppress(NotConnectedError, trio.TooSlowError):
                        await bed.csms.call(ChangeConfiguration(key="AuthorizationKey", value=key))
                        return
            await trio.sleep(LOOK_S)  # It may be about to connect anew; if it never does, it has the old one.


@case("085", PROFILE, declares=DECLARES, lasts_s=5)
async def basic_authentication(bed: Bed) -> None:
    """Basic Authentication - Valid Username/Password Combination.

    The upgrade request carries the header: the identity of the URL and a key of at least 16 bytes.
    """
    identity, user, password = credentials(bed)
    bed.check(user, identity, "the user name")
    bed.check(len(password) >= PASSWORD_SIZE_MIN, True, "whether the password has 16 bytes or more")
