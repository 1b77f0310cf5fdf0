"""QR codes: what is drawn can be read."""

import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from apps.core.qr import svg

PIX = (
    "00020101021243650016COM.MERCADOLIBRE02013063638f1192a-5fd1-4180-a180-8bcae3556bc3"
    "5204000053039865802BR5925PADARIA SAO JOSE LTDA6009SAO PAULO62070503***6304A13B"
)
STROKE = re.compile(r"M(\d+) (\d+)h(\d+)(?=[M\"])")
BOX = re.compile(r'viewBox="-2 -2\.5 (\d+) \1"')
PIXELS = 4


def photographed(drawing: str) -> Image.Image:
    """Paint the drawing's strokes as a camera would see them, with no more quiet around them than the drawing has itself."""
    (side,) = BOX.findall(drawing)
    picture = Image.new("L", (int(side) * PIXELS, int(side) * PIXELS), 255)
    for x, y, length in (map(int, stroke) for stroke in STROKE.findall(drawing)):
        left, top = (x + 2) * PIXELS, (y + 2) * PIXELS
        ImageDraw.Draw(picture).rectangle((left, top, left + length * PIXELS - 1, top + PIXELS - 1), fill=0)
    return picture


@pytest.mark.parametrize("text", [PIX, "https://padaria.example/t/Xk3_9aB/", "1", "é pão" * 20])
def test_what_is_drawn_can_be_read(text: str) -> None:
    found = zxingcpp.read_barcode(photographed(svg(text)))

    assert found is not None
    assert (found.text, found.ec_level) == (text, "M")
