"""Makes the provider know our stores and kiosks; doing it again changes nothing."""

from dataclasses import dataclass
from uuid import UUID

from apps.payments import accounts
from apps.payments.accounts import Account
from apps.payments.errors import ProviderError, ProviderRejectedError
from apps.payments.models import PointOfSale
from apps.payments.providers.mercado_pago import places
from apps.payments.rules import pos_external_id
from apps.stores.facade import StoreFacts, every_store, kiosks_of

EXISTS = 409


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is there now; ``made`` tells whether it was not before."""

    what: str
    external_id: str
    made: bool


class LocationMissingError(ProviderError):
    """The provider does not know the store yet, and to register it we must be told where it is."""


def stores_to_set_up(code: str | None) -> list[StoreFacts]:
    """Return the stores the provider has to know, or the one with this code; one for training is never among them."""
    return [store for store in every_store() if not store.training and code in (None, store.code)]


def set_up(store: StoreFacts, *, location: places.Location | None) -> list[Step]:
    """Register a store, its till and one till a kiosk, in the account its guests pay into.

    Raises:
        LocationMissingError: the store has to be registered and ``location`` is None.
        ProviderRejectedError, ProviderUnavailableError: as ``calls.call``; what was done so far stays, call again.
    """
    account = accounts.for_store(store.id)
    seller_id, external_id = str(places.seller(account).get("id", "")), pos_external_id(store.code)
    number = places.find_store(account, seller_id=seller_id, external_id=external_id)
    steps = [Step(f"loja {store.name}", external_id, made=number is None)]
    if number is None:
        if location is None:
            raise LocationMissingError(store.code)
        number = places.create_store(
            account, seller_id=seller_id, external_id=external_id, name=store.name, location=location
        )
    tills: list[tuple[UUID | None, str]] = [(None, "Caixa"), *kiosks_of(store.id).items()]
    return steps + [_till(account, store, number, device_id, name) for device_id, name in tills]


def _till(account: Account, store: StoreFacts, number: str, device_id: UUID | None, name: str) -> Step:
    external_id = pos_external_id(store.code, device_id)
    known = places.find_pos(account, external_id=external_id)
    made = known is None
    if known is None:
        try:
            known = places.create_pos(
                account,
                store_number=number,
                external_store_id=pos_external_id(store.code),
                external_id=external_id,
                name=name,
            )
        except ProviderRejectedError as refusal:
            if refusal.http_status != EXISTS:
                raise
            known, made = places.find_pos(account, external_id=external_id) or "", False
    PointOfSale.objects.update_or_create(
        store_id=store.id,
        device_id=device_id,  # type: ignore[misc]  # None is "no device"
        account_id=account.id,
        defaults={"external_id": external_id, "provider_id": known},
    )
    return Step(f"caixa {name}", external_id, made=made)
