"""The certificate that the other side of the connection has proved to hold."""

from starlette.requests import Request

from hub.sender import certificate_of


def peer_certificate(request: Request) -> str | None:
    """base64url SHA-256 of it (RFC 8705 `x5t#S256`); None where the connection has none."""
    return certificate_of(request)
