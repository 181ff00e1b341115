"""The keys of the hub: one per patient, one for what belongs to nobody, and secrets that have names (DESIGN 5).

Keys lie wrapped by the KMS in a store of their own and are unwrapped into a bounded cache for a bounded time. Python
cannot wipe memory: a key that is evicted is no longer used, its bytes go when the allocator reuses them.
"""

import asyncio
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, Protocol, TypeVar

from security.envelope import DATA_KEY_BYTES, DataKey, aad, data_key, open_, seal
from security.kms.protocol import Kms, KmsError

SYSTEM: Final = b"system"
"""Id of the key for resources without a patient."""
SECRET_PREFIX: Final = b"secret/"
FIRST_VERSION: Final = 1
KEYS_CACHED_MAX: Final = 65_536
KEY_AGE_MAX_S: Final = 300.0
"""A key destroyed by another process is used no longer than this."""
KMS_CALLS_AT_ONCE: Final = 32

_CONTEXT: Final = struct.Struct(">4sI")

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A key as it is stored.

    id       patient token, "system" or "secret/{name}"
    version  counted from 1
    wrapped  what the KMS made of it; for a blob, what the system key made of it
    kms_key  which master key wrapped it (`Kms.key_id`); "system/{version}" for a blob
    """

    id: bytes
    version: int
    wrapped: bytes = field(repr=False)
    kms_key: str


class WrappedKeyStore(Protocol):
    """Where wrapped keys lie, durably. What `insert` or `find` has answered is never taken back by a failover."""

    async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
        """The stored keys among `ids`; others are absent."""
        ...

    async def insert(self, keys: Sequence[WrappedKey]) -> Mapping[bytes, WrappedKey]:
        """Store those whose id is not there yet, and return what is stored now for all of them: the first one wins."""
        ...


class KeyRing:
    """Unwrapped keys on demand. One per process; safe between the tasks of one event loop.

    random  number of bytes -> that many unpredictable bytes
    clock   seconds, never going back
    """

    def __init__(
        self,
        kms: Kms,
        store: WrappedKeyStore,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        clock: Callable[[], float] = time.monotonic,
        cached_max: int = KEYS_CACHED_MAX,
        age_max_s: float = KEY_AGE_MAX_S,
    ) -> None:
        self._kms, self._store, self._random = kms, store, random
        self._cache = _Cache(clock, cached_max, age_max_s)

    async def get(self, ids: Iterable[bytes]) -> Mapping[bytes, DataKey]:
        """The keys of these ids; an id without a key is absent. Raises KmsError if a stored key does not unwrap."""
        found, missing = self._cache.split(ids)
        if missing:
            generation = self._cache.generation
            stored = await self._store.find(missing)
            found |= await self._unwrap(stored.values(), generation)
        return found

    async def get_afresh(
        self, ids: Iterable[bytes], since: float = inf, keyless: AbstractSet[bytes] = frozenset()
    ) -> Mapping[bytes, DataKey]:
        """As `get`, but asked of the store in any case, so that the time does not tell who has a key.

        since  what has been fetched since this `moment` has been asked already; twice would tell too
        keyless  ids that have no key: they are asked for only where nothing else has been
        """
        generation = self._cache.generation
        wanted = list(dict.fromkeys(ids))
        found = self._cache.fetched(wanted, since)
        missing = [id for id in wanted if id not in found]
        if missing and not (found and keyless >= set(missing)):
            stored = await self._store.find(missing)
            found |= await self._unwrap(stored.values(), generation)
        return found

    def moment(self) -> float:
        """Now, for `get_afresh`."""
        return self._cache.now()

    async def create(self, ids: Iterable[bytes]) -> Mapping[bytes, DataKey]:
        """The keys of these ids, made where there is none yet. Whoever stores one first, everybody uses that one."""
        wanted = list(dict.fromkeys(ids))
        found = dict(await self.get(wanted))
        missing = [id for id in wanted if id not in found]
        if missing:
            generation = self._cache.generation
            made = await _in_turns(self._wrapped, missing)
            # Ours come back through the KMS too: nothing is sealed with a key before the stored form is known to unwrap.
            stored = await self._store.insert(made)
            found |= await self._unwrap(stored.values(), generation)
        return found

    def evict(self, id: bytes) -> None:
        """Forget a key here and now, because it was destroyed or replaced; also one that is just being fetched."""
        self._cache.evict(id)

    async def secret(self, name: str, length: int = DATA_KEY_BYTES) -> bytes:
        """The secret of this name: random bytes, made once, the same for every process. Raises KmsError."""
        id = SECRET_PREFIX + name.encode()
        stored = (await self._store.find([id])).get(id)
        if stored is None:
            wrapped = await self._kms.wrap(self._random(length), _context(b"scrt", id, FIRST_VERSION))
            made = WrappedKey(id=id, version=FIRST_VERSION, wrapped=wrapped, kms_key=self._kms.key_id)
            stored = (await self._store.insert([made]))[id]
        secret = await self._kms.unwrap(stored.wrapped, _context(b"scrt", id, stored.version))
        if len(secret) != length:
            raise KmsError(f"the secret {name!r} was made with another length")
        return secret

    async def secret_blob(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret of this name that only `make` can make, e.g. a signing key; too long for a KMS to wrap.

        Raises EnvelopeError if what is stored was altered.
        """
        id = SECRET_PREFIX + name.encode()
        system = (await self.create([SYSTEM]))[SYSTEM]
        stored = (await self._store.find([id])).get(id)
        if stored is None:
            sealed = seal(system, _blob_place(name, FIRST_VERSION, system), make(), None)
            made = WrappedKey(id=id, version=FIRST_VERSION, wrapped=sealed, kms_key=f"system/{system.version}")
            stored = (await self._store.insert([made]))[id]
        return open_(system, _blob_place(name, stored.version, system), stored.wrapped)

    async def _wrapped(self, id: bytes) -> WrappedKey:
        wrapped = await self._kms.wrap(self._random(DATA_KEY_BYTES), _context(b"data", id, FIRST_VERSION))
        return WrappedKey(id=id, version=FIRST_VERSION, wrapped=wrapped, kms_key=self._kms.key_id)

    async def _unwrap(self, stored: Iterable[WrappedKey], generation: int) -> dict[bytes, DataKey]:
        keys = {key.id: key for key in await _in_turns(self._unwrapped, stored)}
        self._cache.add(keys, generation)
        return keys

    async def _unwrapped(self, stored: WrappedKey) -> DataKey:
        key = await self._kms.unwrap(stored.wrapped, _context(b"data", stored.id, stored.version))
        return data_key(stored.id, stored.version, key)


class _Cache:
    """Unwrapped keys, the least recently used dropped first, each for a limited time after it was fetched."""

    def __init__(self, clock: Callable[[], float], cached_max: int, age_max_s: float) -> None:
        self._clock, self._cached_max, self._age_max_s = clock, cached_max, age_max_s
        self._entries: OrderedDict[bytes, tuple[DataKey, float]] = OrderedDict()
        self.generation = 0

    def split(self, ids: Iterable[bytes]) -> tuple[dict[bytes, DataKey], list[bytes]]:
        """The cached keys, and the ids that must be fetched (each once)."""
        now = self._clock()
        found: dict[bytes, DataKey] = {}
        missing: dict[bytes, None] = {}
        for id in ids:
            entry = self._entries.get(id)
            if entry is None or entry[1] <= now:
                missing[id] = None
            else:
                self._entries.move_to_end(id)
                found[id] = entry[0]
        return found, list(missing)

    def now(self) -> float:
        return self._clock()

    def fetched(self, ids: Iterable[bytes], since: float) -> dict[bytes, DataKey]:
        """Those among the cached keys that were fetched at `since` or later."""
        entries = ((id, self._entries.get(id)) for id in ids)
        return {id: entry[0] for id, entry in entries if entry is not None and entry[1] >= since + self._age_max_s}

    def add(self, keys: Mapping[bytes, DataKey], generation: int) -> None:
        """Keep what was fetched, unless something was evicted since `generation`: it might be one of these."""
        if generation != self.generation:
            return
        expires = self._clock() + self._age_max_s
        for id, key in keys.items():
            self._entries[id] = key, expires
            self._entries.move_to_end(id)
        while len(self._entries) > self._cached_max:
            self._entries.popitem(last=False)

    def evict(self, id: bytes) -> None:
        self._entries.pop(id, None)
        self.generation += 1


async def _in_turns(call: Callable[[_In], Awaitable[_Out]], items: Iterable[_In]) -> list[_Out]:
    """`call` for every item, so many at once as a KMS over the network can bear."""
    waiting, done = iter(items), []
    while batch := list(islice(waiting, KMS_CALLS_AT_ONCE)):
        done += await asyncio.gather(*(call(item) for item in batch))
    return done


def _context(kind: bytes, id: bytes, version: int) -> bytes:
    """What a wrapped key is bound to: a secret never unwraps as a data key, nor one patient's key as another's."""
    return _CONTEXT.pack(kind, version) + id


def _blob_place(name: str, version: int, system: DataKey) -> bytes:
    return aad(purpose="key", resource_type="secret", id=name, version=version, patient=None, key_version=system.version)
