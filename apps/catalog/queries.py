"""Reading the menu."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import CharField, Func, Q, QuerySet
from django.db.models.functions import Lower

from apps.catalog.models import (
    Category,
    ComboSlot,
    Mark,
    MenuVersion,
    Option,
    Product,
    ProductModifierGroup,
    SlotChoice,
    StoreOption,
    StoreProduct,
)
from apps.catalog.snapshot import (
    CategorySnapshot,
    ChoiceSnapshot,
    GroupSnapshot,
    MarkSnapshot,
    MenuSnapshot,
    OptionSnapshot,
    ProductKind,
    ProductSnapshot,
    SlotSnapshot,
)
from apps.core.facade import prepared
from apps.stores.facade import opening_of, packaging_fee_of

CLOSE_ENOUGH = 0.45  # of pg_trgm's word similarity: "coxinah" finds "Coxinha", "pao" does not find "Pudim"

_remembered: dict[UUID, MenuSnapshot] = {}


def menu_version(store_id: UUID) -> int:
    """Return the version of a store's menu, 0 when it never had one. One query."""
    version = prepared.read_one(MenuVersion, "WHERE store_id = %s", [store_id])
    return version.value if version is not None else 0


def menu_snapshot(store_id: UUID) -> MenuSnapshot:
    """Return a store's menu as it is now.

    One query while the version stands, 13 more after a change. The version is read first: a change committed meanwhile raises
    it again, so the next reader builds anew and nobody keeps a mix.
    """
    version = menu_version(store_id)
    known = _remembered.get(store_id)
    if known is None or known.version != version:
        known = _remembered[store_id] = _build(store_id, version)
    return known


def remembered_menu(store_id: UUID) -> MenuSnapshot:
    """Return a store's menu as this process last saw it, without a query.

    For a caller that refuses nothing by it and compares its version with ``MenuVersion`` in the transaction of its change.
    """
    return _remembered.get(store_id) or menu_snapshot(store_id)


def product_snapshots(products: Iterable[Product], store_id: UUID | None) -> dict[UUID, ProductSnapshot]:
    """Return products as sold at one store, or by the chain's own values, by id in their order; at most seven queries.

    What the store does not sell is left out, also from the slots of combos.
    """
    rows = list(products)
    slots, choices = _slots([product.id for product in rows if product.kind == ProductKind.COMBO])
    asked = {product.id: product for product in rows}
    chosen = {choice.product_id: choice.product for of_slot in choices.values() for choice in of_slot}
    found = _alone(list((chosen | asked).values()), store_id)
    return {
        product.id: _with_slots(found[product.id], slots[product.id], choices, found)
        if product.kind == ProductKind.COMBO
        else found[product.id]
        for product in rows
        if product.id in found
    }


def _with_slots(
    combo: ProductSnapshot,
    slots: list[ComboSlot],
    choices: dict[UUID, list[SlotChoice]],
    sold: dict[UUID, ProductSnapshot],
) -> ProductSnapshot:
    """Return a combo with its slots filled from what is sold."""
    filled = tuple(
        SlotSnapshot(
            id=slot.id,
            name=slot.name,
            choices=tuple(
                ChoiceSnapshot(product=sold[choice.product_id], price_delta=choice.price_delta)
                for choice in choices[slot.id]
                if choice.product_id in sold
            ),
        )
        for slot in slots
    )
    allergens = [code for slot in filled for choice in slot.choices for code in choice.product.allergens]
    return replace(combo, slots=filled, allergens=tuple(dict.fromkeys([*combo.allergens, *allergens])))


def _slots(combos: list[UUID]) -> tuple[dict[UUID, list[ComboSlot]], dict[UUID, list[SlotChoice]]]:
    """Return the slots by combo and the choices by slot, both in order: singles that are on the chain's menu."""
    slots: dict[UUID, list[ComboSlot]] = defaultdict(list)
    choices: dict[UUID, list[SlotChoice]] = defaultdict(list)
    if not combos:
        return slots, choices
    for slot in ComboSlot.objects.filter(product__in=combos).order_by("position", "id"):
        slots[slot.product_id].append(slot)
    on_menu = Q(product__kind=ProductKind.SINGLE, product__archived_at=None, product__category__archived_at=None)
    known = SlotChoice.objects.filter(on_menu, slot__product__in=combos).select_related("product")
    for choice in known.order_by("position", "id"):
        choices[choice.slot_id].append(choice)
    return slots, choices


def _alone(rows: list[Product], store_id: UUID | None) -> dict[UUID, ProductSnapshot]:
    """Return products without their slots, by id; at most five queries."""
    ids = [product.id for product in rows]
    own_rows = StoreProduct.objects.filter(store_id=store_id, product__in=ids) if store_id else ()
    here = {row.product_id: row for row in own_rows}
    groups, marks = _groups(ids, store_id), _marks(ids, store_id)
    found = {}
    for product in rows:
        own = here.get(product.id)
        if own is not None and not own.sold_here:
            continue
        found[product.id] = ProductSnapshot(
            id=product.id,
            slug=product.slug,
            kind=product.kind,
            name=product.name,
            description=product.description,
            price=own.price if own is not None and own.price is not None else product.price,
            picture=product.picture,
            photo=product.photo,
            station=product.station,
            prep_minutes=product.prep_minutes,
            allergens=tuple(product.allergens),
            tags=tuple(product.tags),
            needs_release=product.needs_release,
            paused_until=own.paused_until if own is not None else None,
            groups=tuple(groups.get(product.id, ())),
            marks=tuple(marks.get(product.id, ())),
        )
    return found


def products_on_offer(*, category: str = "", words: str = "", store_id: UUID | None = None) -> QuerySet[Product]:
    """Return the products not archived, of one category or all, whose name or description has ``words`` in it.

    Accents, case and small slips of the finger do not matter. With a store, only what it sells.
    """
    found = Product.objects.filter(archived_at=None, category__archived_at=None)
    if category:
        found = found.filter(category__slug=category)
    if store_id is not None:
        not_here = StoreProduct.objects.filter(store_id=store_id, sold_here=False)
        found = found.exclude(id__in=not_here.values("product_id"))
    if words:
        asked = plain(words)
        found = found.annotate(
            plain_name=_plain("name"),
            plain_description=_plain("description"),
            likeness=TrigramWordSimilarity(asked, _plain("name")),
        ).filter(Q(plain_name__contains=asked) | Q(plain_description__contains=asked) | Q(likeness__gte=CLOSE_ENOUGH))
    return found


def plain(text: str) -> str:
    """Return text without accents and capitals, as the database's ``unaccent(lower(…))`` does."""
    letters = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _plain(column: str) -> Func:
    return Func(Lower(column), function="unaccent", output_field=CharField())


def _build(store_id: UUID, version: int) -> MenuSnapshot:
    rows = list(Product.objects.filter(archived_at=None).order_by("position", "name"))
    found = product_snapshots(rows, store_id)
    shelves: dict[UUID, list[ProductSnapshot]] = defaultdict(list)
    for row in rows:
        if row.id in found:
            shelves[row.category_id].append(found[row.id])
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
        opening=opening_of(store_id),
        packaging_fee=packaging_fee_of(store_id),
    )


def _groups(products: list[UUID], store_id: UUID | None) -> dict[UUID, list[GroupSnapshot]]:
    """Return the modifier groups of products, in order; a group left without options is not asked."""
    links = list(ProductModifierGroup.objects.filter(product__in=products).select_related("group").order_by("position"))
    here = {row.option_id: row for row in StoreOption.objects.filter(store_id=store_id)} if store_id else {}
    options: dict[UUID, list[OptionSnapshot]] = defaultdict(list)
    asked = {link.group_id for link in links}
    for option in Option.objects.filter(archived_at=None, group__in=asked).order_by("position", "name"):
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
    for link in links:
        group = link.group
        if options[group.id]:
            groups[link.product_id].append(
                GroupSnapshot(
                    id=group.id, name=group.name, min=group.min, max=group.max, options=tuple(options[group.id])
                )
            )
    return groups


def _marks(products: list[UUID], store_id: UUID | None) -> dict[UUID, list[MarkSnapshot]]:
    marks: dict[UUID, list[MarkSnapshot]] = defaultdict(list)
    if store_id is None:
        return marks
    for mark in Mark.objects.filter(store_id=store_id, product__in=products).order_by("kind"):
        marks[mark.product_id].append(MarkSnapshot(kind=mark.kind, until=mark.until, value=mark.value))
    return marks
