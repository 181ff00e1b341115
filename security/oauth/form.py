"""The body of a token request, read strictly.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2, https://url.spec.whatwg.org/#application/x-www-form-urlencoded
"""

from urllib.parse import parse_qsl

from security.oauth.errors import OAuthError

MEDIA_TYPE = "application/x-www-form-urlencoded"
FORM_MAX_BYTES = 32_768
FIELDS_MAX = 32


def parse_form(content_type: str, body: bytes, *, fields_max: int = FIELDS_MAX) -> dict[str, str]:
    """Name and value of each parameter. Raises OAuthError invalid_request.

    A parameter without value is treated as omitted, one that comes twice refuses the request (RFC 6749 section 3.2).
    """
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise OAuthError("invalid_request", f"the body must be {MEDIA_TYPE}")
    if len(body) > FORM_MAX_BYTES:
        raise OAuthError("invalid_request", f"the body is longer than {FORM_MAX_BYTES} bytes")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=fields_max)
    except ValueError:
        raise OAuthError("invalid_request", "the body cannot be read as UTF-8 form fields") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is given more than once")
    return {name: value for name, value in form.items() if value}
