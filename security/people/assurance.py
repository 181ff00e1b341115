"""How a person proved who they are, in the words that tokens say it with (OpenID Connect Core section 2).

acr: URIs of ours, after the levels of NIST SP 800-63B-4; amr: names of RFC 8176.
"""

from typing import Final

ACR_PASSWORD: Final = "urn:hds-hub:acr:one-factor"  # noqa: S105 (a name)
ACR_SECOND_FACTOR: Final = "urn:hds-hub:acr:two-factors"
ACRS: Final = (ACR_PASSWORD, ACR_SECOND_FACTOR)

AMR_PASSWORD: Final = ("pwd",)
AMR_SECOND_FACTOR: Final = ("pwd", "otp", "mfa")
AMR_ELSEWHERE: Final = ("otp", "mfa")
"""A code of ours on top of the word of another provider, which was one factor."""
