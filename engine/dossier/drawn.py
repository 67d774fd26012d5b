"""A drawing put on a page of a PDF: the part of SVG that Graphviz and our sequence diagrams use."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import Element, fromstring

FONT, BOLD, SYMBOLS = "Helvetica", "Helvetica-Bold", "ZapfDingbats"
SQUARE = "\u25a0"
SQUARE_SYMBOL = "n"
"""The square in the font of symbols."""
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
PART = re.compile(r"([MLCZ])([^MLCZ]*)")
TRANSLATED = re.compile(r"translate\((-?[\d.]+)[ ,]+(-?[\d.]+)\)")

Point = tuple[float, float]


class UnknownDrawingError(Exception):
    """A drawing has something that is not drawn here: a defect."""


class Drawing:
    """One drawing.

    Args:
        svg: Its text.
    """

    def __init__(self, svg: str) -> None:
        self._root = fromstring(svg[svg.index("<svg") :])  # noqa: S314 - drawn by ourselves

    @cached_property
    def size(self) -> Point:
        """Width and height in pt."""
        return float(self._root.attrib["width"].removesuffix("pt")), float(
            self._root.attrib["height"].removesuffix("pt")
        )

    @cached_property
    def font_size_min(self) -> float:
        """The size of the smallest text, in pt; 0 if there is none."""
        texts = [each for each in self._root.iter() if _kind(each) == "text" and (each.text or "").strip()]
        return min((float(each.attrib["font-size"]) for each in texts), default=0.0)

    def draw(self, canvas: Any, scale: float) -> None:
        """Draw it on a canvas of reportlab, its lower left corner at the origin."""
        canvas.saveState()
        canvas.scale(scale, scale)
        canvas.translate(0, self.size[1])
        self._children(canvas, self._root)
        canvas.restoreState()

    def _children(self, canvas: Any, parent: Element) -> None:
        for child in parent:
            self._element(canvas, child)

    def _element(self, canvas: Any, element: Element) -> None:
        values = element.attrib
        match _kind(element):
            case "title" | "style":
                pass
            case "g":
                canvas.saveState()
                if moved := TRANSLATED.search(values.get("transform", "")):
                    canvas.translate(float(moved[1]), -float(moved[2]))
                self._children(canvas, element)
                canvas.restoreState()
            case "text":
                _text(canvas, element)
            case "polygon" | "polyline":
                points = _points(values["points"])
                _shape(
                    canvas, values, [("M", points[:1]), ("L", points[1:])], closed=element.tag.endswith("gon")
                )
            case "line":
                ends = [(float(values[f"x{end}"]), -float(values[f"y{end}"])) for end in (1, 2)]
                _shape(canvas, values, [("M", ends[:1]), ("L", ends[1:])])
            case "path":
                parts = [(letter, _points(rest)) for letter, rest in PART.findall(values["d"])]
                _shape(canvas, values, parts)
            case "ellipse":
                x, y, rx, ry = (float(values[name]) for name in ("cx", "cy", "rx", "ry"))
                fill, stroke = _ink(canvas, values)
                canvas.ellipse(x - rx, -y - ry, x + rx, -y + ry, fill=fill, stroke=stroke)
            case "rect":
                x, y, width, height = (float(values[name]) for name in ("x", "y", "width", "height"))
                fill, stroke = _ink(canvas, values)
                radius = float(values.get("rx", 0))
                canvas.roundRect(x, -y - height, width, height, radius, fill=fill, stroke=stroke)
            case other:
                raise UnknownDrawingError(other)


def _kind(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _points(text: str) -> list[Point]:
    """Points as on paper, where y grows upwards."""
    numbers = [float(number) for number in NUMBER.findall(text)]
    return [(x, -y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _ink(canvas: Any, values: dict[str, str]) -> tuple[int, int]:
    """Set the colours; whether to fill and to stroke."""
    from reportlab.lib.colors import toColor

    fill, stroke = values.get("fill", "none"), values.get("stroke", "none")
    is_clear = "transparent" in (fill, stroke)
    if fill not in ("none", "transparent"):
        canvas.setFillColor(toColor(fill))
    if stroke not in ("none", "transparent"):
        canvas.setStrokeColor(toColor(stroke))
        canvas.setLineWidth(float(values.get("stroke-width", 1)))
        dashes = values.get("stroke-dasharray", "")
        canvas.setDash([float(each) for each in NUMBER.findall(dashes)] if dashes else [])
    return int(fill != "none" and not is_clear), int(stroke not in ("none", "transparent"))


def _shape(
    canvas: Any, values: dict[str, str], parts: Sequence[tuple[str, list[Point]]], *, closed: bool = False
) -> None:
    fill, stroke = _ink(canvas, values)
    path = canvas.beginPath()
    for letter, points in parts:
        match letter:
            case "M":
                path.moveTo(*points[0])
                for point in points[1:]:
                    path.lineTo(*point)
            case "L":
                for point in points:
                    path.lineTo(*point)
            case "C":
                for first, second, end in zip(points[::3], points[1::3], points[2::3], strict=True):
                    path.curveTo(*first, *second, *end)
            case "Z":
                path.close()
    if closed:
        path.close()
    canvas.drawPath(path, fill=fill, stroke=stroke)


def _text(canvas: Any, element: Element) -> None:
    values = element.attrib
    text = (element.text or "").replace("\xa0", " ")
    x, y, size = float(values["x"]), -float(values["y"]), float(values["font-size"])
    font = BOLD if values.get("font-weight") == "bold" else FONT
    if SQUARE in text:
        font, text = SYMBOLS, text.replace(SQUARE, SQUARE_SYMBOL)
    from reportlab.lib.colors import toColor

    canvas.setFillColor(toColor(values.get("fill", "#000000")))
    canvas.setFont(font, size)
    place = {"middle": canvas.drawCentredString, "end": canvas.drawRightString}
    place.get(values.get("text-anchor", "start"), canvas.drawString)(x, y, text)
