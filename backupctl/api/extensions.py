"""What is attached to requests and answers on their way through the floors of this package, by its name."""

from typing import Final

REDACTED_REQUEST: Final = "redacted_request"
"""The extension of a request with a callable that returns its path with query, and its body, secrets masked."""

SECRET_RESPONSE: Final = "secret_response"  # noqa: S105 - a name
"""The extension of a request whose answer, if it is a good one, is a secret."""

REDACT: Final = "redact"
"""The extension of an answer with what takes our secrets out of its texts before they become part of a sentence."""

RAW_HEADERS: Final = "raw_headers"
"""The extension of an answer with all its headers (httpx.Headers), those too that httpx must not get to see."""
