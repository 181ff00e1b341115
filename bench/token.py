"""Tokens: POST /oauth/token with assertions signed beforehand (ES384), against the cryptography and the bare insert.

The cryptography is what no implementation can leave out: one ES384 signature to check, one ES256 signature to make.
"""

from time import perf_counter

from bench import floors
from bench.figures import Figure, clients_named
from bench.rig import Rig, observed
from security.oauth.clients import new_client_keys
from security.oauth.compact import sign, signature_holds
from security.oauth.jwks import private_key
from security.oauth.signing_keys import SigningKey

CLIENTS = (1, 16)
BARE, CRYPTO = "insert_one", "cryptography"


def token(rig: Rig) -> list[Figure]:
    world, sizes = rig.few().world, rig.sizes
    figures = [Figure(benchmark="token", name=clients_named(clients), unit="/s") for clients in CLIENTS]
    with world.endpoint() as endpoint:
        for _ in range(sizes.rounds):
            for clients, figure in zip(CLIENTS, figures, strict=True):
                bare = rig.aside.submit(floors.insert_one, endpoint.url, [{}], clients, sizes.seconds).result()
                crypto = rig.aside.submit(cryptography, sizes.seconds / 2).result()
                measured = observed(world, world.once(world.assertions(sizes.tokens), clients), figure)
                figure.add(measured.per_second, **{BARE: bare.per_second, CRYPTO: crypto})
    return figures


def cryptography(seconds: float) -> float:
    """How often a second one processor checks an assertion and signs a token."""
    client, _ = private_key(new_client_keys()[0])
    signing = SigningKey.generate()
    claims = {"iss": "bench", "jti": "x" * 32}
    assertion = sign({"typ": "JWT"}, claims, client, "ES384")
    began, count = perf_counter(), 0
    while perf_counter() - began < seconds or not count:
        assert signature_holds(assertion, client, "ES384")
        sign({"typ": "at+jwt"}, claims, signing.private, "ES256")
        count += 1
    return count / (perf_counter() - began)
