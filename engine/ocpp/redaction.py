"""What of a frame may be written to the log: everything but the password of the station, and what URLs hold of such.

Who logs in stands before the host of a URL; what follows the question mark of where a file is may be a token.
"""

import re
from contextlib import suppress

import msgspec

_KEY_OF_PASSWORD = "authorizationkey"  # noqa: S105 - a name
_VALUE = re.compile(r'("value"\s*:\s*)"(?:\\.|[^"\\])*"')
_CREDENTIALS = re.compile(r"(:\\?/\\?/)(?:[^/\\\s\"]*|[^/\\\s\":@]*:(?!\d*[/\\?#\"])[^\s\"]{0,64})@")
"""Between the scheme of a URL and its host; JSON may write a slash with a backslash. A password with a slash in it is
wrong and a secret all the same: what follows a colon and is no port."""
_QUERY = re.compile(r"(\"location\"\s*:\s*\"[^\"?]*\?)(?:\\.|[^\"\\])+", re.IGNORECASE)


def loggable(text: str) -> str:
    """``text`` less what is secret in a URL, and less every value if it is about configuration key AuthorizationKey.

    A text with secrets behind letters that are spelled as numbers is shown as a receiver reads it.
    """
    if "\\u" in text:
        with suppress(msgspec.DecodeError, RecursionError):
            read = msgspec.json.encode(msgspec.json.decode(text)).decode()
            shown = _less_secrets(read)
            if shown != read:
                return shown
    return _less_secrets(text)


def _less_secrets(text: str) -> str:
    if "@" in text:
        text = _CREDENTIALS.sub(r"\1***@", text)
    if "?" in text:
        text = _QUERY.sub(r"\1***", text)
    if _KEY_OF_PASSWORD not in text.lower():
        return text
    return _VALUE.sub(r'\1"***"', text)
