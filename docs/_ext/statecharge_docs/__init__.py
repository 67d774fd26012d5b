"""What the site has beside plain pages: pictures of machines, and pages that the code itself writes.

A Sphinx extension. Nothing here is known twice: pictures come from the classes that run, and the reference from the
schema, the catalogue, the vocabulary and the command line.
"""

from typing import Any

from sphinx.application import Sphinx

from statecharge_docs import breakable, machine_pages, reference, statemachine


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    statemachine.register(app)
    breakable.register(app)
    machine_pages.register(app)
    reference.register(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
