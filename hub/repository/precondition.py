"""On which versions a write may fall: If-Match and If-None-Match.

https://hl7.org/fhir/R4/http.html#concurrency, https://www.rfc-editor.org/rfc/rfc9110#section-13.1. A write without them
falls on whatever version there is.
"""

from dataclasses import dataclass

from hub.errors import FhirError


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """wanted    the versions that may be current; None: any
    exists    something must be there (If-Match with versions or `*`)
    unwanted  versions that may not be current
    absent    nothing may be there yet (If-None-Match `*`)
    """

    wanted: frozenset[int] | None = None
    exists: bool = False
    unwanted: frozenset[int] = frozenset()
    absent: bool = False

    def check(self, current: int) -> None:
        """Raises FhirError precondition. Asked only about a version that the caller may see."""
        if self.absent:
            raise FhirError(
                "precondition", "There is such a resource already, and If-None-Match asks for none.", expression="http.If-None-Match"
            )
        unmatched = self.wanted is not None and current not in self.wanted
        if unmatched or current in self.unwanted:
            header = "If-Match" if unmatched else "If-None-Match"
            raise FhirError("precondition", f"The current version is {current}; read it and repeat.", expression=f"http.{header}")


ANY = Precondition()
