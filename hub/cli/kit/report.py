"""The signed report: what the kit found, on which code, by which key. Ed25519 over the report's canonical JSON (RFC 8032).

It says that these rules gave these results on this code, no more; nobody but an auditor can say what a product is fit for.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from adapters.kit.examine import level
from adapters.kit.rule import KIT_VERSION, Result
from hub.cli.kit.subject import Found, payloads

FORM: Final = 1
FINGERPRINT_CHARS: Final = 16


class BadReport(Exception):
    """A report or a key that cannot be used; says why."""


def row(result: Result) -> dict[str, Any]:
    """One rule and what became of it, for a script and for the report."""
    rule = result.rule
    return {
        "id": rule.id,
        "group": rule.group,
        "text": rule.text,
        "level": rule.level,
        "severity": rule.severity,
        "status": result.status,
        "hints": list(result.hints),
    }


def report(found: Found, results: Sequence[Result], made: str) -> dict[str, Any]:
    """Say what was examined and what was found. `made` is the time, ISO 8601 in UTC."""
    manifest = found.adapter.manifest
    return {
        "form": FORM,
        "made": made,
        "adapter": {
            "name": manifest.name,
            "version": manifest.version,
            "product": manifest.product,
            "manufacturer": manifest.manufacturer,
            "evidence": manifest.evidence,
            "measures": sorted(manifest.measures),
            "sha256": found.digest(),
        },
        "kit": KIT_VERSION,
        "level": level(results),
        "fixtures": [{"name": path.name, "sha256": sha256(path.read_bytes()).hexdigest()} for path in payloads(found.fixtures)],
        "exemptions": {one.rule.id: one.hints[0] for one in results if one.status == "exempt"},
        "results": [row(result) for result in results],
    }


def signed(content: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    public = key.public_key().public_bytes_raw()
    signature = {"algorithm": "Ed25519", "key": _text(public), "value": _text(key.sign(canonical(content)))}
    return {"report": dict(content), "signature": signature}


def verified(document: Any) -> Mapping[str, Any]:
    """Return the report of a document whose signature is that of the key in it. Raises BadReport.

    Whose key that is, the reader has to know: `fingerprint` is what to compare.
    """
    try:
        content, signature = document["report"], document["signature"]
        if signature["algorithm"] != "Ed25519":
            raise BadReport("the signature is not Ed25519")
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["key"], validate=True))
        value = base64.b64decode(signature["value"], validate=True)
        message = canonical(content)
    except (KeyError, TypeError, ValueError):
        raise BadReport("this is not a signed report") from None
    try:
        key.verify(value, message)
    except InvalidSignature:
        raise BadReport("the signature does not fit: the report was changed after it was signed") from None
    if not isinstance(content, dict) or content.get("form") != FORM:
        raise BadReport(f"the report has another form than {FORM}, which this version reads")
    return content


def fingerprint(document: Mapping[str, Any]) -> str:
    """The first characters of the SHA-256 of the public key."""
    return sha256(base64.b64decode(document["signature"]["key"])).hexdigest()[:FINGERPRINT_CHARS]


def canonical(content: Any) -> bytes:
    """Sorted names, no blanks, UTF-8: the same bytes for the same report, however the file was laid out."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def key_of(path: Path) -> Ed25519PrivateKey:
    """The key of a PEM file; a file that is not there is made, for its owner's eyes only. Raises BadReport."""
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        raise BadReport(f"{path} is not a private key in PEM without a passphrase") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise BadReport(f"{path} is not an Ed25519 key (openssl genpkey -algorithm ed25519)")
    return found


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
