"""Fills an empty database with stores, kiosks, products with options, recipes and stock; prints who may order what.

Run by its path in the folder of the version to be measured: ``python …/bench/seed.py STORES KIOSKS``.
"""

import json
import os
import secrets
import sys
from decimal import Decimal
from pathlib import Path

PRODUCTS = 40
OPTIONS = 6
UNITS = 1_000_000_000
HOT_KIOSKS = 40


def main(stores: int, kiosks: int) -> None:
    """Write the rows and print the tokens."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "breadmate.settings"
    import django

    django.setup()
    from django.utils import timezone

    from apps.catalog import models as catalog
    from apps.catalog.services import menu_changed
    from apps.inventory.models import RecipeLine, StockItem, StockLevel
    from apps.stores.models import Device, Store
    from apps.stores.services import hashed

    shelf = catalog.Category.objects.create(slug="padaria", name="Padaria")
    products, options = [], []
    for number in range(PRODUCTS):
        product = catalog.Product.objects.create(
            category=shelf, slug=f"produto-{number}", name=f"Produto {number}", price=Decimal("7.50"), station="chapa"
        )
        item = StockItem.objects.create(name=f"Item {number}")
        RecipeLine.objects.create(product=product, item=item, quantity=1)
        products.append(product)
        chosen = []
        if number % 2:
            group = catalog.ModifierGroup.objects.create(name=f"Extras {number}", min=0, max=3)
            catalog.ProductModifierGroup.objects.create(product=product, group=group)
            chosen = [
                catalog.Option.objects.create(group=group, name=f"Extra {place}", price=Decimal("1.25"), max_quantity=2)
                for place in range(OPTIONS)
            ]
        options.append([str(option.id) for option in chosen])
    made = Store.objects.bulk_create(Store(code=f"L{number:03d}", name=f"Loja {number}") for number in range(stores))
    items = list(StockItem.objects.all())
    StockLevel.objects.bulk_create(
        StockLevel(store=store, item=item, on_hand=UNITS) for store in made for item in items
    )
    told = []
    for number, store in enumerate(made):
        tokens = [secrets.token_urlsafe(32) for _ in range(HOT_KIOSKS if number == 0 else kiosks)]
        Device.objects.bulk_create(
            Device(store=store, kind="kiosk", name=f"Totem {place}", token_hash=hashed(token), paired_at=timezone.now())
            for place, token in enumerate(tokens)
        )
        told.append({"id": str(store.id), "tokens": tokens})
    menu_changed(store_ids=[store.id for store in made], at=timezone.now())
    ids = [str(product.id) for product in products]
    print(json.dumps({"stores": told, "products": ids, "options": options}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
