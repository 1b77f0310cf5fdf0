"""Reading the menu."""

from collections import defaultdict
from uuid import UUID

from apps.catalog.models import (
    Category,
    MenuVersion,
    Option,
    Product,
    ProductModifierGroup,
    StoreOption,
    StoreProduct,
)
from apps.catalog.snapshot import CategorySnapshot, GroupSnapshot, MenuSnapshot, OptionSnapshot, ProductSnapshot

_remembered: dict[UUID, MenuSnapshot] = {}


def menu_snapshot(store_id: UUID) -> MenuSnapshot:
    """Return a store's menu as it is now.

    One query while the version stands, seven after a change. The version is read first: a change committed meanwhile raises
    it again, so the next reader builds anew and nobody keeps a mix.
    """
    version = MenuVersion.objects.filter(store_id=store_id).values_list("value", flat=True).first() or 0
    known = _remembered.get(store_id)
    if known is None or known.version != version:
        known = _remembered[store_id] = _build(store_id, version)
    return known


def _build(store_id: UUID, version: int) -> MenuSnapshot:
    here = {row.product_id: row for row in StoreProduct.objects.filter(store_id=store_id)}
    groups = _groups(store_id)
    shelves: dict[UUID, list[ProductSnapshot]] = defaultdict(list)
    for product in Product.objects.filter(archived_at=None).order_by("position", "name"):
        own = here.get(product.id)
        if own is not None and not own.sold_here:
            continue
        shelves[product.category_id].append(
            ProductSnapshot(
                id=product.id,
                slug=product.slug,
                name=product.name,
                description=product.description,
                price=own.price if own is not None and own.price is not None else product.price,
                picture=product.picture,
                station=product.station,
                prep_minutes=product.prep_minutes,
                allergens=tuple(product.allergens),
                tags=tuple(product.tags),
                paused_until=own.paused_until if own is not None else None,
                groups=tuple(groups.get(product.id, ())),
            )
        )
    categories = tuple(
        CategorySnapshot(id=category.id, slug=category.slug, name=category.name, products=tuple(shelves[category.id]))
        for category in Category.objects.filter(archived_at=None).order_by("position", "name")
        if category.id in shelves
    )
    return MenuSnapshot(
        store_id=store_id,
        version=version,
        categories=categories,
        products={product.id: product for category in categories for product in category.products},
    )


def _groups(store_id: UUID) -> dict[UUID, list[GroupSnapshot]]:
    """Return the modifier groups of every product, in order; a group left without options is not asked."""
    here = {row.option_id: row for row in StoreOption.objects.filter(store_id=store_id)}
    options: dict[UUID, list[OptionSnapshot]] = defaultdict(list)
    for option in Option.objects.filter(archived_at=None).order_by("position", "name"):
        own = here.get(option.id)
        if own is not None and not own.sold_here:
            continue
        options[option.group_id].append(
            OptionSnapshot(
                id=option.id,
                name=option.name,
                price=own.price if own is not None and own.price is not None else option.price,
                max_quantity=option.max_quantity,
                paused_until=own.paused_until if own is not None else None,
            )
        )
    groups: dict[UUID, list[GroupSnapshot]] = defaultdict(list)
    links = ProductModifierGroup.objects.select_related("group").order_by("position")
    for link in links:
        group = link.group
        if options[group.id]:
            groups[link.product_id].append(
                GroupSnapshot(
                    id=group.id, name=group.name, min=group.min, max=group.max, options=tuple(options[group.id])
                )
            )
    return groups
