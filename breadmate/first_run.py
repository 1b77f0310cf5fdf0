"""Setting up a new shop: what is there already, what comes next, and the code that lets the first owner in."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction

from apps.catalog import photos
from apps.catalog.models import Category, Product
from apps.catalog.services import create_product
from apps.core.facade import Actor, DomainError, Finding, Grant, InvalidError, Level, Role, User, trail
from apps.payments import accounts, doctor, setup
from apps.payments.accounts import Account
from apps.payments.errors import ProviderError
from apps.payments.models import PointOfSale, ProviderAccount
from apps.payments.providers.mercado_pago.places import Location
from apps.stores import services as stores
from apps.stores.models import Device, OpeningHours, StaffRole, Store
from apps.stores.queries import store_by_id

PATH = "/comecar/"
CODE_LENGTH = 20  # of 32 letters: 100 bits
GROUP_LENGTH = 5
KIOSK_NAME = "Totem 1"


class SetUpAlreadyError(DomainError):
    """Somebody owns this shop already."""

    code = "permission_denied"
    status = 403
    title = "A loja já tem dono"


@dataclass(frozen=True, slots=True)
class Progress:
    """What of a shop is there. ``store`` is the first one; ``account`` tells whether guests can pay by themselves."""

    owned: bool
    store: Store | None
    account: bool
    product: bool
    kiosk: bool


def progress() -> Progress:
    """Look at the shop; at most six queries."""
    return Progress(
        owned=is_owned(),
        store=Store.objects.order_by("created_at").first(),
        account=PointOfSale.objects.exists(),
        product=Product.objects.filter(archived_at=None).exists(),
        kiosk=Device.objects.filter(kind=Role.KIOSK, revoked_at=None).exclude(paired_at=None).exists(),
    )


def is_owned() -> bool:
    """Tell whether somebody answers for the whole chain. Two queries at most."""
    return (
        StaffRole.objects.filter(role=Role.OWNER, store=None).exists()
        or User.objects.filter(is_superuser=True).exists()
    )


def is_over() -> bool:
    """Tell whether the shop can be looked after in its administration."""
    return is_owned() and Store.objects.exists()


def code() -> str:
    """Return what only who started this installation can know; worth nothing once the shop has an owner."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"breadmate.first_run", hashlib.sha256)
    letters = base64.b32encode(digest).decode()[:CODE_LENGTH]
    return "-".join(letters[start : start + GROUP_LENGTH] for start in range(0, CODE_LENGTH, GROUP_LENGTH))


def way_in() -> str:
    """Return the address that leads the first owner in, code and all."""
    return f"{PATH}dono/?codigo={code()}"


def is_code(typed: str) -> bool:
    """Compare, whatever the case and the separators, in constant time."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return hmac.compare_digest(letters.encode(), code().replace("-", "").encode())


@transaction.atomic
def make_owner(*, name: str, email: str, password: str, at: datetime) -> User:
    """Give the shop its first owner.

    Raises:
        SetUpAlreadyError: it has one.
        InvalidError: the e-mail is another account's.

    Locks: the setting up of this shop, until commit.
    """
    _one_at_a_time()
    if is_owned():
        raise SetUpAlreadyError("Entre com a conta que já existe.")
    if User.objects.filter(email=email.strip().lower()).exists():
        raise InvalidError("Este e-mail já é de outra conta.")
    user = User.objects.create_user(email, password, name=name, is_staff=True)
    StaffRole.objects.create(user=user, role=Role.OWNER, store=None)
    trail.record(by=_owner(user), action="first_run.owner_made", at=at, subject=user)
    return user


@transaction.atomic
def open_store(
    *, name: str, code: str, timezone: str, days: list[int], hours: tuple[time, time] | None, by: Actor, at: datetime
) -> Store:
    """Open the first store; without hours it takes orders always. A second call returns the store that is there.

    Raises:
        InvalidError: the code is not one.

    Locks: the setting up of this shop, until commit. Emits: ``OpeningChanged``.
    """
    _one_at_a_time()
    known = Store.objects.order_by("created_at").first()
    if known is not None:
        return known
    store = Store.objects.create(name=name, code=code, timezone=timezone)
    if hours is not None:
        opens_at, closes_at = hours
        OpeningHours.objects.bulk_create(
            OpeningHours(store=store, weekday=weekday, opens_at=opens_at, closes_at=closes_at) for weekday in days
        )
    trail.record(by=by, action="admin.added", at=at, subject=store, store_id=store.id)
    stores.opening_changed(store_id=store.id, at=at)
    return store


def connect_payments(
    *, store: Store, token: str | None, secret: str, location: Location | None, by: Actor, at: datetime
) -> list[Finding]:
    """Try credentials, keep them if they hold, register store and tills with the provider; return what is to be said.

    No transaction is open while the provider is asked.

    Args:
        token: None for the one that is kept already.

    Returns:
        What ``mp_doctor`` says; only the finding on the token when that does not hold: nothing was kept then.

    Raises:
        InvalidError: no token at all, or a credential with a character that none has.
        LocationMissingError: the provider does not know the store, and has to be told where it is; the credentials are kept.
        ProviderError: it did not take the store; the credentials are kept.
    """
    facts = store_by_id(store.id)
    assert facts is not None  # noqa: S101 - it was read a moment ago
    account = ProviderAccount.objects.filter(store=None).first() or ProviderAccount(label=store.name[:60])
    secrets = [secret] if secret else None
    accounts.check_credentials(account, token=token, secrets=secrets)
    if token is not None:
        found = doctor.look_at_token(Account(key=str(account.id), id=account.id, token=token))
        if found.level != Level.OK:
            return [found]
    accounts.set_account(account, token=token, secrets=secrets, by=by, at=at)
    setup.set_up(facts, location=location)
    return list(doctor.examine(facts, at=at))


@transaction.atomic
def sell_first(
    *, category: Category, name: str, price: Decimal, photo: photos.Photo | None, by: Actor, at: datetime
) -> Product:
    """Put the first product on the menu.

    Raises:
        InvalidError: as ``create_product``.

    Locks, emits: as ``create_product``.
    """
    product = create_product(terms={"category": category.id, "name": name, "price": price}, by=by, at=at)
    if photo is not None:
        product.photo = photos.keep(photo)
        product.save(update_fields=["photo"])
    return product


def kiosk_of(store: Store) -> Device:
    """Return the store's first kiosk, made when it has none; a till for it is made at the provider, if that answers."""
    device, is_new = Device.objects.get_or_create(store=store, name=KIOSK_NAME, defaults={"kind": Role.KIOSK})
    facts = store_by_id(store.id)
    if is_new and facts is not None and PointOfSale.objects.exists():
        try:
            setup.set_up(facts, location=None)
        except ProviderError:
            return device  # it pays into the store's own till until mp_setup is run
    return device


def _owner(user: User) -> Actor:
    return Actor(kind="staff", id=user.pk, grants=frozenset({Grant(Role.OWNER, None)}))


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('breadmate.first_run', 0))")
