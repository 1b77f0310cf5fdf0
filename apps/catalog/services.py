"""Changing the menu. Rows of the change come first, the stores' menu versions last, so that nobody waits in a circle."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils.text import slugify

from apps.catalog.finished import shelf
from apps.catalog.models import (
    Category,
    Mark,
    MenuVersion,
    ModifierGroup,
    Option,
    Product,
    ProductModifierGroup,
    StoreOption,
    StoreProduct,
)
from apps.catalog.snapshot import MarkKind
from apps.contracts.events import MenuChanged
from apps.core.facade import Actor, InvalidError, NotFoundError, Role, publish, trail
from apps.stores.facade import every_store_id, store_by_id

PAUSERS = frozenset({Role.BOARD, Role.KITCHEN, Role.MANAGER, Role.OWNER})
TERM_SETTERS = frozenset({Role.MANAGER, Role.OWNER})
LONGEST_SLUG = 50


class CategoryTerms(TypedDict, total=False):
    """What may be said of a category; what is left out stays, or takes its default in a new one."""

    name: str
    slug: str
    position: int


class ProductTerms(TypedDict, total=False):
    """What the chain may say of a product; what is left out stays, or takes its default in a new one."""

    category: UUID
    name: str
    slug: str
    description: str
    price: Decimal
    station: str
    prep_minutes: int
    allergens: list[str]
    tags: list[str]
    needs_release: bool
    position: int
    modifier_groups: list[UUID]


class StoreTerms(TypedDict, total=False):
    """What one store may say of a product; ``price`` None means the chain's."""

    price: Decimal | None
    sold_here: bool


@transaction.atomic
def menu_changed(*, store_ids: Iterable[UUID], at: datetime) -> None:
    """Raise the menu version of these stores, in the transaction of the change itself.

    Locks: the version rows in the order of their stores, until commit. Emits: ``MenuChanged`` for each.
    """
    for store_id in sorted(set(store_ids)):
        row, is_new = MenuVersion.objects.get_or_create(store_id=store_id)
        if not is_new:
            MenuVersion.objects.filter(store_id=store_id).update(value=F("value") + 1)
            row.refresh_from_db()
        publish(MenuChanged(subject=store_id, store=store_id, seq=row.value, at=at))
        shelf.doubt(store_id)
        transaction.on_commit(lambda store=store_id: shelf.doubt(store))  # type: ignore[misc]  # mypy: default in lambda


@transaction.atomic
def create_product(*, terms: ProductTerms, by: Actor, at: datetime) -> Product:
    """Add a product to the chain; every store sells it until it says otherwise.

    Raises:
        InvalidError: the category or a modifier group does not exist, or the slug is taken.

    Locks: the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for each.
    """
    product = Product()
    columns = _columns(terms)
    _apply(product, columns)
    product.slug = terms.get("slug") or _free_slug(Product.objects.all(), product.name)
    _save(product)
    if "modifier_groups" in terms:
        _set_groups(product, terms["modifier_groups"])
    told = [trail.change(Product, name, None, getattr(product, name)) for name in (*columns, "slug")]
    trail.record(by=by, action="catalog.product_added", at=at, subject=product, changes=told)
    menu_changed(store_ids=every_store_id(), at=at)
    return product


@transaction.atomic
def change_product(*, product_id: UUID, terms: ProductTerms, by: Actor, at: datetime) -> Product:
    """Change what the chain says of a product. Saying what is so already changes nothing and emits nothing.

    Raises:
        NotFoundError: no such product, or it is archived.
        InvalidError: the category or a modifier group does not exist, or the slug is taken.

    Locks: the product row, then the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for each.
    """
    product = _product_for_update(product_id)
    columns = _columns(terms)
    before = trail.values_of(product, columns)
    asked_before = _group_names(product)
    changed = _apply(product, columns)
    if changed:
        _save(product)
    if "modifier_groups" in terms:
        changed = _set_groups(product, terms["modifier_groups"]) or changed
    if changed:
        told = trail.differences(product, before)
        if asked_before != (asked := _group_names(product)):
            told.append(trail.change(Product, "modifier_groups", asked_before, asked))
        trail.record(by=by, action="catalog.product_changed", at=at, subject=product, changes=told)
        menu_changed(store_ids=every_store_id(), at=at)
    return product


@transaction.atomic
def archive_product(*, product_id: UUID, by: Actor, at: datetime) -> None:
    """Take a product off every menu for good; orders keep what they say of it.

    Raises:
        NotFoundError: no such product, or it is archived already.

    Locks: the product row, then the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for each.
    """
    product = _product_for_update(product_id)
    product.archived_at = at
    product.save(update_fields=["archived_at"])
    trail.record(by=by, action="catalog.product_archived", at=at, subject=product)
    menu_changed(store_ids=every_store_id(), at=at)


@transaction.atomic
def set_store_terms(*, product_id: UUID, store_id: UUID, terms: StoreTerms, by: Actor, at: datetime) -> StoreProduct:
    """Say what differs for a product at one store. Saying what is so already changes nothing and emits nothing.

    Raises:
        NotFoundError: no such product or store, or the actor does not manage it.

    Locks: the store's row of the product, then its version row, until commit. Emits: ``MenuChanged``.
    """
    row = _store_product_for_update(product_id, store_id, by, TERM_SETTERS)
    before = trail.values_of(row, terms)
    if _apply(row, terms):
        row.save()
        told = trail.differences(row, before)
        trail.record(by=by, action="catalog.store_terms_set", at=at, subject=row, store_id=store_id, changes=told)
        menu_changed(store_ids=[store_id], at=at)
    return row


@transaction.atomic
def create_category(*, terms: CategoryTerms, by: Actor, at: datetime) -> Category:
    """Add a shelf to the menu of the chain; kiosks show it when it holds something.

    Raises:
        InvalidError: the slug is taken.

    Locks: the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for each.
    """
    category = Category()
    _apply(category, terms)
    category.slug = terms.get("slug") or _free_slug(Category.objects.all(), category.name)
    _save(category)
    told = [trail.change(Category, name, None, getattr(category, name)) for name in ("name", "slug", "position")]
    trail.record(by=by, action="catalog.category_added", at=at, subject=category, changes=told)
    menu_changed(store_ids=every_store_id(), at=at)
    return category


@transaction.atomic
def change_category(*, category_id: UUID, terms: CategoryTerms, by: Actor, at: datetime) -> Category:
    """Change a shelf. Saying what is so already changes nothing and emits nothing.

    Raises:
        NotFoundError: no such category, or it is archived.
        InvalidError: the slug is taken.

    Locks: the category row, then the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for
    each.
    """
    category = _category_for_update(category_id)
    before = trail.values_of(category, terms)
    if _apply(category, terms):
        _save(category)
        told = trail.differences(category, before)
        trail.record(by=by, action="catalog.category_changed", at=at, subject=category, changes=told)
        menu_changed(store_ids=every_store_id(), at=at)
    return category


@transaction.atomic
def archive_category(*, category_id: UUID, by: Actor, at: datetime) -> None:
    """Take a shelf and everything on it off every menu; its products stay and can be moved to another.

    Raises:
        NotFoundError: no such category, or it is archived already.

    Locks: the category row, then the version rows of all stores in their order, until commit. Emits: ``MenuChanged`` for
    each.
    """
    category = _category_for_update(category_id)
    category.archived_at = at
    category.save(update_fields=["archived_at"])
    trail.record(by=by, action="catalog.category_archived", at=at, subject=category)
    menu_changed(store_ids=every_store_id(), at=at)


@transaction.atomic
def pause_product(*, product_id: UUID, store_id: UUID, until: datetime | None, by: Actor, at: datetime) -> StoreProduct:
    """Stop selling a product at one store until then; None sells it again at once. Repeating it changes nothing.

    Raises:
        NotFoundError: no such product or store, or not the actor's.

    Locks: the store's row of the product, then its version row, until commit. Emits: ``MenuChanged``.
    """
    row = _store_product_for_update(product_id, store_id, by, PAUSERS)
    before = trail.values_of(row, ["paused_until"])
    if _apply(row, {"paused_until": until}):
        row.save()
        _record_pause(row, before, by, at)
        menu_changed(store_ids=[store_id], at=at)
    return row


@transaction.atomic
def pause_option(*, option_id: UUID, store_id: UUID, until: datetime | None, by: Actor, at: datetime) -> StoreOption:
    """Stop offering an option at one store until then; None offers it again at once. Repeating it changes nothing.

    Raises:
        NotFoundError: no such option or store, or not the actor's.

    Locks: the store's row of the option, then its version row, until commit. Emits: ``MenuChanged``.
    """
    _check_store(store_id, by, PAUSERS)
    if not Option.objects.filter(id=option_id, archived_at=None).exists():
        raise NotFoundError("Esta opção não existe.")
    StoreOption.objects.get_or_create(store_id=store_id, option_id=option_id)
    row = StoreOption.objects.select_for_update().get(store_id=store_id, option_id=option_id)
    before = trail.values_of(row, ["paused_until"])
    if _apply(row, {"paused_until": until}):
        row.save()
        _record_pause(row, before, by, at)
        menu_changed(store_ids=[store_id], at=at)
    return row


@transaction.atomic
def hold_menu(*, store_id: UUID) -> None:
    """Let nobody else change a store's marks until this transaction ends, so that facts read from now on stay true.

    Locks: the store's version row, until commit. Call it after every other lock of the transaction.
    """
    MenuVersion.objects.get_or_create(store_id=store_id)
    MenuVersion.objects.select_for_update().get(store_id=store_id)


@transaction.atomic
def set_mark(*, store_id: UUID, product_id: UUID, kind: str, until: datetime | None, value: str, at: datetime) -> bool:
    """Mark a product at one store; return whether that was news. Repeating it changes nothing and emits nothing.

    Locks: the store's version row, until commit. Emits: ``MenuChanged``.
    """
    hold_menu(store_id=store_id)
    known = Mark.objects.filter(store_id=store_id, product_id=product_id, kind=kind)
    if known.filter(until=until, value=value).exists():
        return False
    Mark.objects.update_or_create(
        store_id=store_id, product_id=product_id, kind=kind, defaults={"until": until, "value": value}
    )
    menu_changed(store_ids=[store_id], at=at)
    return True


@transaction.atomic
def clear_mark(*, store_id: UUID, product_id: UUID, kind: str, at: datetime) -> bool:
    """Take a mark away; return whether there was one. Repeating it changes nothing and emits nothing.

    Locks: the store's version row, until commit. Emits: ``MenuChanged``.
    """
    hold_menu(store_id=store_id)
    gone, _ = Mark.objects.filter(store_id=store_id, product_id=product_id, kind=kind).delete()
    if gone:
        menu_changed(store_ids=[store_id], at=at)
    return bool(gone)


@transaction.atomic
def set_sold_out(*, store_id: UUID, sold_out: Collection[UUID], in_stock: Collection[UUID], at: datetime) -> bool:
    """Mark and clear several products at once, with one new version; return whether any of it was news.

    Locks: the store's version row, until commit. Emits: ``MenuChanged``.
    """
    hold_menu(store_id=store_id)
    marks = Mark.objects.filter(store_id=store_id, kind=MarkKind.SOLD_OUT)
    known = set(marks.filter(product__in=sold_out).values_list("product_id", flat=True))
    new = [Mark(store_id=store_id, product_id=id_, kind=MarkKind.SOLD_OUT) for id_ in set(sold_out) - known]
    Mark.objects.bulk_create(new)
    gone, _ = marks.filter(product__in=in_stock).delete()
    if new or gone:
        menu_changed(store_ids=[store_id], at=at)
    return bool(new or gone)


def _product_for_update(product_id: UUID) -> Product:
    product = Product.objects.select_for_update().filter(id=product_id, archived_at=None).first()
    if product is None:
        raise NotFoundError("Este produto não existe.")
    return product


def _category_for_update(category_id: UUID) -> Category:
    category = Category.objects.select_for_update().filter(id=category_id, archived_at=None).first()
    if category is None:
        raise NotFoundError("Esta categoria não existe.")
    return category


def _store_product_for_update(product_id: UUID, store_id: UUID, by: Actor, roles: frozenset[Role]) -> StoreProduct:
    """Lock what a store says of a product, made if it never said anything."""
    _check_store(store_id, by, roles)
    if not Product.objects.filter(id=product_id, archived_at=None).exists():
        raise NotFoundError("Este produto não existe.")
    StoreProduct.objects.get_or_create(store_id=store_id, product_id=product_id)
    return StoreProduct.objects.select_for_update().get(store_id=store_id, product_id=product_id)


def _check_store(store_id: UUID, by: Actor, roles: frozenset[Role]) -> None:
    """Refuse a store that is not the actor's exactly like one that does not exist."""
    if not by.roles_at(store_id) & roles or store_by_id(store_id) is None:
        raise NotFoundError("Esta loja não existe ou não é sua.")


def _columns(terms: ProductTerms) -> dict[str, Any]:
    """Return a product's own columns, its category checked."""
    columns: dict[str, Any] = {name: value for name, value in terms.items() if name != "modifier_groups"}
    category_id = columns.pop("category", None)
    if category_id is not None:
        if not Category.objects.filter(id=category_id, archived_at=None).exists():
            raise _refused("category", "Esta categoria não existe.")
        columns["category_id"] = category_id
    return columns


def _record_pause(row: StoreProduct | StoreOption, before: Mapping[str, Any], by: Actor, at: datetime) -> None:
    action = "catalog.resumed" if row.paused_until is None else "catalog.paused"
    told = trail.differences(row, before)
    trail.record(by=by, action=action, at=at, subject=row, store_id=row.store_id, changes=told)


def _group_names(product: Product) -> list[str]:
    links = ProductModifierGroup.objects.filter(product=product).order_by("position")
    return list(links.values_list("group__name", flat=True))


def _apply(row: models.Model, terms: Mapping[str, Any]) -> bool:
    """Set columns; tell whether any of them had another value."""
    changed = False
    for name, value in terms.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _save(row: Product | Category) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as problem:
        if "slug" not in str(problem):
            raise
        raise _refused("slug", "Este apelido já é de outro.", code="unique") from None


def _set_groups(product: Product, groups: list[UUID]) -> bool:
    """Ask exactly these groups about a product, in this order; tell whether that is another list than before."""
    links = ProductModifierGroup.objects.filter(product=product)
    if list(links.order_by("position").values_list("group_id", flat=True)) == groups:
        return False
    if len(set(groups)) < len(groups) or ModifierGroup.objects.filter(id__in=groups).count() < len(groups):
        raise _refused("modifier_groups", "Um dos grupos não existe ou aparece duas vezes.")
    links.delete()
    for position, group in enumerate(groups):  # one by one, so that each has its history
        ProductModifierGroup.objects.create(product=product, group_id=group, position=position)
    return True


def _free_slug(taken: "models.QuerySet[Any]", name: str) -> str:
    """Make a slug of a name; a number is added when it is taken."""
    slug = slugify(name)[: LONGEST_SLUG - 4] or "item"
    used = set(taken.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(each for each in (slug, *(f"{slug}-{number}" for number in range(2, 1000))) if each not in used)


def _refused(field: str, detail: str, code: str = "invalid") -> InvalidError:
    return InvalidError("Confira os campos indicados.", errors=[{"field": field, "code": code, "detail": detail}])
