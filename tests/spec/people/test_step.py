"""Between the first factor and the second: a step that is over as soon as what it rests on is."""

import secrets

import pytest

from hub.operator import Operator
from hub.people.roster import Roster
from hub.people.steps import begun, step_of
from hub.store.protocol import Unit
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
