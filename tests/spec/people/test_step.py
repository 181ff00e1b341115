"""Between the first factor and the second: a step that is over as soon as what it rests on is."""

import secrets

import pytest

from hub.operator import Operator
from hub.people.entering import Entering
from hub.people.roster import Roster
from hub.people.steps import begun, step_of
from hub.recording import RequestFacts
from hub.store.protocol import Unit
from security.people.lockout import Means
from tests.support.backstage import Backstage
from tests.support.signing_in import add_person

pytestmark = pytest.mark.database

ISSUER, OTHER = "https://provider.example", "https://other.example"


@pytest.mark.parametrize(("unlinked", "over"), [(ISSUER, True), (None, False)])
def test_a_step_ends_with_the_link_that_it_began_with(backstage: Backstage, unlinked: str | None, over: bool) -> None:
    """Else whoever came in by a link that led to the wrong person could still set up a second factor of their own."""
    someone = add_person(
        backstage, "vendor", second_factor=False, federated=((ISSUER, secrets.token_hex(8)), (OTHER, secrets.token_hex(8)))
    )

    async def steps() -> bool:
        services = backstage.hub.services
        cookie, note = await begun(services, someone.account, "/account", "elsewhere")
        await services.store.commit(Unit(notes=(note,)))
        assert await step_of(services, cookie) is not None
        if unlinked is not None:
            roster = Roster(services, lambda kind, account: Operator(backstage.hub, "tests").recording(kind, path=f"/account/{account}"))
            await roster.unlink(someone.login, unlinked)
        return await step_of(services, cookie) is None

    assert backstage.run(steps()) is over


@pytest.mark.parametrize(("by", "amr"), [("password", ("pwd", "otp", "mfa")), ("elsewhere", ("otp", "mfa"))])
def test_a_session_says_by_what_it_was_proved(backstage: Backstage, by: Means, amr: tuple[str, ...]) -> None:
    """RFC 8176: nobody typed a password who came from another provider, and tokens must not say so."""
    someone = add_person(backstage, "vendor")

    async def entered() -> tuple[str, ...]:
        services = backstage.hub.services
        cookie, note = await begun(services, someone.account, "/account", by)
        await services.store.commit(Unit(notes=(note,)))
        facts = RequestFacts(request_id=services.new_id(), interaction="second-factor")
        found = (await Entering(services=services, facts=facts, browser="tests").by_code(cookie, someone.code())).signed
        return found.amr if found else ()

    assert backstage.run(entered()) == amr
