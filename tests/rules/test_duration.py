import pytest

from backupctl.errors import UsageError
from backupctl.rules.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("90", 90), ("0", 0), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1h30m", 5400)],
        *[("1d2h3m4s", 93784), ("0.5", 0.5), ("1.5h", 5400), (" 2H ", 7200), ("90m", 5400), ("3650d", 315360000)],
    ],
)
def test_duration_is_parsed_to_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "1w", "h", "1h 30m", "30m1h", "1e3", "inf", "nan", "٣s", "1_000", "3651d", "9" * 400, "1h1h", "."],
)
def test_invalid_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert "1h30m" in str(caught.value.hint)
