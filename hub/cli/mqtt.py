"""hub mqtt: what devices and gateways publish is taken in."""

import json
import socket
import ssl
import sys
from collections import Counter
from typing import Annotated
from urllib.parse import urlsplit

import typer

from hub.cli.common import DataDir, MongodbUrl, in_hub, settings_with
from hub.cli.device import known
from hub.cli.running import stopping
from hub.cli.saying import fail
from hub.ingest.mqtt import Broker
from hub.ingest.sender import SenderGone, Senders
from hub.ingest.subscribers import Subscribers
from hub.ingest.topics import TopicRow, TopicSyntax, parse_row
from hub.metrics import serve_metrics
from hub.operator import user_name
from hub.settings import Settings
from hub.wiring import Hub

PORTS = {"mqtts": 8883, "mqtt": 1883}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def mqtt(
    admin_port: Annotated[int | None, typer.Option("--admin-port", help="Port of /metrics.")] = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Take in messages until stopped; one JSON line for each on stdout. Broker and topics: HUB_MQTT_…, see docs/settings.md."""
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url, mqtt_admin_port=admin_port)
    broker, rows = _broker(settings), _rows(settings)

    async def act(hub: Hub) -> None:
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name())
        with stopping() as stop:
            await Subscribers(senders, broker, rows, told=_told).run(stop, _ready)

    _serve_metrics(settings)

    try:
        in_hub(data_dir, mongodb_url, act)
    except SenderGone as error:
        fail(str(error))


def _serve_metrics(settings: Settings) -> None:
    if settings.mqtt_admin_port is None:
        return
    try:
        serve_metrics(settings.host, settings.mqtt_admin_port)
    except OSError as error:
        fail(f"cannot listen on {settings.host}:{settings.mqtt_admin_port}: {error.strerror}; choose another --admin-port")


def _rows(settings: Settings) -> tuple[TopicRow, ...]:
    if not settings.mqtt_topics:
        raise typer.BadParameter("HUB_MQTT_TOPICS: no topic is read; a row is FILTER=ADAPTER@CLIENT")
    try:
        rows = tuple(parse_row(text) for text in settings.mqtt_topics)
    except TopicSyntax as error:
        raise typer.BadParameter(f"HUB_MQTT_TOPICS: {error}") from None
    for row in rows:
        known(row.adapter)
    return rows


def _broker(settings: Settings) -> Broker:
    """In clear only on this machine: what travels is health data."""
    url = urlsplit(settings.mqtt_url or "")
    if url.scheme not in PORTS or not url.hostname or url.username or url.path not in ("", "/"):
        raise typer.BadParameter("HUB_MQTT_URL: mqtts://HOST or mqtts://HOST:PORT is expected; name and password are settings of their own")
    if url.scheme == "mqtt" and url.hostname not in LOOPBACK:
        raise typer.BadParameter("HUB_MQTT_URL: mqtt:// is for a broker on this machine; elsewhere it is mqtts://")
    return Broker(
        host=url.hostname,
        port=url.port or PORTS[url.scheme],
        session=settings.mqtt_session or f"hds-hub-{socket.gethostname()}",
        username=settings.mqtt_username,
        password=_password(settings),
        tls=_tls(settings) if url.scheme == "mqtts" else None,
    )


def _password(settings: Settings) -> str | None:
    if settings.mqtt_password_file is None:
        return None
    try:
        return settings.mqtt_password_file.read_text().strip()
    except OSError as error:
        fail(f"HUB_MQTT_PASSWORD_FILE cannot be read: {error.strerror}")


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=settings.mqtt_ca)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.mqtt_cert is not None:
            made.load_cert_chain(settings.mqtt_cert, settings.mqtt_key)
    except OSError as error:
        fail(f"HUB_MQTT_CA, HUB_MQTT_CERT or HUB_MQTT_KEY cannot be used: {error.strerror or type(error).__name__}")
    return made


def _ready() -> None:
    sys.stdout.write("subscribed\n")
    sys.stdout.flush()


def _told(fates: Counter[str]) -> None:
    typer.echo(json.dumps({"fates": dict(fates)}))
