"""What comes with the hub is nobody's to write: neither under its ids nor under its canonical urls.

https://hl7.org/fhir/R4/http.html#update, https://hl7.org/fhir/R4/references.html#canonical. Whoever relies on a url must find
there what the hub itself goes by, so another resource cannot take the url, in no version and as no type. The ids and urls
are public, so a refusal tells nothing.
"""

from collections.abc import Mapping
from typing import Any

from fhir_profiles import shipped
from hub.errors import FhirError
from security.scopes import CONFORMANCE


def refuse_reserved(type: str, id: str) -> None:
    """Raises `forbidden` for an id under which the hub keeps what it ships."""
    if type in CONFORMANCE and shipped.is_reserved(type, id):
        raise FhirError(
            "forbidden",
            f"This {type} comes with the hub and can't be changed; store one of your own under another id and url.",
            expression=f"{type}.id",
        )


def refuse_taken(type: str, content: Mapping[str, Any]) -> None:
    """Raises `duplicate` for a resource that calls itself what the hub ships is called."""
    url = content.get("url")
    if isinstance(url, str) and (owner := shipped.owner(url)) is not None:
        raise FhirError("duplicate", f"The {owner} of this url comes with the hub; choose a url of your own.", expression=f"{type}.url")
