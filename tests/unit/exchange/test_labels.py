"""Labels as they come out of a printer: codes that an independent reader reads, texts that are whole and inside."""

import io
import re
from collections.abc import Sequence
from functools import cache

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from node.exchange.errors import LabelError
from node.exchange.label_formats import A4, FORMATS, LabelFormat
from node.exchange.label_layout import (
    LEADING,
    LEAST_LETTER,
    LEAST_SQUARE,
    Label,
    Layout,
    Metrics,
    check_texts,
    lay_out,
    metrics_of,
)
from node.exchange.label_pdf import draw_labels
from node.exchange.label_raster import draw_page, write_zpl
from node.exchange.label_symbols import Code, draw_png, draw_svg, make_symbol
from node.passport.ids import SubjectId, format_device_id, format_label_url, groups_of
from node.web.assets import STATIC

FONTS = STATIC / "vendor"
PRINTER_DPI = 203
MADE = 1_790_000_000_000_000
LONG = "Теплосчётчик ультразвуковой двухканальный с радиомодулем ТСУ-15-РМ-П-исполнение-2"
MAKER = "Общество с ограниченной ответственностью «Научно-производственное объединение Приборучёт»"


def label(number: int = 1, designation: str = "СГВ-15", maker: str = MAKER, domain: str = "works.example") -> Label:
    subject = SubjectId(number.to_bytes(16))
    device = format_device_id(subject)
    return Label(format_label_url(domain, subject), groups_of(device), designation, f"№ {number:07}", maker)


def laid(form: LabelFormat, code: Code, *labels: Label) -> list[Layout]:
    return [lay_out(one, form, code, metrics()) for one in labels]


@cache
def metrics() -> Metrics:
    return metrics_of(FONTS)


def read_codes(raw: bytes, page: int = 0, dpi: int = PRINTER_DPI) -> list[zxingcpp.Barcode]:
    """What a reader of codes finds on a page as a printer of that many dots prints it."""
    return list(zxingcpp.read_barcodes(pypdfium2.PdfDocument(raw)[page].render(scale=dpi / 72).to_pil()))


def test_texts_are_checked_as_they_are_laid_out() -> None:
    """What a check lets through is laid out, beside the code of whichever link, and letters of two signs are one."""
    form = FORMATS["a4-5x13"]
    for designation in ("СГВ-15", LONG, LONG * 2, "СГВ " * 30):
        for code in Code:
            one, like = label(7, designation), label(10**30).link
            try:
                check_texts(one, like, form, code, metrics())
            except LabelError:
                with pytest.raises(LabelError):
                    lay_out(one, form, code, metrics())
            else:
                assert lay_out(one, form, code, metrics()).lines
    assert metrics().spelt("и\u0306од") == "йод"


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_printed_code_is_read_by_an_independent_reader(form: LabelFormat, code: Code) -> None:
    """At the dots of a cheap printer each code of each format reads as the label's link; its squares are no smaller."""
    said = [label(1), label(2, LONG, "ООО «Завод»")]
    layouts = laid(form, code, *said)
    raw = draw_labels(layouts, form, metrics(), MADE)
    pages = form.pages(len(said))

    found = [one for page in range(pages) for one in read_codes(raw, page)]

    assert sorted(one.text for one in found) == [one.link for one in said]
    assert {"QR" in str(one.format) for one in found} == {code is Code.QR}
    assert all(layout.square >= LEAST_SQUARE for layout in layouts)
    assert len(pypdfium2.PdfDocument(raw)) == pages


def test_text_of_a_label_is_text_of_the_page() -> None:
    """Designation, serial, maker and the whole id stand on the page as text in Cyrillic and Latin."""
    form = FORMATS["58x40"]
    raw = draw_labels(laid(form, Code.QR, label(7)), form, metrics(), MADE)

    page = pypdfium2.PdfDocument(raw)[0]
    text = "".join(page.get_textpage().get_text_range().replace("\ufffe", "-").split())

    assert [round(side * 25.4 / 72, 1) for side in page.get_size()] == [58.0, 40.0]
    for part in ("СГВ-15", "№ 0000007", MAKER, *label(7).groups):
        assert "".join(part.split()) in text
    assert raw == draw_labels(laid(form, Code.QR, label(7)), form, metrics(), MADE)


@settings(max_examples=25, deadline=None)
@given(
    form=st.sampled_from([*FORMATS.values()]),
    designation=st.text(st.characters(codec="utf-8"), max_size=160),
    maker=st.text("Ж «»ABCабв-", max_size=120),
)
def test_text_is_never_cut_and_never_leaves_its_label(form: LabelFormat, designation: str, maker: str) -> None:
    """Whatever a thing is called, all of it stands inside its label beside the code, or the label is refused."""
    said = label(3, designation, maker)
    try:
        (layout,) = laid(form, Code.QR, said)
    except LabelError:
        return
    *column, last = layout.lines
    edge = layout.x + (layout.symbol.side - 2 * layout.symbol.quiet) * layout.square
    for line in layout.lines:
        assert line.x >= form.padding - 1e-6
        assert line.x + metrics().width(line.text) * line.size <= form.width - form.padding + 1e-6
        assert line.y <= form.height - form.padding
        assert line.y - line.size * 0.8 >= form.padding - 0.5
    assert all(line.x > edge and line.size >= LEAST_LETTER - 1e-6 for line in column)
    assert all(line.y <= last.y - last.size * 0.8 * LEADING + 0.5 for line in column)
    shown = "".join("".join(line.text.split()) for line in column)
    assert shown == "".join("".join(metrics().spelt(text).split()) for text in (designation, said.serial, maker))


def test_label_without_room_is_refused() -> None:
    """What could not be read any more is not printed: a code of too many squares, a text of too many words."""
    with pytest.raises(LabelError, match="too small for a code of 29"):
        laid(FORMATS["a4-5x13"], Code.QR, label(domain=f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example"))
    with pytest.raises(LabelError, match="too small for what it has to say"):
        laid(FORMATS["43x25"], Code.QR, label(designation=LONG * 6))
    assert laid(FORMATS["58x40"], Code.QR, label(designation=LONG * 4))


@pytest.mark.parametrize("start", [1, 5, 21])
def test_half_used_sheet_is_gone_on_with(start: int) -> None:
    """The first label stands at the place that is free, the next ones after it and on a new sheet."""
    form = FORMATS["a4-3x7"]
    layouts = laid(form, Code.QR, *map(label, range(1, 4)))
    raw = draw_labels(layouts, form, metrics(), MADE, start)
    dots = 25.4 / 300

    for number in range(3):
        page, place = divmod(start - 1 + number, form.on_a_page)
        (found,) = [one for one in read_codes(raw, page, 300) if one.text == label(number + 1).link]
        left, top = form.place(place)
        corner = found.position.top_left
        assert abs(corner.x * dots - left - layouts[number].x) < 0.5
        assert abs(corner.y * dots - top - layouts[number].y) < 0.5


def test_grids_lie_on_their_sheets() -> None:
    """No label of a sheet reaches beyond it, nor into the next one."""
    for form in FORMATS.values():
        left, top = form.place(form.on_a_page - 1)
        assert left + form.width <= form.page[0] + 0.01, form.name
        assert top + form.height <= form.page[1] + 0.01, form.name
        assert form.on_a_page == 1 or form.page == A4


def _bitmaps(zpl: str) -> Sequence[Image.Image]:
    """The pictures in a ZPL program, as its printer sets them in dots."""
    found = re.findall(r"\^XA\^PW(\d+)\^LL(\d+)\^LH0,0\^FO0,0\^GFA,(\d+),\3,(\d+),([0-9A-F]+)\^FS\^XZ", zpl)
    return [
        Image.frombytes("1", (int(row) * 8, int(height)), bytes(255 - byte for byte in bytes.fromhex(data)))
        for _, height, _, row, data in found
    ]


@pytest.mark.parametrize("name", ["58x40", "43x25"])
def test_zpl_prints_codes_that_are_read(name: str) -> None:
    """The dots of a ZPL program are a label whose code an independent reader reads."""
    form, said = FORMATS[name], [label(1), label(2, LONG)]
    program = write_zpl(laid(form, Code.QR, *said), form, metrics()).decode()

    pictures = _bitmaps(program)

    assert [one.text for picture in pictures for one in zxingcpp.read_barcodes(picture)] == [one.link for one in said]
    assert program.count("^XA") == len(pictures) == 2


@pytest.mark.parametrize("code", Code)
def test_picture_of_a_page_and_of_a_code_are_read(code: Code) -> None:
    """What is shown before printing is what is printed; a code alone is read as well, as PNG and as SVG of squares."""
    form = FORMATS["a4-4x10"]
    shown = draw_page(laid(form, code, label(1), label(2)), form, metrics(), 39)
    symbol = make_symbol(code, label(1).link)

    found = {one.text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(shown)))}
    (alone,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(draw_png(symbol))))

    assert found == {label(1).link, label(2).link}
    assert alone.text == label(1).link
    assert draw_svg(symbol).count(b"v1h-") == len([*symbol.runs()])
