"""The far side must bear the registered name in its certificate, although the call goes to an address (RFC 9110 section 4.3.4)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.outbound import Outbound, OutboundPolicy
from security.oauth.errors import JwksUnavailable

NAME = "vendor.example.org"


def certificate(name: str, folder: Path) -> Path:
    """A self-signed certificate with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "far-side.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM))
    return file


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"keys": []}')
    await writer.drain()
    writer.close()


@pytest.fixture
async def far_side(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A server on this machine under the name NAME; its port, and a context that trusts it."""
    file = certificate(NAME, tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(file)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    async with server:
        yield server.sockets[0].getsockname()[1], ssl.create_default_context(cafile=file)


@pytest.mark.parametrize(("registered", "accepted"), [(NAME, True), ("other.example.org", False)])
async def test_the_certificate_must_bear_the_registered_name(
    far_side: tuple[int, ssl.SSLContext], registered: str, *, accepted: bool
) -> None:
    """RFC 9110 section 4.3.4: the identity is the host of the URL, not the address that was connected to."""
    port, trusting = far_side

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with Outbound(OutboundPolicy(allow_loopback_http=True), resolve=here, tls=trusting) as outbound:
        url = f"https://{registered}:{port}/jwks.json"
        if accepted:
            assert (await outbound.fetch_jwks(url)).jwks == {"keys": []}
        else:
            with pytest.raises(JwksUnavailable):
                await outbound.fetch_jwks(url)
