"""What can go wrong when pictures are asked for."""


class DiagramError(Exception):
    """The pictures cannot be made; the text is one line for the user."""
