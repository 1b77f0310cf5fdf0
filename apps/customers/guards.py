"""How often who may ask about customers; each list is for ``limits.hit``, narrowest first."""

from django.conf import settings

from apps.core.facade import Actor, Limit

MINUTE, HOUR = 60, 60 * 60
CODES_AN_ADDRESS = 20
EXPORTS_A_CUSTOMER = 10


def of_device_lookup(device: Actor) -> list[Limit]:
    """Return what bounds the look-ups on a device and in its store."""
    key, store = str(device.id), str(device.only_store())
    return [
        Limit("lookup.device.minute", key, settings.LIMIT_LOOKUP_PER_MINUTE, MINUTE),
        Limit("lookup.device.hour", key, settings.LIMIT_LOOKUP_PER_HOUR, HOUR),
        Limit("lookup.store.hour", store, settings.LIMIT_LOOKUP_PER_STORE_HOUR, HOUR),
    ]


def of_staff_lookup(person: Actor) -> list[Limit]:
    """Return what bounds one person, in the API and the back office together."""
    return [Limit("lookup.staff.hour", str(person.id), settings.LIMIT_STAFF_LOOKUP_PER_HOUR, HOUR)]


def of_claiming(address: str) -> list[Limit]:
    """Return what bounds the codes tried from one address; each claim ends after five wrong ones whoever tries."""
    return [Limit("claim.address.hour", address, CODES_AN_ADDRESS, HOUR)]


def of_export(customer: Actor) -> list[Limit]:
    """Return what bounds how often a customer draws everything held about them."""
    return [Limit("export.customer.hour", str(customer.id), EXPORTS_A_CUSTOMER, HOUR)]


def of_registration(address: str) -> list[Limit]:
    """Return what bounds registrations from one address."""
    return [Limit("register.address.hour", address, settings.LIMIT_REGISTER_PER_HOUR, HOUR)]
