"""Launches from beginning to end, for tests that are about what comes after."""

from dataclasses import dataclass
from typing import Any

from tests.spec.smart.blackbox.agent import Agent, Landing
from tests.spec.smart.blackbox.party import Party, Request, query_of
from tests.spec.smart.blackbox.target import Target

READ_ALL = "patient/*.rs"
STANDALONE = f"launch/patient openid fhirUser offline_access {READ_ALL}"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A code that was handed to the app, and the request that it answers."""

    code: str
    request: Request
    answer: dict[str, str]


@dataclass(frozen=True, slots=True)
class Launches:
    target: Target
    agent: Agent

    def landed(
        self, party: Party, scope: str = STANDALONE, *, who: str = "patient", allow: bool = True, **more: Any
    ) -> tuple[Request, Landing]:
        request = party.request(scope, **more)
        return request, self.agent.decide(request, self.target.people[who], allow=allow)

    def coded(self, party: Party, scope: str = STANDALONE, *, who: str = "patient", **more: Any) -> Coded:
        request, landing = self.landed(party, scope, who=who, **more)
        page = "" if landing.page is None else f"{landing.page.request.url.path} {landing.page.status_code}\n{landing.page.text}"
        assert landing.url is not None, page
        answer = query_of(landing.url)
        assert "code" in answer, answer
        return Coded(code=answer["code"], request=request, answer=answer)

    def tokens(self, party: Party, scope: str = STANDALONE, *, who: str = "patient", **more: Any) -> Json:
        """The body of the token answer."""
        coded = self.coded(party, scope, who=who, **more)
        answer = party.redeem(coded.code, coded.request)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def from_ehr(self, party: Party) -> dict[str, str]:
        """What the app is launched with by the practitioner: the parameters of its launch URL."""
        landing = self.agent.launch(party.client_id, self.target.people["practitioner"])
        page = "" if landing.page is None else f"{landing.page.request.url.path} {landing.page.status_code}\n{landing.page.text}"
        assert landing.url is not None, page
        assert landing.url.startswith(party.registration.launch_url), landing.url
        return query_of(landing.url)
