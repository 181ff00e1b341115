"""One check of one resource: what is found, and what may be looked up on the way."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_profiles.profiles.finding import FINDINGS_MAX, Budget, Finding, Path, Severity, words
from fhir_profiles.structure import ProblemCode

Check = Callable[[Any, Path, "Run"], None]
"""Looks at a value that stands at a path."""
DEPTH_MAX = 16
"""Profiles that lead to profiles; an extension in an extension is one."""


class Run:
    """Collects findings.

    root     the resource that is checked: what its references inside (#id, fullUrl) lead to
    top      FHIRPath of the place where the checked part begins
    advice   warnings are wanted too
    checks   gives the check of a known profile, None of another
    budget   None where every profile is the hub's own
    """

    __slots__ = ("advice", "budget", "checks", "depth", "findings", "root", "top")

    def __init__(
        self, root: Mapping[str, Any], checks: Callable[[str], Check | None], *, advice: bool, top: str, budget: Budget | None = None
    ) -> None:
        self.budget = budget
        self.root = root
        self.checks = checks
        self.advice = advice
        self.top = top
        self.depth = 0
        self.findings: list[Finding] = []

    def add(self, severity: Severity, code: ProblemCode, path: Path, text: str, below: str = "") -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(severity=severity, code=code, expression=f"{self.top}{words(path)}{below}", text=text))

    def trial(self, check: Check, value: Any, path: Path) -> list[Finding]:
        """What a check would find, without finding it. Errors only, as that is what decides."""
        inner = Run(self.root, self.checks, advice=False, top=self.top, budget=self.budget)
        inner.depth = self.depth
        check(value, path, inner)
        return inner.findings

    def conforms(self, profiles: list[str], value: Any, path: Path) -> list[Finding]:
        """A value follows one of these profiles, as far as they are known; else what keeps it from the last of them."""
        findings: list[Finding] = []
        for url in profiles:
            check = self.checks(url)
            if check is None or self.depth >= DEPTH_MAX:
                return []
            self.depth += 1
            findings = self.trial(check, value, path)
            self.depth -= 1
            if not findings:
                return []
        return findings

    def resolved(self, reference: Any) -> Mapping[str, Any] | None:
        """What a reference leads to inside the resource: contained (#id), or another entry of the Bundle."""
        target = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(target, str):
            return None
        if target.startswith("#"):
            return next((one for one in self.root.get("contained", ()) if f"#{one.get('id')}" == target), None)
        return next((entry["resource"] for entry in self._entries() if entry.get("fullUrl", "").endswith(target)), None)

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        """https://hl7.org/fhir/R4/bundle.html#references"""
        if self.root.get("resourceType") == "Bundle":
            yield from (entry for entry in self.root.get("entry", ()) if "resource" in entry)


def target_type(reference: Mapping[str, Any], resolved: Mapping[str, Any] | None) -> str | None:
    """The resource type that a reference leads to, as far as it shows. https://hl7.org/fhir/R4/references.html"""
    if resolved is not None:
        return str(resolved["resourceType"])
    target = reference.get("reference", "")
    parts = target.split("/_history/")[0].split("/")
    if len(parts) > 1 and not target.startswith("urn:") and parts[-2][:1].isupper():
        return str(parts[-2])
    said = reference.get("type")
    return said if isinstance(said, str) else None
