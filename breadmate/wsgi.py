"""WSGI entry: API, admin and pages."""

import os

import django

from breadmate.requests import WebHandler
from breadmate.start import refuse_if_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")
django.setup(set_prefix=False)
application = WebHandler()
refuse_if_misconfigured()
