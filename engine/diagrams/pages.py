"""The pages of docs/machines: ``python -m engine.diagrams.pages`` writes them, ``--check`` compares them.

A page shows a picture as SVG, which names the DOT text that it was drawn from by its hash. So a stale picture is found
without Graphviz, whose drawings differ a little from one version and one set of fonts to the next.
"""

import hashlib
import sys
from pathlib import Path

import click

from engine.diagrams import overview
from engine.diagrams.errors import DiagramError
from engine.diagrams.files import drawing, names
from engine.diagrams.markdown import page

PAGES = Path(__file__).parents[2] / "docs" / "machines"


def stem(name: str) -> str:
    """Name of the files of ``name``, without their ending."""
    return "index" if name == overview.NAME else name


def mark(name: str) -> str:
    """The line in an SVG that says what it was drawn from."""
    return f"<!-- drawn from {hashlib.sha256(drawing(name, 'dot')).hexdigest()} -->\n"


def stale(folder: Path) -> list[Path]:
    """The files in ``folder`` that are missing, or not what the machines say."""
    found = []
    for name in names():
        text, image = folder / f"{stem(name)}.md", folder / f"{stem(name)}.svg"
        if not text.exists() or text.read_text(encoding="utf-8") != page(name, image.name):
            found.append(text)
        if not image.exists() or not image.read_text(encoding="utf-8").endswith(mark(name)):
            found.append(image)
    return found


def foreign(folder: Path) -> list[Path]:
    """The pages and pictures in ``folder`` of machines that are no more."""
    stems = {stem(name) for name in names()}
    present = [*folder.glob("*.md"), *folder.glob("*.svg")]
    return sorted(path for path in present if path.stem not in stems)


def write(folder: Path) -> None:
    """Write every page and its picture, and remove those of machines that are no more.

    Raises:
        DiagramError: pygraphviz is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names():
        image = folder / f"{stem(name)}.svg"
        image.write_text(drawing(name, "svg").decode() + mark(name), encoding="utf-8")
        image.with_suffix(".md").write_text(page(name, image.name), encoding="utf-8")
    for path in foreign(folder):
        path.unlink()


@click.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a file is not what the machines say."
)
@click.option("--out", type=click.Path(path_type=Path), default=PAGES, show_default=True)
def main(check: bool, out: Path) -> None:
    """Write the pages of all machines."""
    if check:
        wrong = [*stale(out), *foreign(out)]
        for path in wrong:
            click.echo(f"{path}: not what the machines say; run python -m engine.diagrams.pages", err=True)
        sys.exit(1 if wrong else 0)
    try:
        write(out)
    except DiagramError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
