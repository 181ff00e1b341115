"""Canonical URLs with an optional version after a bar. https://hl7.org/fhir/R4/references.html#canonical"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_RUNS = re.compile(r"[0-9]+|[^0-9]+")


class Canonical(NamedTuple):
    """What is referred to by a canonical URL; `version` only where the reference names one."""

    url: str
    version: str | None = None

    def is_of(self, resource: Mapping[str, Any]) -> bool:
        return bool(resource.get("url") == self.url) and self.version in (None, resource.get("version"))


def parted(text: str) -> Canonical:
    url, _, version = text.partition("|")
    return Canonical(url, version or None)


def without_version(url: str) -> str:
    return url.partition("|")[0]


def canonical_is(element: str, asked: str) -> bool:
    """Asked without a version, any version is meant; asked with one, that one."""
    return element == asked or without_version(element) == asked


def age(resource: Mapping[str, Any]) -> tuple[object, ...]:
    """Sorts resources of one URL: where a reference names no version, the latest is meant. 1.10 is later than 1.9."""
    runs = _RUNS.findall(str(resource.get("version", "")))
    number = tuple((run.isdigit(), int(run) if run.isdigit() else 0, run) for run in runs)
    return number, str(resource.get("meta", {}).get("lastUpdated", "")), str(resource.get("id"))


def latest(canonical: Canonical, resources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Which of these a canonical URL means: of the version that is named, else the latest of the URL."""
    return max(filter(canonical.is_of, resources), key=age, default=None)


def leading_to(ids: frozenset[str], versions: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The canonical URLs that mean the resources of these ids. `versions`: all resources, of one type, that have their URLs."""
    known = tuple(versions)
    texts = {text for one in known for text in (one["url"], f"{one['url']}|{one.get('version', '')}")}
    meant = {text: latest(parted(text), known) for text in texts}
    return frozenset(text for text, one in meant.items() if one is not None and one["id"] in ids)
