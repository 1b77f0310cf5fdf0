"""QR codes as SVG."""

import io

import segno


def svg(text: str) -> str:
    """Draw a text as a QR code, an SVG that can stand alone or inside a page."""
    drawing = io.BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(
        drawing, kind="svg", xmldecl=False, nl=False, scale=4, border=2, dark="#2B1B12", light="#FFFFFF", omitsize=True
    )
    return drawing.getvalue().decode()
