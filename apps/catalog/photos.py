"""Photos of products: whatever staff upload is decoded, cut to the cards' shape and written anew; nothing of the file is kept.

A photo is called ``<hash>-<width>``, its largest width; its files are WebP of every width up to that one. The hash is of
what was written, so a file never changes and may be cached for good.
"""

import hashlib
import io
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from PIL import Image, ImageCms, ImageOps

from apps.catalog.models import Product

WIDTHS = (320, 640, 1280)
SHOWN_WIDTH = 640
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
QUALITY = 82
FILE = re.compile(r"[0-9a-f]{32}-(?:320|640|1280)\.webp")
KEPT_UNUSED = timedelta(days=2)  # a kiosk that was away for the night still shows yesterday's menu

_one_at_a_time = threading.Lock()  # a photo of 40 megapixels takes 160 MB while it is open


class PhotoRefusedError(ValueError):
    """The file is not a photo we take; the message says why, for whoever uploaded it."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it will be served: its name, and the bytes of each width."""

    name: str
    files: dict[int, bytes]


def read(file: BinaryIO, *, size: int) -> Photo:
    """Make a photo of an uploaded file, judged by its content alone.

    Args:
        size: bytes of the whole file; of one over the limit ``file`` need not hold all.

    Raises:
        PhotoRefusedError: too large, too small, or not a whole JPEG, PNG or WebP.
    """
    if size == 0:
        raise PhotoRefusedError("O arquivo está vazio.")
    if size > MOST_BYTES:
        raise PhotoRefusedError(f"O arquivo tem {size / 1024 / 1024:.0f} MB; o limite é 10 MB.")
    with _one_at_a_time:
        image = _opened(file)
        wanted = [width for width in WIDTHS if width <= _cut_width(image)]
        if not wanted:
            raise PhotoRefusedError("A foto é pequena demais: use uma de pelo menos 320 × 240 pixels.")
        files = {width: _encoded(image, width) for width in wanted}
    largest = wanted[-1]
    return Photo(name=f"{hashlib.blake2b(files[largest], digest_size=16).hexdigest()}-{largest}", files=files)


def keep(photo: Photo) -> str:
    """Write a photo's files, each whole or not at all, and return its name; what is there already stays."""
    folder = settings.MEDIA_ROOT
    folder.mkdir(parents=True, exist_ok=True)
    for width, content in photo.files.items():
        path = folder / file_of(photo.name, width)
        if path.exists():
            path.touch()
            continue
        unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        unfinished.write_bytes(content)
        unfinished.replace(path)
    return photo.name


def let_go(name: str) -> None:
    """Count from now how long a photo that left its product is still kept."""
    for path in (settings.MEDIA_ROOT / file_of(name, width) for width in widths_of(name)):
        if path.exists():
            path.touch()


def sweep(at: datetime) -> int:
    """Delete files that no product shows and that have been so for a while; return how many."""
    if not settings.MEDIA_ROOT.is_dir():
        return 0
    old = [path for path in _ours(settings.MEDIA_ROOT) if path.stat().st_mtime < (at - KEPT_UNUSED).timestamp()]
    shown = set(Product.objects.exclude(photo="").values_list("photo", flat=True)) if old else set()
    hashes = {name.partition("-")[0] for name in shown}
    unused = [path for path in old if path.name.partition("-")[0] not in hashes]
    for path in unused:
        path.unlink(missing_ok=True)
    return len(unused)


def widths_of(name: str) -> list[int]:
    """Return the widths a photo comes in, the smallest first."""
    largest = int(name.rpartition("-")[2])
    return [width for width in WIDTHS if width <= largest]


def file_of(name: str, width: int) -> str:
    """Return what the file of one width is called."""
    return f"{name.rpartition('-')[0]}-{width}.webp"


def address_of(name: str, width: int = SHOWN_WIDTH) -> str:
    """Return where a browser gets a photo; the nearest width below, if there is none of this one."""
    there = max(each for each in widths_of(name) if each <= max(width, WIDTHS[0]))
    return f"{settings.MEDIA_URL}{file_of(name, there)}"


def sources_of(name: str) -> str:
    """Return all widths as an image's ``srcset``."""
    return ", ".join(f"{address_of(name, width)} {width}w" for width in widths_of(name))


def _ours(folder: Path) -> Iterator[Path]:
    """Find our own files, and what a process that died left unfinished."""
    return (path for path in folder.iterdir() if FILE.fullmatch(path.name) or path.suffix == ".part")


def _opened(file: BinaryIO) -> Image.Image:
    """Decode a file, its pixels counted first; turned as its camera was held, in the colours of screens."""
    not_a_photo = PhotoRefusedError("O arquivo não é uma foto JPEG, PNG ou WebP, ou está danificado.")
    too_many = PhotoRefusedError("A foto tem pixels demais: o limite é 40 megapixels. Diminua-a e envie de novo.")
    try:
        found = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many from None
    except Exception:  # noqa: BLE001 - each decoder has its own errors for a broken file
        raise not_a_photo from None
    if found.width * found.height > MOST_PIXELS:
        raise too_many
    try:
        found.draft("RGB", (WIDTHS[-1] * 2, WIDTHS[-1] * 2))  # a JPEG needs not be opened larger than it will be used
        found.load()
        return ImageOps.exif_transpose(_in_screen_colours(found))
    except Exception:  # noqa: BLE001 - as above
        raise not_a_photo from None


def _in_screen_colours(image: Image.Image) -> Image.Image:
    """Turn whatever colours into sRGB, since the profile that explains them is not kept."""
    profile, exif = image.info.get("icc_profile"), image.getexif()
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except ImageCms.PyCMSError:  # a profile that is broken or of other colours than it says
            found = None
        image = found or image
    image = image.convert(mode)
    image.getexif()[ORIENTATION] = exif.get(ORIENTATION, 1)
    return image


ORIENTATION = 0x0112


def _cut_width(image: Image.Image) -> int:
    """Return how wide the largest cut of the cards' shape, 4:3, is."""
    return min(image.width, image.height * 4 // 3)


def _encoded(image: Image.Image, width: int) -> bytes:
    cut = ImageOps.fit(image, (width, width * 3 // 4), Image.Resampling.LANCZOS)
    cut.info = {}
    written = io.BytesIO()
    cut.save(written, "WEBP", quality=QUALITY, method=4)
    return written.getvalue()
