"""Which roles may call a view; a view that names none answers nobody."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.core.facade import Actor, Role

if TYPE_CHECKING:  # DRF's views read this module while they are being imported
    from rest_framework.views import APIView


class Nobody(BasePermission):
    """The default: a new view is closed until it says whom it serves."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Refuse."""
        return False


class _Everywhere(BasePermission):
    roles: frozenset[Role] = frozenset()

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller: object = request.user
        return isinstance(caller, Actor) and caller.stores_with(self.roles) is None


class _Roles(BasePermission):
    roles: frozenset[Role] = frozenset()

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller: object = request.user
        return isinstance(caller, Actor) and caller.has_any(self.roles)


def may(*roles: Role) -> type[BasePermission]:
    """Make the permission of a view that serves these roles; the service checks the store."""
    return type("Roles", (_Roles,), {"roles": frozenset(roles)})


def may_everywhere(*roles: Role) -> type[BasePermission]:
    """Make the permission of a view that changes what all stores share: a role held at one of them is not enough."""
    return type("RolesEverywhere", (_Everywhere,), {"roles": frozenset(roles)})
