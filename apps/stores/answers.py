"""What the devices API and signing in answer, told to the API's schema; see ``core.answers``."""

from rest_framework import serializers

from apps.core.facade import Role, Shape

DEVICE_KINDS = [Role.KIOSK.value, Role.BOARD.value, Role.PANEL.value]


class Paired(Shape):
    """What a device keeps."""

    token = serializers.CharField()
    kind = serializers.ChoiceField(choices=DEVICE_KINDS)
    store = serializers.UUIDField()


class Heard(Shape):
    """The server's time, and whether the device shows an old page."""

    now = serializers.DateTimeField()
    reload = serializers.BooleanField()


class Tokens(Shape):
    """What a client keeps; customers get no ``refresh`` and sign in again a day later."""

    access = serializers.CharField()
    refresh = serializers.CharField(allow_null=True)
    expires_in = serializers.IntegerField(help_text="Seconds until ``access`` is over.")
