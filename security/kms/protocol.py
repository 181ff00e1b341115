"""What a key management system does for the hub: it wraps keys and never gives its own away."""

from typing import Protocol


class KmsError(Exception):
    """A key cannot be wrapped or unwrapped: altered, bound to something else, or its master key is not here."""


class Kms(Protocol):
    """One system that holds a master key; asynchronous, because most of them are asked over the network."""

    @property
    def key_id(self) -> str:
        """Names the master key that wraps now, version included; stored beside each wrapped key."""
        ...

    async def wrap(self, plaintext_key: bytes, context: bytes) -> bytes:
        """`plaintext_key` encrypted and bound to `context`, which is not part of the result. Raises KmsError."""
        ...

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The reverse, with any version of the master key that is still kept. Raises KmsError."""
        ...
