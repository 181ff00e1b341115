"""Counters for operators: how many, how long, how it ended; nothing about whom."""

from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("hub_requests_total", "Requests answered.", ["interaction", "status"])
SECONDS = Histogram(
    "hub_request_seconds",
    "From the request to its answer.",
    ["interaction"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
INGESTED = Counter("hub_ingest_items_total", "Items taken in, by their fate.", ["adapter", "fate"])

THROTTLED = Counter("hub_throttled_total", "Requests asked to come back, by what was used up.", ["limit"])

UNITS = Gauge(
    "hub_units", "Units of devices: registered, paired, and by what is the matter with them.", ["finding"], multiprocess_mode="mostrecent"
)

MQTT_ROWS = Gauge("hub_mqtt_rows", "Rows of HUB_MQTT_TOPICS: taken, or stopped because their client is not there or revoked.", ["state"])


def serve_metrics(host: str, port: int, shared: Path | None = None) -> None:
    """`/metrics` on a port of its own, in a thread. `shared`: where several workers keep their counters."""
    registry = REGISTRY
    if shared is not None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(shared))  # type: ignore[no-untyped-call]
    start_http_server(port, addr=host, registry=registry)
