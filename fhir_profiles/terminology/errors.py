"""Why a question about terminology has no answer here."""

from typing import Literal


class TerminologyError(Exception):
    """`code` is a code of https://hl7.org/fhir/R4/valueset-issue-type.html; `text` says what to do and repeats no value."""

    def __init__(self, code: Literal["not-found", "not-supported", "invalid", "too-costly"], text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
