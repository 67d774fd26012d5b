"""The words around the contents, in the language of the reader. Clauses, names and decisions stay in English."""

from engine.dossier.german import GERMAN

LANGUAGES = ("en", "de")


class MissingWordError(Exception):
    """There is no German for a text: a defect."""


class Words:
    """Says texts in one language.

    Args:
        language: One of :data:`LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, text: str, **values: object) -> str:
        """``text``, which is English, in the language; ``{name}`` in it stands for a value.

        Raises:
            MissingWordError: It has not been translated.
        """
        if self.language == "de":
            if text not in GERMAN:
                raise MissingWordError(text)
            text = GERMAN[text]
        return text.format(**values) if values else text
