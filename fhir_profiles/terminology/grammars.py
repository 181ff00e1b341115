"""Code systems that nobody can list, but whose codes can be told by their form.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*|x(?:-[A-Za-z0-9]{1,8})+")
"""BCP 47 (RFC 5646 section 2.1): a tag of two letters or more, then subtags."""
MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?: ?; ?[^\s=;]+=[^;]+)*")
"""BCP 13 (RFC 6838 section 4.2), with parameters."""

GRAMMARS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "urn:ietf:bcp:13": lambda code: MEDIA_TYPE.fullmatch(code) is not None,
        "urn:ietf:bcp:47": lambda code: LANGUAGE.fullmatch(code) is not None,
    }
)
"""By url of the code system: is this one of its codes?"""
