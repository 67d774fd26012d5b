"""What of a frame may be written to the log: everything but the password of the station, and what URLs hold of such.

Who logs in stands before the host of a URL; what follows the question mark of where a file is may be a token.
"""

import re
from contextlib import suppress

import msgspec

_KEY_OF_PASSWORD = "authorizationkey"  # noqa: S105 - a name
_VALUE = re.compile(r'("value"\s*:\s*)"(?:\\.|[^"\\])*"')
_CREDENTIALS = re.compile(r"(:\\?/\\?/)[^/\\\s\"]*@")
"""Between the scheme of a URL and its host; JSON may write a slash with a backslash."""
_QUERY = re.compile(r"(\"location\"\s*:\s*\"[^\"?]*\?)(?:\\.|[^\"\\])+", re.IGNORECASE)


def loggable(text: str) -> str:
    """``text`` less what is secret in a URL, and less every value if it is about configuration key AuthorizationKey."""
    if "\\u" in text:
        # Letters that are spelled as numbers: what they hide is looked for in what a receiver reads.
        with suppress(msgspec.DecodeError, RecursionError):
            text = msgspec.json.encode(msgspec.json.decode(text)).decode()
    if "@" in text:
        text = _CREDENTIALS.sub(r"\1***@", text)
    if "?" in text:
        text = _QUERY.sub(r"\1***", text)
    if _KEY_OF_PASSWORD not in text.lower():
        return text
    return _VALUE.sub(r'\1"***"', text)
