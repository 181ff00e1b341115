"""Canonical URLs with an optional version after a bar. https://hl7.org/fhir/R4/references.html#canonical"""


def without_version(url: str) -> str:
    return url.partition("|")[0]


def canonical_is(element: str, asked: str) -> bool:
    """Asked without a version, any version is meant; asked with one, that one."""
    return element == asked or without_version(element) == asked
