"""QR codes as SVG."""

import io
from functools import lru_cache

import segno

# Any of the eight can be read. To find the best one takes four times as long as all the rest, for every guest who pays.
MASK = 3


@lru_cache(maxsize=512)
def svg(text: str) -> str:
    """Draw a text as a QR code, an SVG that can stand alone or inside a page."""
    drawing = io.BytesIO()
    code = segno.make_qr(text, error="m", mask=MASK)
    code.save(
        drawing, kind="svg", xmldecl=False, nl=False, scale=4, border=2, dark="#2B1B12", light="#FFFFFF", omitsize=True
    )
    return drawing.getvalue().decode()
