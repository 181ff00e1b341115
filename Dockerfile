# The hub without a database: production brings its own MongoDB (HUB_MONGODB_URL).
# Everything installed comes from the hash-locked requirements; the checkout is built without fetching anything.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m pip install --require-hashes --only-binary :all: --no-deps -r requirements/build.txt \
    && python -m venv /opt/hub \
    && /opt/hub/bin/python -m pip install --require-hashes --only-binary :all: --no-deps -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY hub hub
COPY fhir_profiles fhir_profiles
COPY adapters adapters
COPY security security
COPY audit audit
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . \
    && /opt/hub/bin/python -m pip install --no-deps --no-index /wheels/*.whl \
    && /opt/hub/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11-slim
RUN groupadd --system --gid 10001 hub \
    && useradd --system --uid 10001 --gid hub --no-create-home --home-dir /var/lib/hub --shell /usr/sbin/nologin hub \
    && install --directory --owner hub --group hub --mode 0700 /var/lib/hub
COPY --from=build /opt/hub /opt/hub
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HUB_HOST=0.0.0.0 HUB_PORT=8000 HUB_DATA_DIR=/var/lib/hub
WORKDIR /var/lib/hub
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["hub"]
CMD ["serve"]
