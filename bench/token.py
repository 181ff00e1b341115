"""Tokens: POST /oauth/token with assertions signed beforehand (ES384), against the cryptography, the bare insert and the empty route; and
the check of an access token at each request, in process, against its signature alone.

The cryptography is what no implementation can leave out: one ES384 signature to check, one ES256 signature to make.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from itertools import cycle
from time import perf_counter, process_time
from timeit import Timer

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey

from bench import floors
from bench.figures import Figure, clients_named
from bench.load import request
from bench.rig import Rig, observed
from hub.instants import now_us
from security.oauth.access_token import TokenCache, issue, verify, verify_cached
from security.oauth.client import dpop_proof
from security.oauth.clients import new_client_keys
from security.oauth.compact import sign, signature_holds
from security.oauth.dpop import Nonces
from security.oauth.dpop import verify as verify_proof
from security.oauth.jwks import private_key
from security.oauth.signing_keys import SigningKey, SigningKeys
from security.scopes import Scopes

CLIENTS = (1, 16)
BARE, CRYPTO, EMPTY, ALONE = "insert_one", "cryptography", "GET /livez", "signature alone"
TOKENS_MIN = 200.0
"""Tokens a second, of one process."""
CHECK_US_MAX = 150.0
"""Signature, claims, scope; without the look-up of client and authorization, which waits for the database."""
URL = "https://hub.example.org"
DIFFERENT = 512
RUNS = 5
BOUND = "x" * 700
"""As long as an access token."""


def token(rig: Rig) -> list[Figure]:
    world, sizes = rig.few().world, rig.sizes
    figures = [Figure(benchmark="token", name=clients_named(clients), unit="/s") for clients in CLIENTS]
    with world.endpoint() as endpoint:
        for _ in range(sizes.rounds):
            for clients, figure in zip(CLIENTS, figures, strict=True):
                bare = rig.aside.submit(floors.insert_one, endpoint.url, [{}], clients, sizes.seconds).result()
                crypto = rig.aside.submit(cryptography, sizes.seconds / 2).result()
                empty = world.send(world.during([request("GET", "/livez")], clients, sizes.seconds / 2))
                measured = observed(world, world.once(world.assertions(sizes.tokens), clients), figure)
                figure.add(measured.per_second, **{BARE: bare.per_second, CRYPTO: crypto, EMPTY: empty.per_second})
    figures[-1].expect(f"≥ {TOKENS_MIN:.0f}/s", met=figures[-1].value >= TOKENS_MIN)
    return figures + checks(sizes.seconds / 40)


def checks(run_s: float) -> list[Figure]:
    """The work of one process at each request, in microseconds of the processor."""
    signing = SigningKey.generate()
    keys, cache, scopes = SigningKeys(signing), TokenCache(), "system/Observation.rs system/Patient.rs"
    given = {"keys": keys, "issuer": URL, "audience": f"{URL}/fhir", "now_us": now_us()}
    tokens = [_issued(signing, scopes, str(number)) for number in range(DIFFERENT)]
    proofs, nonces = [_proof(ECKey.generate_key("P-256", private=True), str(number)) for number in range(DIFFERENT)], Nonces(bytes(32))
    next_token, next_proof = cycle(tokens), cycle(proofs)
    verify_cached(cache, tokens[0], **given)

    def new() -> None:
        assert verify(next(next_token), **given).scopes.within(Scopes.parse(scopes)).items

    def seen() -> None:
        assert verify_cached(cache, tokens[0], **given).scopes.within(Scopes.parse(scopes)).items

    def proof() -> None:
        verify_proof(next(next_proof), method="GET", url=f"{URL}/fhir/Patient", now_us=given["now_us"], nonces=nonces, token=BOUND)

    def checked() -> None:
        next(next_bare)()

    work = {"check of a token not seen before": new, "check of a token seen before": seen, "check of a DPoP proof": proof}
    figures = [Figure(benchmark="token", name=name, unit=" µs", better="less") for name in work]
    next_bare = cycle([_bare(signing, one) for one in tokens])
    for _ in range(RUNS):
        alone = _us(checked, run_s)
        for figure, one in zip(figures, work.values(), strict=True):
            figure.add(_us(one, run_s), **{ALONE: alone})
    for figure in figures[:2]:
        figure.expect(f"≤ {CHECK_US_MAX:.0f} µs", met=figure.value <= CHECK_US_MAX)
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


def _issued(key: SigningKey, scope: str, jti: str) -> str:
    return issue(
        key=key, issuer=URL, audience=f"{URL}/fhir", client_id="bench", scope=scope, purpose="TREAT", jti=jti, now_us=now_us(), kid="k"
    )


def _bare(key: SigningKey, token: str) -> Callable[[], None]:
    """The check of one signature by the library beneath, with everything it needs at hand."""
    content, _, signature = token.rpartition(".")
    octets, public = urlsafe_b64decode(signature + "=="), key.public.raw_value
    r, s = (int.from_bytes(octets[at : at + 32], "big") for at in (0, 32))
    der, said, algorithm = encode_dss_signature(r, s), content.encode(), ECDSA(SHA256())
    return lambda: public.verify(der, said, algorithm)


def _proof(key: ECKey, jti: str) -> str:
    return dpop_proof(key, "GET", f"{URL}/fhir/Patient", now_us(), jti, token=BOUND)


def _us(work: Callable[[], object], run_s: float) -> float:
    timer = Timer(work, timer=process_time)  # what others do on the machine is not ours
    number = max(1, int(run_s / max(timer.timeit(10) / 10, 1e-7)))
    return round(timer.timeit(number) / number * 1e6, 2)
