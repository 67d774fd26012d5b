"""A sheet of A4, and how figures fit on it."""

MM = 72 / 25.4
WIDTH, HEIGHT = 210 * MM, 297 * MM
MARGIN, FOOT = 13 * MM, 19 * MM
CAPTION = 48.0
"""What a page of a figure keeps for its heading and its caption, in pt."""

UPRIGHT, ACROSS = "upright", "across"


def paper_size(orientation: str) -> tuple[float, float]:
    """Width and height in pt."""
    return (WIDTH, HEIGHT) if orientation == UPRIGHT else (HEIGHT, WIDTH)


def room(orientation: str) -> tuple[float, float]:
    """Width and height of what a page has room for, in pt."""
    width, height = paper_size(orientation)
    return width - 2 * MARGIN, height - MARGIN - FOOT


def best_fit(size: tuple[float, float]) -> tuple[str, float]:
    """How a figure of that size fits best on a page of its own: the orientation, and the scale, at most 1."""

    def scale(orientation: str) -> float:
        width, height = room(orientation)
        return min(1.0, width / size[0], (height - CAPTION) / size[1])

    across, upright = scale(ACROSS), scale(UPRIGHT)
    return (ACROSS, across) if across > upright else (UPRIGHT, upright)
