"""QR codes as SVG."""

import re
from functools import lru_cache

import zxingcpp

# Any of the eight can be read. To find the best one takes seven times as long as the rest, for every guest who pays.
MASK = 3
BORDER = 2  # modules of quiet around it; the white cards on which it is shown give it the rest
DARK = re.compile(rb"\x00+")


@lru_cache(maxsize=512)
def svg(text: str) -> str:
    """Draw a text as a QR code, an SVG that can stand alone or inside a page: each run of dark modules is a stroke."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=MASK)
    modules = code.to_image(scale=1, add_quiet_zones=False)
    side, dots = modules.shape[0], bytes(modules)  # type: ignore[call-overload]  # its stub leaves out that it is a buffer
    rows = [dots[start : start + side] for start in range(0, len(dots), side)]
    strokes = "".join([f"M{run.start()} {y}h{len(run[0])}" for y, row in enumerate(rows) for run in DARK.finditer(row)])
    whole = side + 2 * BORDER
    # A stroke lies half above and half below its line.
    box = f"{-BORDER} {-BORDER - 0.5} {whole} {whole}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" shape-rendering="crispEdges">'
        f'<path fill="#FFFFFF" d="M{-BORDER} {-BORDER - 0.5}h{whole}v{whole}h-{whole}z"/>'
        f'<path stroke="#2B1B12" d="{strokes}"/></svg>'
    )
