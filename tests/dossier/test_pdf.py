"""The PDF: A4, all pages with their digests, every link to a page, the same file each time."""

import io
import re
import sys

import pypdf
import pytest
from click.testing import CliRunner

from engine.cli import command
from engine.dossier.build import PDF
from engine.dossier.digests import Digests, code_digest
from engine.dossier.document import Figure, Page, Paragraph, Row, Table
from engine.dossier.drawn import Drawing, UnknownDrawingError
from engine.dossier.paper import printed
from engine.dossier.words import Words
from machines import routes
from tests.dossier.conftest import made

A4 = (595, 842)
FOOT_WORDS = 14
"""Three digests with their labels, the title in two words, the page, and how many there are."""
FEW = "001,015-tethered,044_1"
DIGESTS = Digests(code="c" * 64, declaration="d" * 64, results="e" * 64)


def made_at_one_time():
    """The papers of the product, whenever they are made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1800000000")
        return made("ac-smart", cases=FEW, with_pdf=True)


@pytest.fixture(scope="session")
def papers():
    return made_at_one_time()


@pytest.fixture(scope="session")
def pdf(papers):
    return pypdf.PdfReader(io.BytesIO(papers[PDF]))


@pytest.fixture(scope="session")
def texts(pdf):
    return [page.extract_text() for page in pdf.pages]


def test_the_same_code_and_declaration_give_the_same_papers(papers):
    """Byte for byte, recorded runs and PDF included."""
    again = made_at_one_time()
    assert papers.keys() == again.keys()
    assert not [path for path, content in papers.items() if again[path] != content]


def small(*blocks):
    """A PDF with some blocks after the cover."""
    pages = [
        Page("index.html", "Cover", "cover", (Paragraph("x"),)),
        Page("a.html", "A", "a", tuple(blocks), "Chapter"),
    ]
    return pypdf.PdfReader(io.BytesIO(printed(pages, "Title", DIGESTS, Words("en"))))


def test_every_page_is_a4_and_has_the_digests_and_its_number(pdf, texts):
    code = code_digest()
    for number, (page, text) in enumerate(zip(pdf.pages, texts, strict=True), start=1):
        size = sorted(round(float(each)) for each in (page.mediabox.width, page.mediabox.height))
        assert tuple(size) == A4
        assert code in text
        assert f"{number} /" in text


def test_every_page_has_something_on_it(texts):
    assert [number for number, text in enumerate(texts, start=1) if len(text.split()) <= FOOT_WORDS] == []


def test_the_contents_tell_the_page_of_each_section(pdf, texts):
    outline = {
        entry.title: pdf.get_destination_page_number(entry)
        for entry in pdf.outline
        if not isinstance(entry, list)
    }
    assert {machine.__name__ for machine in routes.KINDS.values()} <= outline.keys()
    for title, number in outline.items():
        assert re.sub(r"\s+", "", title) in re.sub(r"\s+", "", texts[number])


def test_every_link_leads_to_a_page(pdf):
    pages = {page.indirect_reference for page in pdf.pages}
    count = 0
    for page in pdf.pages:
        for annotation in page.get("/Annots", ()):
            target, *_ = annotation.get_object()["/Dest"]
            assert target.indirect_reference in pages
            count += 1
    assert count > 3000


def test_the_same_dossier_gives_the_same_file():
    pages = [Page(f"{name}.html", name, name, (Paragraph("x"),), "Chapter") for name in "ab"]
    one, other = (printed(pages, "Title", DIGESTS, Words("en")) for _ in range(2))
    assert one == other


def test_a_figure_that_is_large_has_a_page_of_its_own_as_it_fits_best():
    wide = '<svg xmlns="http://www.w3.org/2000/svg" width="1500pt" height="700pt"></svg>'
    found = small(Paragraph("before"), Figure("x", wide, "The caption"), Paragraph("after"))
    sides = [page.mediabox.width > page.mediabox.height for page in found.pages]
    texts = [page.extract_text() for page in found.pages]
    across = sides.index(True)
    assert sides == [number == across for number in range(len(sides))]
    assert "before" in texts[across - 1]
    assert "The caption" in texts[across]
    assert "after" in texts[across + 1]


def test_a_row_that_is_higher_than_a_page_goes_on_on_the_next():
    words = [f"word{number}" for number in range(3000)]
    found = small(Table(("", ""), (Row(("a", " ".join(words))),), (50, 50)))
    text = " ".join(page.extract_text() for page in found.pages)
    assert set(words) <= set(text.split())


def test_what_is_drawn_otherwise_than_we_do_is_a_defect():
    with pytest.raises(UnknownDrawingError, match=r"^image$"):
        Drawing('<svg xmlns="x" width="1pt" height="1pt"><image/></svg>').draw(FakeCanvas(), 1)


class FakeCanvas:
    """Takes whatever is asked of it."""

    def __getattr__(self, name):
        return lambda *_: None


def test_without_reportlab_the_command_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "reportlab", None)
    done = CliRunner().invoke(command, ["dossier", "full", "--out", str(tmp_path / "out"), "--select", "003"])
    assert done.exit_code == 2
    assert "pip install 'statecharge[dossier]', or --no-pdf" in done.stderr
    assert not (tmp_path / "out").exists()
