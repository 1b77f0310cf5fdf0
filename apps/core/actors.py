"""Who does something."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a credential may do: three kinds of devices, staff, customers, and the scopes of integrators' keys."""

    KIOSK = "kiosk"
    BOARD = "board"
    PANEL = "panel"
    OWNER = "owner"
    MANAGER = "manager"
    CASHIER = "cashier"
    KITCHEN = "kitchen"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    ORDERS_READ = "orders:read"
    EXPORTS = "exports"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role at one store; ``store`` None means every store of the chain."""

    role: Role
    store: UUID | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf a change is made, written into history and audit.

    Built from a credential at the edge; the stores come from here and never from a request.
    """

    kind: str  # device | staff | customer | integrator | provider | system
    id: UUID | None
    grants: frozenset[Grant]

    is_authenticated = True

    @property
    def principal(self) -> str:
        """The scope of an idempotency key."""
        return f"{self.kind}:{self.id}"

    def roles_at(self, store_id: UUID) -> frozenset[Role]:
        """Return the roles held at one store."""
        return frozenset(grant.role for grant in self.grants if grant.store in (None, store_id))

    def has_any(self, roles: frozenset[Role]) -> bool:
        """Tell whether one of the roles is held anywhere."""
        return any(grant.role in roles for grant in self.grants)

    def stores_with(self, roles: frozenset[Role]) -> frozenset[UUID] | None:
        """Return the stores where one of the roles is held; None means all of them."""
        held = {grant.store for grant in self.grants if grant.role in roles}
        return None if None in held else frozenset(store for store in held if store is not None)

    def store_ids(self) -> frozenset[UUID] | None:
        """Return the stores this actor may see; None means all of them."""
        if any(grant.store is None for grant in self.grants):
            return None
        return frozenset(grant.store for grant in self.grants if grant.store is not None)

    def only_store(self) -> UUID | None:
        """Return the store of an actor who has exactly one, as every device has."""
        stores = self.store_ids()
        return next(iter(stores)) if stores is not None and len(stores) == 1 else None


SYSTEM = Actor(kind="system", id=None, grants=frozenset())
PROVIDER = Actor(kind="provider", id=None, grants=frozenset())
