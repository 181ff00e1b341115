"""What an app asks for: resource scopes, and the words that speak about the session of a person.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html, OpenID Connect Core 1.0 section 5.4
"""

from collections.abc import Iterable
from dataclasses import dataclass

from security.scopes import CONTEXT_SCOPES, SCOPE_TEXT_MAX_CHARS, Scopes, ScopeSyntax

NO_SCOPES = Scopes()


@dataclass(frozen=True, slots=True)
class ScopeRequest:
    """`resources`: as `security.scopes` reads them. `context`: of CONTEXT_SCOPES; asked for, offline_access goes without online_access."""

    resources: Scopes = NO_SCOPES
    context: frozenset[str] = frozenset()

    @staticmethod
    def parse(text: str) -> "ScopeRequest":
        """The canonical request of a scope parameter (RFC 6749 section 3.3). Raises ScopeSyntax."""
        asked = ScopeRequest.registered(text)
        if {"offline_access", "online_access"} <= asked.context:
            raise ScopeSyntax("offline_access and online_access exclude each other")
        return asked

    @staticmethod
    def registered(text: str) -> "ScopeRequest":
        """What a client may ask for at most: offline or online access, as it needs. Raises ScopeSyntax."""
        if len(text) > SCOPE_TEXT_MAX_CHARS:
            raise ScopeSyntax(f"the scope parameter is longer than {SCOPE_TEXT_MAX_CHARS} characters")
        words = text.split(" ")
        context = frozenset(words) & CONTEXT_SCOPES
        return ScopeRequest(_resources(word for word in words if word not in CONTEXT_SCOPES), context)

    def text(self) -> str:
        """Canonical: context words first, in order; then the resource scopes."""
        return " ".join((*sorted(self.context), *((self.resources.text(),) if self.resources.items else ())))

    def within(self, allowed: "ScopeRequest") -> "ScopeRequest":
        """What of this lies inside `allowed`; may be empty."""
        return ScopeRequest(self.resources.within(allowed.resources), self.context & allowed.context)


def _resources(words: Iterable[str]) -> Scopes:
    text = " ".join(words)
    return Scopes.parse(text) if text else Scopes()
