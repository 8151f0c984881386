"""The keys of httpx extensions, with which requests and responses carry data between the modules of this package."""

from typing import Final

REDACTED_REQUEST: Final = "redacted_request"
"""On a request: a callable that returns its path with query, and its body, with secrets masked."""

SECRET_RESPONSE: Final = "secret_response"  # noqa: S105 - a name
"""On a request: True if the body of a successful response is a secret."""

REDACT: Final = "redact"
"""On a response: the function that masks secrets in its texts (``Redact``)."""

RAW_HEADERS: Final = "raw_headers"
"""On a response: all its headers (httpx.Headers), with those that are hidden from httpx."""
