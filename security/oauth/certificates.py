"""Certificates by which clients prove themselves, as they are registered.

https://www.rfc-editor.org/rfc/rfc8705#section-3.1
"""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate


def thumbprint(pem: bytes) -> str:
    """`x5t#S256` of the certificate: base64url SHA-256 of its DER, without padding. Raises ValueError."""
    try:
        certificate = load_pem_x509_certificate(pem)
    except ValueError:
        raise ValueError("this is no certificate in PEM form") from None
    return urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode("ascii")
