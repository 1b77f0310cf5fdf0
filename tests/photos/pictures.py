"""Files that somebody may upload, good and bad."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

PAYLOAD = b"<script>alert(1)</script>"


def picture(width: int = 1600, height: int = 1200) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill="blue")
    return image


def saved(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, format_, **options)
    return written.getvalue()


def with_gps() -> bytes:
    """A photo lying on its side, that says where it was taken and by whom."""
    image = picture(1200, 1600)
    exif = image.getexif()
    exif[0x0112], exif[0x013B] = 6, "Zulmira Segredo"
    exif.get_ifd(0x8825)[2] = (23.0, 33.0, 1.0)
    return saved(image, exif=exif, comment=b"segredo", xmp=b"<x:xmpmeta>segredo</x:xmpmeta>")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would need gigabytes to open."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def gif_bomb() -> bytes:
    """A small GIF that claims a canvas of 65,535 × 65,535."""
    gif = bytearray(saved(Image.new("P", (1, 1)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(gif)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><body>" + PAYLOAD + b"</body></html>"
POLYGLOT = saved(picture()) + b"<?php system($_GET[0]); ?>" + PAYLOAD
