"""Lists of days: equal schedules have one form."""

import pytest

from backupctl.rules.days import WEEK, sorted_days


@pytest.mark.parametrize("days", [None, [], WEEK, WEEK[::-1], [*WEEK, "MONDAY"], [*WEEK, "HOLIDAY"]])
def test_all_days_are_normalized_to_no_days(days: list[str] | None) -> None:
    assert sorted_days(days) == ()


@pytest.mark.parametrize(
    ("days", "canonical"),
    [
        (["SUNDAY", "MONDAY"], ("MONDAY", "SUNDAY")),
        (["MONDAY", "monday"], ("MONDAY",)),
        (["HOLIDAY", "SUNDAY"], ("SUNDAY", "HOLIDAY")),
        (WEEK[1:], WEEK[1:]),
    ],
)
def test_days_are_unique_and_in_the_order_of_the_week(days: list[str], canonical: tuple[str, ...]) -> None:
    assert sorted_days(days) == canonical
