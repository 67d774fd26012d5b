"""From the DOT language to SVG and PNG.

The extra ``diagrams`` (pygraphviz) is imported when a picture is drawn. It carries Graphviz: no program of that name
needs to be installed.
"""

from engine.diagrams.errors import DiagramError

DPI = 144
"""Dots per inch of a PNG."""


def render(source: str, file_format: str) -> bytes:
    """Draw ``source``, in the DOT language, as ``svg`` or ``png``.

    Raises:
        DiagramError: pygraphviz is not installed.
    """
    try:
        import pygraphviz  # type: ignore[import-untyped]
    except ImportError as error:
        raise DiagramError(
            f"format {file_format} needs pygraphviz, which is not installed: "
            "pip install 'statecharge[diagrams]', or choose mermaid, dot or md"
        ) from error
    graph = pygraphviz.AGraph(string=source)
    if file_format == "png":
        graph.graph_attr["dpi"] = str(DPI)
    drawn: bytes = graph.draw(format=file_format, prog="dot")
    graph.close()
    return drawn
