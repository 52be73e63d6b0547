# syntax=docker/dockerfile:1
# One image for the web server, the worker and every command. Nothing in it is secret.

FROM python:3.13-slim AS build
WORKDIR /srv/crm
RUN python -m venv /venv
COPY requirements.lock .
# The lock file names each wheel's hash: what is installed is what was tested.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
# A read-only image cannot write bytecode later.
RUN python -m compileall -q . /venv/lib

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    REPORTS_PATH=/data/reports \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000 \
    GRANIAN_INTERFACE=wsgi \
    GRANIAN_RESPAWN_FAILED_WORKERS=true \
    GRANIAN_RESPAWN_INTERVAL=0.5
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crm \
    && mkdir -p /data/reports && chown -R crm /data
COPY --from=build /venv /venv
COPY --from=build /srv/crm /srv/crm
WORKDIR /srv/crm
USER crm
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
# GRANIAN_WORKERS, GRANIAN_BLOCKING_THREADS and its other variables tune it.
CMD ["granian", "--no-ws", "crm.wsgi:application"]
