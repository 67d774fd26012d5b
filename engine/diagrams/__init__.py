"""Pictures, tables and pages of the machines, made from the classes that run.

:func:`export` writes files, :func:`page` gives the page of one machine. SVG and PNG need the extra ``diagrams``.
"""

from engine.diagrams.errors import DiagramError
from engine.diagrams.files import FORMATS, export, names
from engine.diagrams.markdown import page

__all__ = ["FORMATS", "DiagramError", "export", "names", "page"]
