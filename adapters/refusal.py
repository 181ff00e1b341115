"""How a parser gives up on one item without giving up on its neighbours."""

from adapters.limits import RAW_BYTES_MAX
from adapters.reading import Rejected


class ItemRefused(Exception):
    """Raised inside a parser, never out of it; becomes the `Rejected` of the item it concerns.

    Code, hint and keep are those of `Rejected`. The hint never repeats text of the payload: it may be logged.
    """

    def __init__(self, code: str, hint: str, *, keep: bool = True) -> None:
        super().__init__(code)
        self.code, self.hint, self.keep = code, hint, keep

    def item(self, *, pointer: str, raw: bytes, device: str | None = None) -> Rejected:
        """Give the item. One that is too long to be kept whole is refused for good: half of it could never be read again."""
        if len(raw) > RAW_BYTES_MAX:
            hint = f"One item may have {RAW_BYTES_MAX} bytes; this one has more."
            return Rejected(code="item-too-long", hint=hint, pointer=pointer, raw=raw[:RAW_BYTES_MAX], device=device, keep=False)
        return Rejected(code=self.code, hint=self.hint, pointer=pointer, raw=raw, device=device, keep=self.keep)


def check_length(raw: bytes) -> None:
    """Raise ItemRefused if an item is too long to be kept."""
    if len(raw) > RAW_BYTES_MAX:
        raise ItemRefused("item-too-long", "")
