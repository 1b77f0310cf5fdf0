"""WSGI entry: API, admin and pages."""

import os

from django.core.wsgi import get_wsgi_application

from breadmate.start import refuse_if_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")
application = get_wsgi_application()
refuse_if_misconfigured()
