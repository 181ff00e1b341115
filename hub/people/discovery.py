"""Where the endpoints of another provider are: its discovery document, kept for as long as it says, within bounds.

Anybody can press the button of a provider; that must not make the hub call out each time. OpenID Connect Discovery 1.0 section 4,
RFC 9111 section 5.2.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import structlog

from hub.errors import FhirError
from hub.outbound import FetchedJwks, JwksCache, Outbound
from security.oauth.errors import JwksUnavailable
from security.people.federation import Endpoints, NotProved, Provider

log = structlog.get_logger()

DOCUMENT: Final = "/.well-known/openid-configuration"
AGE_MIN_S: Final = 60
"""However short the document says that it may be kept: what moves has to be good under both addresses for a minute."""
AWAY: Final = "The other service does not answer as it should; try again later, or sign in with a password."


class Discovery:
    """For one process. The ceiling, the memory of failures and that those who ask at once share one call are `JwksCache`'s.

    now_us  microseconds since 1970 UTC
    """

    def __init__(self, outbound: Outbound, providers: Mapping[str, Provider], *, now_us: Callable[[], int]) -> None:
        self._outbound = outbound
        self._providers = {document_of(one): one for one in providers.values()}
        self._kept = JwksCache(self._fetched, now_us=now_us)

    async def endpoints(self, provider: Provider) -> Endpoints:
        """Raises FhirError transient, whatever went wrong."""
        try:
            # A document that ran out proves nothing and is asked for anew; with AGE_MIN_S that is no way to make the hub ask often.
            return Endpoints.of(await self._kept.get(document_of(provider), None, lambda _: True), provider)
        except (JwksUnavailable, NotProved):
            raise FhirError("transient", AWAY) from None

    async def _fetched(self, url: str) -> FetchedJwks:
        """A document that speaks of another issuer is a failure, and is not kept in place of the right one. Raises JwksUnavailable."""
        found, provider = await self._outbound.fetch_object(url), self._providers[url]
        try:
            Endpoints.of(found.jwks, provider)
        except NotProved as error:
            log.warning("not_proved_elsewhere", provider=provider.name, why=str(error))
            raise JwksUnavailable("the discovery document proves nothing") from None
        return replace(found, max_age_s=max(AGE_MIN_S, found.max_age_s))


def document_of(provider: Provider) -> str:
    """Its URL (section 4.1)."""
    return f"{provider.issuer.rstrip('/')}{DOCUMENT}"
