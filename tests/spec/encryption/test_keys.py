"""The key ring. DESIGN 5 "Keys"; SECURITY 4.4 (cached keys: bounded, short-lived, evicted); GDPR Art. 17 and 32."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from security.envelope import EnvelopeError, aad, open_, seal
from security.keys import KEY_AGE_MAX_S, SYSTEM, KeyRing, WrappedKey
from security.kms.local import LocalKms
from security.kms.protocol import KmsError

ONE, TWO, THREE = b"patient-one.", b"patient-two.", b"patient-thre"
PLACE = aad(resource_type="Patient", id="p", version=1, patient=ONE, key_version=1)


@pytest.fixture
def ring(kms: LocalKms, store, clock) -> KeyRing:
    return KeyRing(kms, store, clock=clock, cached_max=2)


def opens(sealer, opener) -> bool:
    """Do two data keys hold the same key?"""
    try:
        return open_(opener, PLACE, seal(sealer, PLACE, b"{}", None)) == b"{}"
    except EnvelopeError:
        return False


async def test_a_key_that_was_never_made_is_absent(ring: KeyRing) -> None:
    """DESIGN 5: reading makes no keys; who has none was never here, or was erased."""
    assert await ring.get([ONE]) == {}


async def test_creating_makes_one_key_for_each_id(ring: KeyRing) -> None:
    """DESIGN 5: one data key per patient."""
    made = await ring.create([ONE, TWO, SYSTEM])
    assert {key: (one.id, one.version) for key, one in made.items()} == {ONE: (ONE, 1), TWO: (TWO, 1), SYSTEM: (SYSTEM, 1)}
    assert not opens(made[ONE], made[TWO])


async def test_creating_again_gives_the_key_that_is_there(ring: KeyRing, kms: LocalKms, store) -> None:
    """DESIGN 2.5: an acknowledged write stays readable; no second key takes the first one's place."""
    first = (await ring.create([ONE]))[ONE]
    again = (await KeyRing(kms, store).create([TWO, ONE, ONE]))[ONE]
    assert opens(first, again)


async def test_a_key_is_found_after_a_restart(ring: KeyRing, kms: LocalKms, store) -> None:
    """DESIGN 2.5: nothing lives in memory only."""
    made = (await ring.create([ONE]))[ONE]
    assert opens(made, (await KeyRing(kms, store).get([ONE, TWO]))[ONE])


async def test_keys_lie_in_the_store_wrapped(ring: KeyRing, kms: LocalKms, store) -> None:
    """GDPR Art. 32(1)(a): the key store alone opens nothing; which master key it takes is written beside."""
    known = bytes(range(32))
    await KeyRing(kms, store, random=lambda length: known[:length]).create([ONE])
    assert known[:8] not in store.keys[ONE].wrapped
    assert store.keys[ONE].kms_key == "local/1"
    assert "wrapped" not in repr(store.keys[ONE])


async def test_two_processes_on_an_empty_store_end_with_the_same_key(kms: LocalKms, store) -> None:
    """DESIGN 2.5: insert if absent, then use what is stored: the first one wins, the other one follows."""
    both_looked = asyncio.Barrier(2)

    class Together:
        """Lets nobody insert before both have found nothing."""

        async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
            found = await store.find(ids)
            await both_looked.wait()
            return found

        insert = staticmethod(store.insert)

    rings = [KeyRing(kms, Together()) for _ in range(2)]
    one, other = await asyncio.gather(*(ring.create([ONE]) for ring in rings))
    assert opens(one[ONE], other[ONE])


async def test_two_processes_on_an_empty_store_end_with_the_same_secret(kms: LocalKms, store) -> None:
    """DESIGN 5: two index keys would make two indexes, each blind to the other's half."""
    both_looked = asyncio.Barrier(2)

    class Together:
        async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
            found = await store.find(ids)
            await both_looked.wait()
            return found

        insert = staticmethod(store.insert)

    one, other = await asyncio.gather(*(KeyRing(kms, Together()).secret("index") for _ in range(2)))
    assert one == other


@pytest.mark.parametrize("swap", ["id", "version", "wrapped"])
async def test_a_stored_key_that_was_exchanged_or_altered_is_an_error(ring: KeyRing, store, swap: str) -> None:
    """SECURITY 4.4: one patient's key in the place of another's would open nothing and seal what nobody can read."""
    await ring.create([ONE, TWO])
    ring.evict(ONE)
    one, two = store.keys[ONE], store.keys[TWO]
    store.keys[ONE] = {
        "id": WrappedKey(id=ONE, version=1, wrapped=two.wrapped, kms_key=two.kms_key),
        "version": WrappedKey(id=ONE, version=2, wrapped=one.wrapped, kms_key=one.kms_key),
        "wrapped": WrappedKey(id=ONE, version=1, wrapped=one.wrapped[:-1] + b"\0", kms_key=one.kms_key),
    }[swap]
    with pytest.raises(KmsError):
        await ring.get([ONE])


async def test_a_cached_key_is_not_fetched_again(ring: KeyRing, store) -> None:
    """DESIGN 8: opening costs microseconds, asking a store does not."""
    await ring.create([ONE])
    store.finds.clear()
    await ring.get([ONE, ONE])
    assert store.finds == []


async def test_a_cached_key_is_fetched_again_after_its_age(ring: KeyRing, store, clock) -> None:
    """SECURITY 4.4: short-lived; a key destroyed by another process ends here after that time at the latest."""
    await ring.create([ONE])
    del store.keys[ONE]
    clock.now += KEY_AGE_MAX_S - 1
    assert ONE in await ring.get([ONE])
    clock.now += 1
    assert await ring.get([ONE]) == {}


async def test_use_does_not_lengthen_a_keys_life(ring: KeyRing, store, clock) -> None:
    """SECURITY 4.4: the age counts from when it was fetched, or a busy process would keep a destroyed key for ever."""
    await ring.create([ONE])
    del store.keys[ONE]
    for _ in range(3):
        clock.now += KEY_AGE_MAX_S / 3
        found = await ring.get([ONE])
    assert found == {}


async def test_an_evicted_key_is_gone_at_once(ring: KeyRing, store) -> None:
    """GDPR Art. 17: evicted on shred."""
    await ring.create([ONE])
    del store.keys[ONE]
    ring.evict(ONE)
    assert await ring.get([ONE]) == {}


async def test_a_key_evicted_while_it_is_fetched_is_not_kept(kms: LocalKms, store, clock) -> None:
    """GDPR Art. 17: the answer that was under way when the key was destroyed must not bring it back."""
    await KeyRing(kms, store).create([ONE])

    class Shredding:
        """Destroys the key just after it was read."""

        async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
            found = await store.find(ids)
            store.keys.clear()
            ring.evict(ONE)
            return found

        insert = staticmethod(store.insert)

    ring = KeyRing(kms, Shredding(), clock=clock)
    await ring.get([ONE])
    assert await ring.get([ONE]) == {}


async def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(ring: KeyRing, store) -> None:
    """SECURITY 4.4: bounded; this ring keeps two."""
    await ring.create([ONE])
    await ring.create([TWO])
    await ring.get([ONE])
    await ring.create([THREE])
    store.finds.clear()
    await ring.get([ONE, THREE])
    assert store.finds == []
    await ring.get([TWO])
    assert store.finds == [[TWO]]


async def test_more_keys_than_the_kms_takes_at_once_are_all_made(ring: KeyRing) -> None:
    """STYLE 7.8: calls go out in portions; none is left over."""
    ids = [f"patient-{n:04}".encode() for n in range(100)]
    assert list(await ring.create(ids)) == ids


async def test_no_ids_need_no_store(ring: KeyRing, store) -> None:
    """A request that names no patient asks for nothing."""
    assert await ring.create([]) == await ring.get([]) == {}
    assert store.finds == []


async def test_a_secret_is_made_once_and_stays(ring: KeyRing, kms: LocalKms, store) -> None:
    """DESIGN 5: index key, page-link key, audit-head key: the same in every process and after each start."""
    first = await ring.secret("index")
    assert len(first) == 32
    assert await KeyRing(kms, store).secret("index") == first
    assert first not in store.keys[b"secret/index"].wrapped


async def test_secrets_of_two_names_differ(ring: KeyRing) -> None:
    """RFC 5869 3.2: a key of its own for each use."""
    assert await ring.secret("index") != await ring.secret("page-links")


async def test_a_secret_of_another_length_is_refused(ring: KeyRing) -> None:
    """STYLE 7.7: a key that is shorter than asked for is not handed out."""
    await ring.secret("index", 32)
    with pytest.raises(KmsError, match="another length"):
        await ring.secret("index", 64)


async def test_a_secret_never_serves_as_a_data_key(ring: KeyRing) -> None:
    """NIST SP 800-57 Part 1, 5.2: one key, one use."""
    await ring.secret("index")
    with pytest.raises(KmsError):
        await ring.get([b"secret/index"])


async def test_a_blob_is_made_once_and_stays(ring: KeyRing, kms: LocalKms, store) -> None:
    """SECURITY 1.1: signing keys survive a restart, or every token and every signed head would be worthless."""
    made = await ring.secret_blob("oauth/es384", lambda: b"PRIVATE KEY " * 400)
    assert await KeyRing(kms, store).secret_blob("oauth/es384", lambda: b"another") == made == b"PRIVATE KEY " * 400
    assert b"PRIVATE" not in store.keys[b"secret/oauth/es384"].wrapped
    assert store.keys[b"secret/oauth/es384"].kms_key == "system/1"


async def test_a_blob_in_the_place_of_another_does_not_open(ring: KeyRing, store) -> None:
    """SECURITY 4.4: the name is bound, so a weaker key cannot be put where a stronger one is expected."""
    await ring.secret_blob("one", lambda: b"1")
    await ring.secret_blob("two", lambda: b"2")
    store.keys[b"secret/one"] = store.keys[b"secret/two"]
    with pytest.raises(EnvelopeError):
        await ring.secret_blob("one", lambda: b"1")
