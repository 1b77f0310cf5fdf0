"""Brings the staff guide's pictures up to date from what the browser tests have photographed: ``make guide-pictures``."""

import sys
from pathlib import Path

from PIL import Image

# Picture of the guide → what the browser tests call it.
PICTURES = {"guia-cozinha": "board-item-done", "guia-caixa": "counter-change", "guia-gerencia": "admin-index"}
SIZE = (1000, 625)
COLOURS = 128


def main() -> None:
    """Shrink them from one folder to the other."""
    taken, guide = (Path(name) for name in sys.argv[1:])
    for name, photo in PICTURES.items():
        with Image.open(taken / f"{photo}.png") as picture:
            small = picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        small.quantize(COLOURS).save(guide / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
