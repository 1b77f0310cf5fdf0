"""ASGI entry of the stream process (``BREADMATE_ROLE=stream``): live streams and nothing else.

An open stream holds no thread here; under WSGI it would block one each.
"""

import os

import django

from breadmate.requests import StreamHandler
from breadmate.start import refuse_if_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breadmate.settings")
os.environ.setdefault("BREADMATE_ROLE", "stream")
django.setup(set_prefix=False)
application = StreamHandler()
refuse_if_misconfigured()
