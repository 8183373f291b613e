"""QR codes as pictures that need neither script nor style."""

import io

import segno
from markupsafe import Markup
from segno.encoder import DataOverflowError

from node.errors import InputError

MOST = 2953  # bytes: ISO/IEC 18004, version 40 with error correction L


def qr_picture(text: str) -> Markup:
    """A text as squares; raise InputError where it is longer than any QR code holds."""
    made = io.BytesIO()
    try:
        code = segno.make(text, error="l", micro=False)
    except DataOverflowError as error:
        size = len(text.encode())
        raise InputError(
            f"{size} bytes do not fit into a QR code of {MOST}", "qr_too_long", size=size, most=MOST
        ) from error
    code.save(made, kind="svg", xmldecl=False, svgns=True, svgclass=None, lineclass=None, omitsize=True, border=3)
    # Made here out of squares alone: nothing of the text stands in it.
    return Markup(made.getvalue().decode())  # noqa: S704 - see above
