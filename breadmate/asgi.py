"""ASGI entry of the stream process (``BREADMATE_ROLE=stream``): live streams and nothing else.

An open stream holds no thread here; under WSGI it would block one each.
"""

import os

from django.core.asgi import get_asgi_application

from breadmate.start import refuse_if_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")
os.environ.setdefault("BREADMATE_ROLE", "stream")
application = get_asgi_application()
refuse_if_misconfigured()
