"""Who may send by MLLP: rows of a JSON file that tie a certificate, or an address in a network of one's own, to a client.

MSH-3 and MSH-4 authenticate nobody: anybody can write them. They only choose among the rows of a sender who is authenticated.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import orjson

from adapters.contract import Adapter
from adapters.discovery import adapters

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset({"client", "adapter", "certificate", "trustedNetwork", "application", "facility", "device", "timeZone"})
SENDERS_MAX = 1_000


class BadSenders(Exception):
    """The file cannot be used; says which row and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A row.

    client                 id of the registered client in whose name the messages are taken in
    certificate            SHA-256 of the client certificate (DER), hexadecimal
    network                addresses from which it may come without a certificate; a network of one's own
    application, facility  MSH-3.1 and MSH-4.1, if the row is for one of several behind the same certificate
    device, time_zone      as in `POST /ingest`: what the messages do not say
    """

    client: str
    adapter: Adapter
    certificate: str | None = None
    network: IPv4Network | IPv6Network | None = None
    application: str | None = None
    facility: str | None = None
    device: str | None = None
    time_zone: str | None = None

    def is_peer(self, fingerprint: str | None, address: str) -> bool:
        if self.certificate is not None:
            return fingerprint == self.certificate
        return self.network is not None and ip_address(address) in self.network

    def speaks_as(self, application: str, facility: str) -> bool:
        return self.application in (None, application) and self.facility in (None, facility)


def read_senders(path: Path) -> tuple[Sender, ...]:
    """Raises BadSenders."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadSenders(f"the file of MLLP senders cannot be read: {type(error).__name__}") from None
    rows = document.get("senders") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= SENDERS_MAX:
        raise BadSenders(f'the file of MLLP senders is {{"senders": […]}} with 1 to {SENDERS_MAX} rows')
    return tuple(_row(row, number) for number, row in enumerate(rows, start=1))


def peers(senders: Sequence[Sender], fingerprint: str | None, address: str) -> tuple[Sender, ...]:
    """The rows of whoever is at the other end."""
    return tuple(sender for sender in senders if sender.is_peer(fingerprint, address))


def _row(row: Any, number: int) -> Sender:
    if not isinstance(row, dict) or not row.keys() <= _KEYS or not all(isinstance(value, str) and value for value in row.values()):
        raise BadSenders(f"sender {number}: its keys are {', '.join(sorted(_KEYS))}, each a text")
    if "client" not in row or ("certificate" in row) == ("trustedNetwork" in row):
        raise BadSenders(f"sender {number}: needs client, and either certificate or trustedNetwork")
    adapter = adapters().get(row.get("adapter", ""))
    if adapter is None or "mllp" not in adapter.manifest.transports:
        raise BadSenders(f"sender {number}: adapter must be one that reads MLLP; hub adapters list shows them")
    return Sender(
        client=row["client"],
        adapter=adapter,
        certificate=_fingerprint(row.get("certificate"), number),
        network=_network(row.get("trustedNetwork"), number),
        application=row.get("application"),
        facility=row.get("facility"),
        device=row.get("device"),
        time_zone=row.get("timeZone"),
    )


def _fingerprint(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    digits = text.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(digits):
        raise BadSenders(
            f"sender {number}: certificate is the SHA-256 fingerprint, 64 hexadecimal digits (openssl x509 -fingerprint -sha256)"
        )
    return digits


def _network(text: str | None, number: int) -> IPv4Network | IPv6Network | None:
    """Of one's own: an address of the public internet proves nothing."""
    if text is None:
        return None
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or not (network.is_private or network.is_loopback) or network.prefixlen == 0:
        raise BadSenders(f"sender {number}: trustedNetwork is a private network such as 10.2.0.0/24")
    return network
