"""Scopes as part of every question: which interactions, and which resources of a type (granular scopes)."""

from collections.abc import Mapping
from typing import Any

from hub import outcomes
from hub.repository.visibility import Visibility
from hub.search.compile import narrow, test
from hub.search.parse import Search, parse_search
from hub.search.predicate import EVERYTHING, AnyOf, Predicate
from hub.search.value import Test
from hub.services import Services
from security.context import AccessContext
from security.scopes import Scope

READ_OR_SEARCH = "rs"
"""Whoever may search for a resource sees it as whoever may read it does."""


class Rights:
    """What the caller's token lets it ask; what the patients let it see is `visibility`."""

    def __init__(self, caller: AccessContext, services: Services) -> None:
        self._caller = caller
        self._services = services
        self.visibility = Visibility(caller, services)

    def require(self, type: str, letter: str) -> tuple[Scope, ...]:
        """Raises `forbidden` unless some scope covers the interaction."""
        covering = self._caller.scopes.covering(type, letter)
        if not covering:
            raise outcomes.forbidden()
        return covering

    def require_patch(self, type: str) -> None:
        """A patch asks what is stored (a test, a path that leads somewhere or not): besides u it takes a scope to read or to search."""
        self.require(type, "u")
        if not self.covers(type, READ_OR_SEARCH):
            raise outcomes.forbidden()

    def readable(self, type: str, content: Mapping[str, Any]) -> bool:
        """Does some scope let this caller read the resource, or find it?"""
        return any(self.scopes_match(type, letter, content) for letter in READ_OR_SEARCH)

    def covers(self, type: str, letters: str) -> bool:
        """Is there a scope for one of these interactions, whichever resources of the type it reaches?"""
        return any(self._caller.scopes.covering(type, letter) for letter in letters)

    def scopes_match(self, type: str, letter: str, content: Mapping[str, Any]) -> bool:
        """Is the resource within a granular scope that carries this letter? A scope without a query holds for all."""
        return self.scopes_test(type, letter)(content)

    def scopes_test(self, type: str, letter: str) -> Test:
        """`scopes_match` for many resources of the type."""
        covering = self._caller.scopes.covering(type, letter)
        if any(not scope.query for scope in covering):
            return _everything
        now_us, base = self._services.clock(), self._services.base_url
        tests = [test(self._search(type, scope), now_us=now_us, base=base) for scope in covering]
        return lambda content: any(within(content) for within in tests)

    def predicate(self, type: str, letter: str) -> tuple[Predicate, bool]:
        """The granular scopes as part of a query, and whether the tokens decide them exactly."""
        covering = self.require(type, letter)
        if any(not scope.query for scope in covering):
            return EVERYTHING, True
        narrowed = [self._narrow(self._search(type, scope)) for scope in covering]
        return AnyOf(tuple(one.predicate for one in narrowed)), all(one.exact for one in narrowed)

    def _search(self, type: str, scope: Scope) -> Search:
        return parse_search(type, scope.query, lenient=False)

    def _narrow(self, search: Search) -> Any:
        services = self._services
        return narrow(search, token=services.blind.token, patient_token=services.blind.patient, now_us=services.clock())


def _everything(_: Mapping[str, Any]) -> bool:
    return True
