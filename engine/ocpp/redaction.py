"""What of a frame may be written to the log: everything but the password of the station."""

import re

_PASSWORD_KEY = re.compile("authorizationkey", re.IGNORECASE)
_VALUE = re.compile(r'("value"\s*:\s*)"(?:\\.|[^"\\])*"')


def loggable(text: str) -> str:
    """``text``, less every value if it is about configuration key AuthorizationKey."""
    if _PASSWORD_KEY.search(text) is None:
        return text
    return _VALUE.sub(r'\1"***"', text)
