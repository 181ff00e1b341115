"""A sender of HL7 v2 over MLLP, on a plain socket or with TLS; certificates made on the spot."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWER_S = 180
EUI_PLAIN, EUI = "ACDE48234567ABCD", "AC-DE-48-23-45-67-AB-CD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A self-signed certificate, which is its own authority, and its key."""

    certificate: Path
    key: Path
    fingerprint: str


def certificate(directory: Path, name: str) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(
        certificate=directory / f"{name}.pem",
        key=directory / f"{name}.key",
        fingerprint=sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest(),
    )
    pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pair.key.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return pair


class Line:
    """One connection."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket, self._rest = connected, b""

    def send(self, message: str | bytes) -> None:
        data = message if isinstance(message, bytes) else message.encode()
        self.socket.sendall(b"\x0b" + data + b"\x1c\r")

    def receive(self) -> list[str]:
        """The segments of the next answer; none at the end of the connection."""
        while b"\x1c\r" not in self._rest:
            data = self.socket.recv(65_536)
            if not data:
                return []
            self._rest += data
        block, _, self._rest = self._rest.partition(b"\x1c\r")
        assert block[:1] == b"\x0b"
        return block[1:].decode().rstrip("\r").split("\r")

    def ask(self, message: str | bytes) -> list[str]:
        self.send(message)
        return self.receive()


@contextmanager
def line(port: int, context: ssl.SSLContext | None = None) -> Iterator[Line]:
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as plain:
        if context is None:
            yield Line(plain)
            return
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            yield Line(wrapped)


def message(
    control_id: str, *rows: str, mode: str = "|", type: str = "ORU^R01^ORU_R01", application: str = "GW", time: str = "1015"
) -> str:
    """A message of the pump EUI. `mode`: MSH-15 and MSH-16; `time`: hours and minutes of the order."""
    segments = [
        rf"MSH|^~\&|{application}|ICU|HUB|HDS|20260301101502+0100||{type}|{control_id}|P|2.6|||{mode}||UNICODE UTF-8",
        "PID|1||IPP-4711||Lovelace^Ada",
        f"OBR|1||1|69985^MDC_DEV_PUMP_INFUS_MDS^MDC|||20260301{time}00+0100",
        f"OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||{EUI_PLAIN}^^{EUI_PLAIN}^EUI-64",
        *(rows or (rate(),)),
    ]
    return "\r".join(segments)


def rate(value: str = "12.5", channel: int = 1) -> str:
    return f"OBX|2|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.{channel}.2|{value}|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||F"


def fields(segment: str) -> list[str]:
    return segment.split("|")
