"""Keys made once, and a fresh world for each test."""

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.spec.oauth.world import World, world_of


@pytest.fixture(scope="session")
def ec_key() -> ECKey:
    return ECKey.generate_key("P-384", private=True)


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048, private=True)


@pytest.fixture(scope="session")
def other_ec_key() -> ECKey:
    return ECKey.generate_key("P-384", private=True)


@pytest.fixture
def world(ec_key: ECKey) -> World:
    """One registered client with an ES384 key, inline."""
    return world_of(ec_key)


@pytest.fixture(params=["ES384", "RS384"])
def either_world(request: pytest.FixtureRequest, ec_key: ECKey, rsa_key: RSAKey) -> World:
    """The same with each of the two algorithms of SMART."""
    return world_of(ec_key if request.param == "ES384" else rsa_key)
