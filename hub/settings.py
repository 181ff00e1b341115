"""Every setting of the hub: an environment variable `HUB_*` and, where a person would type it, a flag of `hub serve`.

`python -m hub.settings` prints docs/settings.md. Settings are read once, in `hub.cli`, and handed on; nothing else reads
the environment.
"""

import re
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ACCESS_TOKEN_LIFETIME_MAX_S = 300
"""SMART Backend Services: access tokens live five minutes at most (https://hl7.org/fhir/smart-app-launch/backend-services.html)."""

ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+")
"""https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin. Compared as text: what a browser never sends would never match."""

INSTANT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-][01]\d:[0-5]\d)")
"""https://hl7.org/fhir/R4/datatypes.html#instant"""

Port = Annotated[int, Field(ge=1, le=65_535)]
Names = Annotated[tuple[str, ...], NoDecode]
"""Separated by commas in the environment."""


def _setting(default: Any, why: str, *, flag: str | None = None, unit: str | None = None, **limits: Any) -> Any:
    return Field(default, description=why, json_schema_extra={"flag": flag, "unit": unit}, **limits)


class Settings(BaseSettings):
    """Frozen. URLs that may hold a password are SecretStr; errors never repeat what was given."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    host: str = _setting("127.0.0.1", "Address to listen on.", flag="--host")
    port: Port = _setting(8000, "Port of FHIR, OAuth, ingest and the pages.", flag="--port")
    admin_port: Port | None = _setting(None, "Port of `/metrics`, on the same address. Unset: no metrics.", flag="--admin-port")
    workers: int = _setting(1, "Worker processes. Each one writes an audit chain of its own.", flag="--workers", ge=1, le=64)
    tls_cert: Path | None = _setting(None, "Certificate chain, PEM. Goes with the key.", flag="--tls-cert")
    tls_key: Path | None = _setting(None, "Private key of the certificate, PEM.", flag="--tls-key")
    tls_client_ca: Path | None = _setting(
        None,
        "Certificates, PEM, by which those of clients are checked that prove themselves or bind their tokens by one (RFC 8705). Clients "
        "may go without. Needs TLS.",
        flag="--tls-client-ca",
    )
    proxy_networks: Names = _setting(
        (),
        "Networks of the proxies that end TLS for the hub, e.g. `10.4.0.0/24`, separated by commas: the headers Client-Cert (RFC 9440) "
        "and X-Forwarded-For count from there and from nobody else. A proxy has to take the first out of what clients send, and to add the "
        "address it sees to the second: wrong passwords are counted by it, and it stands in the log.",
    )
    base_url: str | None = _setting(
        None,
        "Origin under which clients reach the hub, e.g. `https://hub.example.org`; the audience of tokens and the root of links. "
        "Unset: made of host and port.",
    )
    cors_origins: Names = _setting(
        (),
        "Origins whose pages may ask for tokens and call the FHIR API, e.g. `https://app.example.org`, separated by commas. Empty: none. "
        "Discovery, metadata and the OpenAPI description may be read from any page.",
    )

    data_dir: Path = _setting(
        Path(".hub-data"), "Keys, signed heads of the audit log and the embedded database. One hub per directory.", flag="--data-dir"
    )
    mongodb_url: SecretStr | None = _setting(
        None, "A replica set or sharded cluster. Unset: the hub runs a private mongod in the data directory.", flag="--mongodb-url"
    )
    keys_mongodb_url: SecretStr | None = _setting(
        None,
        "Where the wrapped data keys (`hub_keys`) lie. Give them a server with a backup life of its own: otherwise erasure by "
        "destroying keys is not true for backups. Unset: with everything else.",
    )
    mongodb_cache_gb: float = _setting(1.0, "Cache of the embedded mongod.", unit="GB", ge=0.25, le=10_000)

    access_token_lifetime_s: int = _setting(300, "Life of an access token.", unit="s", ge=10, le=ACCESS_TOKEN_LIFETIME_MAX_S)
    signing_key_days: int = _setting(
        30, "For how long a key signs tokens before its successor does (docs/keys-and-tokens.md).", unit="days", ge=1, le=366
    )
    profile: Literal["trial", "production"] = _setting(
        "trial",
        "`production`: who acts without a person, reads the log or breaks the glass needs tokens that are bound to a key or a certificate "
        "(docs/keys-and-tokens.md). `trial`: a property of each client's registration.",
    )
    dpop_nonce: bool = _setting(
        False, "Take DPoP proofs with a nonce of the hub alone, so that none can be made beforehand. Each client asks twice now and then."
    )
    page_link_lifetime_s: int = _setting(3_600, "For how long the next link of a search can be followed.", unit="s", ge=60, le=86_400)
    issuers: Path | None = _setting(
        None, "JSON file of other authorization servers whose tokens are taken, and for which clients (docs/keys-and-tokens.md)."
    )
    jwks_networks: Names = _setting(
        (), "Networks beyond the public internet from which clients' JWKS may be fetched, e.g. `10.2.0.0/16`, separated by commas."
    )
    jwks_allow_loopback: bool = _setting(False, "For trying things out: a client's JWKS may lie on this machine, over plain HTTP.")

    registration: bool = _setting(
        True, "Apps may register themselves (`POST /oauth/clients`, RFC 7591). Nothing of it works before an administrator has approved it."
    )
    registration_token_file: Path | None = _setting(
        None,
        "The file with the initial access token that such a registration needs. Unset: none is needed; how many one address may register "
        "is limited all the same.",
    )
    registration_days: int = _setting(14, "After how long an app that nobody has approved is forgotten.", unit="days", ge=1, le=365)
    registrations_waiting_max: int = _setting(200, "Apps that may wait to be approved at once.", ge=1, le=10_000)

    max_body_bytes: int = _setting(4_000_000, "Largest FHIR request body.", unit="bytes", ge=1_000, le=100_000_000)
    max_ingest_bytes: int = _setting(16_000_000, "Largest payload of one `POST /ingest`.", unit="bytes", ge=1_000, le=1_000_000_000)
    ingest_at_once_bytes: int = _setting(
        512_000_000,
        "Payloads that one process has in hand at once; whoever sends more is asked to come back (429).",
        unit="bytes",
        ge=1_000,
        le=100_000_000_000,
    )
    max_upload_bytes: int = _setting(
        4_000_000_000,
        "Largest payload of one `POST /ingest`, unpacked, where the adapter reads in pieces.",
        unit="bytes",
        ge=1_000,
        le=1_000_000_000_000,
    )
    uploads_at_once: int = _setting(
        2, "Payloads above `HUB_MAX_INGEST_BYTES` that one client may send to one process at the same time.", ge=1, le=1_000
    )
    spool_dir: Path | None = _setting(
        None, "Where such payloads lie, sealed, until they are taken in. Unset: the folder `spool` of the data directory."
    )
    spool_bytes: int = _setting(
        16_000_000_000,
        "What may lie there at once of one process; whoever sends more is asked to come back (429).",
        unit="bytes",
        ge=1_000,
        le=1_000_000_000_000_000,
    )
    ingest_requests_per_minute: int = _setting(
        6_000, "Requests of ingest that one client may send in a minute, unless it was registered with another number.", ge=1, le=10_000_000
    )
    ingest_items_per_minute: int = _setting(
        6_000_000, "Items that one client may send in a minute, unless it was registered with another number.", ge=1, le=10_000_000_000
    )
    waiting_bytes: int = _setting(
        20_000_000_000,
        "How many bytes of recordings and reports may wait in quarantine that one client has sent.",
        unit="bytes",
        ge=1_000,
        le=1_000_000_000_000_000,
    )
    idempotency_hours: int = _setting(24, "For how long the answer to an Idempotency-Key is kept.", unit="h", ge=1, le=720)
    mllp_port: Port | None = _setting(
        None, "Port of HL7 v2 over MLLP, on the same address; TLS as for HTTP. Unset: no MLLP.", flag="--mllp-port"
    )
    mllp_senders: Path | None = _setting(
        None,
        "JSON file that ties certificates or networks of one's own to clients (docs/guides/hl7v2.md). Goes with the MLLP port.",
        flag="--mllp-senders",
    )
    mllp_client_ca: Path | None = _setting(
        None,
        "Certificates, PEM, by which those of MLLP senders are checked; each sender must then have one. Needs TLS.",
        flag="--mllp-client-ca",
    )
    max_mllp_bytes: int = _setting(4_000_000, "Largest HL7 v2 message.", unit="bytes", ge=1_000, le=100_000_000)
    mllp_connections: int = _setting(256, "MLLP connections at once in one process.", ge=1, le=10_000)
    mllp_idle_s: int = _setting(600, "After how long an MLLP connection without a message is closed.", unit="s", ge=1, le=86_400)
    quarantine_days: int = _setting(90, "After how long a quarantined item that nobody repaired is deleted.", unit="days", ge=1, le=3_650)

    raw_days: int = _setting(
        730,
        "After how long what is kept of a reading as it came is deleted. Without it the reading stays, and cannot be derived anew.",
        unit="days",
        ge=1,
        le=36_500,
    )
    watch_s: int = _setting(
        300,
        "How often one of all processes looks which units of devices are silent, drifting, low or expiring.",
        unit="s",
        ge=10,
        le=86_400,
    )
    sweep_s: int = _setting(
        3_600,
        "How often what has expired is swept: waiting items, raw items, pieces of recordings that nothing names.",
        unit="s",
        ge=60,
        le=604_800,
    )

    mqtt_url: str | None = _setting(None, "The broker that `hub mqtt` listens to, `mqtts://HOST[:PORT]`; `mqtt://` on this machine only.")
    mqtt_topics: Names = _setting(
        (),
        "What `hub mqtt` takes in, separated by commas: `FILTER=ADAPTER@CLIENT[;timeZone=ZONE]`, e.g. "
        "`beds/{device}/weight=withings@my-client`. `{device}` is a level of the topic that names the unit.",
    )
    mqtt_session: str | None = _setting(
        None,
        "Beginning of the client identifiers at the broker, which keeps messages under them while the hub is away; a mark of a row's "
        "topic follows. Unset: made of the host's name.",
    )
    mqtt_admin_port: Port | None = _setting(
        None, "Port of `/metrics` of `hub mqtt`, on the same address. Unset: no metrics.", flag="hub mqtt --admin-port"
    )
    mqtt_username: str | None = _setting(None, "Name of the hub at the broker.")
    mqtt_password_file: Path | None = _setting(None, "The file that its password is in.")
    mqtt_ca: Path | None = _setting(None, "Authorities that the broker's certificate may come from, PEM. Unset: those of the system.")
    mqtt_cert: Path | None = _setting(None, "Certificate of the hub for the broker, PEM.")
    mqtt_key: Path | None = _setting(None, "Its private key, PEM.")

    withings_url: str = _setting("https://wbsapi.withings.net", "Withings' API, for `hub poll`.")
    withings_client_id: str | None = _setting(None, "The hub's client at Withings.")
    withings_secret_file: Path | None = _setting(None, "The file that its secret is in.")
    dexcom_url: str = _setting("https://api.dexcom.eu", "Dexcom's API, for `hub poll`: that of the patients' region.")
    dexcom_client_id: str | None = _setting(None, "The hub's client at Dexcom.")
    dexcom_secret_file: Path | None = _setting(None, "The file that its secret is in.")

    brand_name: str = _setting("HDS hub", "What people know the hub by, on its pages for apps (`GET /brands`).")
    brand_identifier: str | None = _setting(
        None, "A URI that stands for the organisation wherever it is published, e.g. `https://clinic.example.org`. Unset: the hub's origin."
    )
    brand_website: str | None = _setting(None, "The organisation's site for people. Unset: the hub's first page.")
    brand_aliases: Names = _setting((), "Other names that people search it by, separated by commas.")
    brand_categories: Names = _setting(
        ("prov",), "What it is, separated by commas: codes of HL7's organization-type, e.g. `prov`, `laboratory`, `health-data-aggregator`."
    )
    brand_logo: str | None = _setting(None, "Address of a picture that apps may show. The hub never loads it.")
    brand_logo_terms: str | None = _setting(None, "Address of the terms under which they may.")
    brand_portal_name: str | None = _setting(None, "What the pages are called on which people manage their access. Unset: the name.")
    brand_portal_url: str | None = _setting(None, "Where they are. Unset: `/account` of the hub.")
    brand_description: str | None = _setting(None, "For people: who finds data here, and which.")
    brand_developers_url: str | None = _setting(None, "Where makers of apps read how to connect. Unset: `/docs` of the hub.")
    brand_updated: str = _setting("2026-11-29T00:00:00Z", "When any of this was changed last, as a FHIR instant.")

    openid_providers: Path | None = _setting(
        None, "JSON file of the OpenID providers that people may sign in with (docs/guides/people.md). Unset: none."
    )

    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "Least severity of log events. None names a person.")
    debug: bool = _setting(
        False,
        "Development with invented data only: log the traceback of an unexpected error, whose text may repeat values of a resource.",
    )

    @field_validator("cors_origins", "jwks_networks", "mqtt_topics", "proxy_networks", "brand_aliases", "brand_categories", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(value) for value in values):
            raise ValueError("origins are expected as browsers write them, e.g. https://app.example.org: no path, no wildcard")
        return values

    @field_validator("brand_updated")
    @classmethod
    def _is_instant(cls, value: str) -> str:
        if INSTANT.fullmatch(value) is None:
            raise ValueError("a moment with its offset is expected, e.g. 2026-11-29T08:00:00Z")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        scheme, _, host = (value or "http://unset").partition("://")
        if scheme not in {"http", "https"} or not host or set(host) & set("/?#@ "):
            raise ValueError("scheme and host are expected, e.g. https://hub.example.org, without a path")
        return value

    @field_validator("proxy_networks")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if ip_network(value).prefixlen == 0:
                raise ValueError("networks of proxies are named, e.g. 10.4.0.0/24; anybody is no proxy")
        return values

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("HUB_TLS_CERT and HUB_TLS_KEY go together")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("HUB_TLS_CLIENT_CA needs HUB_TLS_CERT and HUB_TLS_KEY")
        return self

    @model_validator(mode="after")
    def _mllp_is_whole(self) -> Self:
        if (self.mllp_port is None) != (self.mllp_senders is None):
            raise ValueError("HUB_MLLP_PORT and HUB_MLLP_SENDERS go together")
        if self.mllp_client_ca is not None and self.tls_cert is None:
            raise ValueError("HUB_MLLP_CLIENT_CA needs HUB_TLS_CERT and HUB_TLS_KEY")
        return self

    @property
    def has_unnamed_proxy(self) -> bool:
        """Somebody else has to end TLS, for clients are told https and the hub speaks http; and nobody said who."""
        return (self.base_url or "").startswith("https://") and self.tls_cert is None and not self.proxy_networks

    @property
    def origin(self) -> str:
        """Where clients reach the hub, without a slash at the end."""
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.base_url or f"{scheme}://{host}:{self.port}"


HEADER = """# Settings

Every setting is an environment variable; those that a person would type are flags of `hub serve` as well, and a flag wins.
Generated by `python -m hub.settings`; a test keeps it current.

| variable | flag | default | meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """docs/settings.md."""
    return HEADER + "".join(f"| {' | '.join(_row(name, field))} |\n" for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> Iterator[str]:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)  # noqa: S101 - by `_setting`
    yield f"`HUB_{name.upper()}`"
    yield f"`{extra['flag']}`" if extra["flag"] else ""
    yield _default(field.default, extra["unit"])
    yield f"{field.description} {_limits(field)}".strip()


def _default(value: object, unit: object) -> str:
    if value is None or value == ():
        return "unset"
    if isinstance(value, tuple):
        value = ",".join(value)
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{written} {unit}" if unit else f"`{written}`"


def _limits(field: FieldInfo) -> str:
    found = {kind: getattr(one, kind) for one in field.metadata for kind in ("ge", "le") if hasattr(one, kind)}
    return f"({found['ge']} to {found['le']})" if found else ""


if __name__ == "__main__":
    sys.stdout.write(page())
