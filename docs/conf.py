"""The site: ``make site`` builds it from docs/, with the classes, declarations and commands of this very tree."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

project = "Statecharge"
author = "the Statecharge authors"
project_copyright = author
release = version = version_of("statecharge")

extensions = ["myst_parser", "statecharge_docs"]
exclude_patterns = ["_ext", "stations"]
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False  # "--out" is an option
highlight_language = "text"

html_theme = "furo"
html_title = f"Statecharge {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1d4ed8", "color-brand-content": "#1d4ed8"},
    "dark_css_variables": {"color-brand-primary": "#93b4ff", "color-brand-content": "#93b4ff"},
}
