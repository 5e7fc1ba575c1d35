# 民生快递 Minsheng. Build: docker build -t minsheng .
# A mirror of the package registry, where one is needed: --build-arg PIP_INDEX_URL=…
FROM python:3.11-slim AS build
ARG PIP_INDEX_URL
WORKDIR /opt/minsheng
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
# Editable: the migrations lie beside the package, not in it.
RUN .venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation -e .
RUN .venv/bin/python -m compileall -q app migrations

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin minsheng \
    && install -d -o minsheng -g minsheng -m 700 /data
COPY --from=build /opt/minsheng /opt/minsheng
ENV PATH=/opt/minsheng/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    O2O_DATA_DIR=/data
WORKDIR /opt/minsheng
USER minsheng
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["o2o", "serve", "--host", "0.0.0.0", "--port", "8000"]
