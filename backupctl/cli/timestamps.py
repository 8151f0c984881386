"""Parse timestamps: a date, a date with a time, or a duration before now."""

from datetime import UTC, datetime, timedelta

from backupctl.errors import UsageError
from backupctl.rules.duration import parse_duration


def parse_timestamp(flag: str, text: str | None, now: datetime) -> datetime | None:
    """Return an aware time from ISO 8601 (local time without a zone) or from a duration before ``now``; None for None.

    Raises UsageError: for any other text; ``flag`` is the option in the message.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (UsageError, OverflowError) as error:
        raise UsageError(
            f"{flag}: invalid date or duration {text!r}",
            hint="use 2026-03-01, 2026-03-01T02:00, 2026-03-01T02:00Z, or 30d for 30 days ago",
        ) from error
