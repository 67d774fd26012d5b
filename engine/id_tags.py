"""Names for idTags: whoever plays a Central System may speak of ``CARD`` where the wire says ``04A1B2C3D4``."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

MEMBERS = frozenset({"idTag", "parentIdTag"})
"""The members of payloads that are idTags, wherever they stand."""
ID_TAG_SIZE_MAX = 20
"""Characters of an idTag (CiString20Type)."""

Frame = str | bytes
"""A frame of OCPP-J, as it comes or goes."""


class IdTagNames:
    """Names for some idTags; every other idTag is called what it is.

    Args:
        id_tags: The idTag of each name. No two of them are the same to OCPP, which takes no account of case.
    """

    def __init__(self, id_tags: Mapping[str, str] = MappingProxyType({})) -> None:
        self._id_tags = dict(id_tags)
        self._names = {id_tag.casefold(): name for name, id_tag in self._id_tags.items()}
        assert len(self._names) == len(self._id_tags), id_tags
        self._taken = {name.casefold() for name in self._id_tags}

    def id_tag(self, name: str) -> str:
        """What is on the wire for ``name``."""
        return self._id_tags.get(name, name)

    def name(self, id_tag: str) -> str:
        """What ``id_tag`` is called, in whatever case it is written.

        One that happens to read like a name that has another idTag gets a question mark: it is not meant by the name.
        """
        folded = id_tag.casefold()
        if folded in self._names:
            return self._names[folded]
        return f"?{id_tag}"[:ID_TAG_SIZE_MAX] if folded in self._taken else id_tag

    def heard(self, value: Any) -> Any:
        """``value``, decoded JSON of the wire, with names."""
        return mapped(value, self.name)

    def said(self, value: Any) -> Any:
        """``value``, decoded JSON with names, as on the wire."""
        return mapped(value, self.id_tag)

    def frame_heard(self, frame: Frame) -> Frame:
        """A frame of the wire with names; the same object where that says nothing else, or it is no JSON."""
        return self._frame(frame, self.heard)

    def frame_said(self, frame: str) -> str:
        """A frame with names as on the wire; the same object where that says nothing else, or it is no JSON."""
        said = self._frame(frame, self.said)
        assert isinstance(said, str)
        return said

    def _frame(self, frame: Frame, change: Callable[[Any], Any]) -> Frame:
        if not self._id_tags:
            return frame
        try:
            elements = msgspec.json.decode(frame)
            changed = change(elements)
            # What need not be changed stays as it is, to the byte, as wrong as a test may want it.
            return frame if changed == elements else msgspec.json.encode(changed).decode()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return frame


NO_NAMES = IdTagNames()
"""Every idTag is called what it is."""


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """``value``, decoded JSON, with every idTag in it changed."""
    match value:
        case dict():
            return {
                name: change(member)
                if name in MEMBERS and isinstance(member, str)
                else mapped(member, change)
                for name, member in value.items()
            }
        case list() | tuple():
            return [mapped(member, change) for member in value]
        case _:
            return value
