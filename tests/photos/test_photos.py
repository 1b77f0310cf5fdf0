"""Photos of products: what is refused and with which word, what is kept, how it is served and when it goes."""

import io
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from apps.catalog import photos
from apps.catalog.models import MenuVersion, Product
from apps.core.actors import Role
from apps.stores.models import Store
from tests.factories import ProductFactory, new_menu
from tests.fixtures import Screen
from tests.photos.pictures import (
    HTML,
    POLYGLOT,
    SVG,
    gif_bomb,
    picture,
    png_that_claims,
    saved,
    with_gps,
)
from tests.trail.conftest import browser_of, entries, form_of, page_of, person

NO_PHOTO = "O arquivo não é uma foto JPEG, PNG ou WebP, ou está danificado."
TOO_MANY = "A foto tem pixels demais: o limite é 40 megapixels. Diminua-a e envie de novo."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def desk(db: None) -> Client:
    return browser_of(person(Role.OWNER, None))


def upload(desk: Client, product: Product, content: bytes, name: str = "foto.jpg", type_: str = "image/jpeg") -> Any:
    address = page_of(Product, "change", product.pk)
    sent = {**form_of(desk, address), "new_photo": SimpleUploadedFile(name, content, type_)}
    return desk.post(address, sent)


def refusals(response: Any) -> list[str]:
    assert response.status_code == 200
    return list(response.context["adminform"].form.errors.get("new_photo", []))


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("pagina.png", HTML, NO_PHOTO),
        ("desenho.svg", SVG, NO_PHOTO),
        ("desenho.png", SVG, NO_PHOTO),
        ("bomba.gif", gif_bomb(), NO_PHOTO),
        ("animado.gif", saved(picture(), "GIF"), NO_PHOTO),
        ("enorme.png", png_that_claims(30_000, 30_000), TOO_MANY),
        ("grande.png", png_that_claims(8_000, 6_000), TOO_MANY),
        ("vazio.jpg", b"", "O arquivo está vazio."),
        ("cortada.jpg", saved(picture())[:2_000], NO_PHOTO),
        (
            "ponto.png",
            saved(picture(200, 200), "PNG"),
            "A foto é pequena demais: use uma de pelo menos 320 × 240 pixels.",
        ),
        ("pesada.jpg", saved(picture()) + b"\0" * 20 * 1024 * 1024, "O arquivo tem 20 MB; o limite é 10 MB."),
        ("concha.php", b"<?php system($_GET[0]); ?>", NO_PHOTO),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and len(value) < 15 else "",
)
def test_file_is_refused_with_a_word(name: str, content: bytes, word: str, desk: Client, folder: Path) -> None:
    product = ProductFactory()

    assert refusals(upload(desk, product, content, name)) == [word]

    product.refresh_from_db()
    assert product.photo == ""
    assert not folder.exists()


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/passwd", "foto.php", "a\0b.jpg", "nul.jpg.exe"])
def test_name_of_the_file_means_nothing(name: str, desk: Client, folder: Path) -> None:
    product = ProductFactory()

    assert upload(desk, product, saved(picture()), name).status_code == 302

    product.refresh_from_db()
    written = sorted(path.name for path in folder.iterdir())
    assert written == sorted(photos.file_of(product.photo, width) for width in (320, 640, 1280))
    assert all(photos.FILE.fullmatch(each) for each in written)
    assert list(folder.parent.rglob("*.jpg")) == []


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_photo_is_cut_to_the_cards_shape_in_all_widths(format_: str) -> None:
    photo = photos.read(io.BytesIO(saved(picture(2000, 1000), format_)), size=1)

    sizes = {width: Image.open(io.BytesIO(content)).size for width, content in photo.files.items()}
    assert sizes == {320: (320, 240), 640: (640, 480), 1280: (1280, 960)}
    assert {Image.open(io.BytesIO(content)).format for content in photo.files.values()} == {"WEBP"}


def test_small_photo_is_not_blown_up() -> None:
    photo = photos.read(io.BytesIO(saved(picture(700, 700))), size=1)

    assert (photo.name.rpartition("-")[2], sorted(photo.files)) == ("640", [320, 640])


def test_photo_is_turned_and_tells_nothing_of_its_origin() -> None:
    photo = photos.read(io.BytesIO(with_gps()), size=1)

    for content in photo.files.values():
        image = Image.open(io.BytesIO(content))
        assert dict(image.getexif()) == {}
        assert {"exif", "xmp", "icc_profile"} & image.info.keys() == set()
        assert b"segredo" not in content.lower()
        # Its camera was held so that the left of the file is the top of the scene.
        top, bottom = image.getpixel((image.width // 2, 5)), image.getpixel((image.width // 2, image.height - 5))
        assert (top[0] > 200, bottom[2] > 200) == (True, True)


def test_polyglot_keeps_nothing_but_its_picture() -> None:
    photo = photos.read(io.BytesIO(POLYGLOT), size=len(POLYGLOT))

    assert all(b"php" not in content and b"script" not in content for content in photo.files.values())


def test_transparent_picture_stays_transparent() -> None:
    clear = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    photo = photos.read(io.BytesIO(saved(clear, "PNG")), size=1)

    assert Image.open(io.BytesIO(photo.files[640])).convert("RGBA").getpixel((10, 10))[3] == 0


def test_new_photo_raises_the_menu_and_is_said_there(desk: Client, kiosk: Screen, store: Store) -> None:
    product = ProductFactory(name="Coxinha", picture="art/coxinha.svg", price=Decimal("5.00"))
    new_menu(store)
    before = MenuVersion.objects.get(store=store).value

    upload(desk, product, saved(picture()))

    product.refresh_from_db()
    (told,) = entries()
    assert told.changes == [{"field": "nova foto", "changed": True}]
    assert MenuVersion.objects.get(store=store).value == before + 1
    (said,) = kiosk.get("/menu").body["categories"][0]["products"]
    stem = product.photo.rpartition("-")[0]
    assert said["image"] == {
        "src": f"/media/{stem}-640.webp",
        "srcset": f"/media/{stem}-320.webp 320w, /media/{stem}-640.webp 640w, /media/{stem}-1280.webp 1280w",
        "alt": "Coxinha",
    }
    assert kiosk.get(f"/products/{product.id}").body["image"] == said["image"]
    assert f"/media/{stem}-640.webp" in desk.get(page_of(Product, "change", product.pk)).content.decode()


def test_photo_taken_off_leaves_the_drawing(desk: Client) -> None:
    product = ProductFactory(picture="art/coxinha.svg")
    upload(desk, product, saved(picture()))
    address = page_of(Product, "change", product.pk)

    desk.post(address, {**form_of(desk, address), "remove_photo": "on"})

    product.refresh_from_db()
    assert (product.photo, product.picture) == ("", "art/coxinha.svg")


def test_photo_is_served_for_good_and_never_guessed_at(client: Client) -> None:
    photo = photos.read(io.BytesIO(saved(picture())), size=1)
    photos.keep(photo)

    response = client.get(photos.address_of(photo.name))

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == photo.files[640]
    assert response["Content-Type"] == "image/webp"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.post(photos.address_of(photo.name)).status_code in (403, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/media/..%2f..%2fsettings.py",
        "/media/../settings.py",
        "/media/%2e%2e/%2e%2e/etc/passwd",
        "/media/.git/config",
        "/media/",
        "/media/secret_key",
        "/media/" + "0" * 32 + "-640.webp",
        "/media/" + "0" * 32 + "-640.webp/..",
        "/media/" + "0" * 32 + "-641.webp",
        "/static/../manage.py",
    ],
)
def test_other_addresses_lead_nowhere(path: str, client: Client, folder: Path) -> None:
    folder.mkdir()
    (folder / "secret_key").write_text("x")

    assert client.get(path).status_code == 404


def test_files_go_when_nothing_shows_them_and_not_before(db: None, folder: Path) -> None:
    shown, gone = (photos.read(io.BytesIO(saved(picture(size, size))), size=1) for size in (800, 700))
    product = ProductFactory(photo=photos.keep(shown))
    photos.keep(gone)
    (folder / "foreign.txt").write_text("not ours")
    (folder / "x.1-2.part").write_bytes(b"unfinished")
    now = timezone.now()

    assert photos.sweep(now) == 0
    old = (now - timedelta(days=3)).timestamp()
    for path in folder.iterdir():
        os.utime(path, (old, old))
    photos.let_go(gone.name)
    assert photos.sweep(now) == 1
    for path in folder.iterdir():
        os.utime(path, (old, old))
    assert photos.sweep(now) == 2

    left = {path.name for path in folder.iterdir()}
    assert left == {"foreign.txt", *(photos.file_of(product.photo, width) for width in (320, 640))}


def test_same_photo_twice_is_one_file(folder: Path) -> None:
    names = {photos.keep(photos.read(io.BytesIO(saved(picture())), size=1)) for _ in range(2)}

    assert len(names) == 1
    assert len(list(folder.iterdir())) == 3
