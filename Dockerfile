# One image for every role: docker run … web | stream | engine | worker | prepare | <any manage.py command>
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/python -m pip install --require-hashes --no-compile -r /tmp/requirements.txt
WORKDIR /srv/breadmate
COPY manage.py ./
COPY breadmate breadmate
COPY apps apps
COPY ops ops
COPY templates templates
COPY static static
COPY locale locale
# Neither needs a database or a secret; both are only read until the files are written.
# The command also compiles the translations: at run time nothing may be written here.
RUN BREADMATE_ENV=development STATIC_ROOT=/srv/static /opt/venv/bin/python manage.py collectstatic --noinput -v 0 \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib /srv/breadmate \
    && mkdir /srv/media && chown 10001:10001 /srv/media \
    && rm -rf /opt/venv/lib/python3*/site-packages/pip /opt/venv/bin/pip*

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BREADMATE_ENV=production \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media \
    PORT=8000
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
WORKDIR /srv/breadmate
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', headers={'X-Forwarded-Proto': 'https'}), timeout=2)"]
ENTRYPOINT ["/bin/sh", "ops/role.sh"]
CMD ["web"]
