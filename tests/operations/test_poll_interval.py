"""The poll schedule: its limits hold for any job, and a few traces show what the benchmark measures at length."""

from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.operations.poll_interval import PollSchedule
from tests.benchmarks.traces import SHAPES, SUDDEN_DEATH, Trace, follow, follow_in_fixed_loop, trace

MOVING = ["linear", "noisy", "stepped", "mid-stall"]


def observed(*polls: tuple[float, int | None]) -> PollSchedule:
    schedule = PollSchedule()
    for now, progress in polls:
        schedule.observe(now, progress)
    return schedule


@pytest.mark.parametrize("shape", MOVING)
def test_moving_job_ends_with_less_lag_and_fewer_requests_than_a_fixed_loop(shape: str) -> None:
    traces = [trace(shape, 1800, seed) for seed in range(12)]
    adaptive, loop = [follow(one, PollSchedule()) for one in traces], [follow_in_fixed_loop(one) for one in traces]
    assert fmean(run.lag for run in adaptive) <= 3
    assert sum(run.requests for run in adaptive) <= 0.9 * sum(run.requests for run in loop)


@pytest.mark.parametrize("shape", [*SHAPES, SUDDEN_DEATH])
def test_lag_is_at_most_twenty_seconds_for_any_shape(shape: str) -> None:
    assert all(follow(trace(shape, 900, seed), PollSchedule()).lag <= 20 for seed in range(5))


@given(
    answers=st.lists(st.tuples(st.none() | st.integers(0, 100), st.floats(0, 30)), min_size=1, max_size=60),
    start=st.floats(0, 1e6),
)
@settings(max_examples=60, deadline=None)
def test_any_answers_stay_within_the_bucket_and_the_max_interval(
    answers: list[tuple[int | None, float]], start: float
) -> None:
    schedule, now, requests = PollSchedule(), start, 0
    for progress, latency in answers:
        now += latency
        schedule.observe(now, progress)
        requests += 1
        if schedule.details_due(now):
            schedule.observe_details(now)
            requests += 1
        assert requests <= 12 + (now - start) / 10 + 1e-6
        interval = schedule.next_interval(now)
        assert 0 < interval <= 19.5
        now += interval


def test_job_without_progress_is_polled_at_the_refill_rate() -> None:
    followed = follow(Trace(3600, []), PollSchedule())
    assert followed.polls == pytest.approx(11 + 3600 / 12, abs=8)


def intervals_of(percent: int, seconds: float) -> list[float]:
    """Return the intervals between the polls of a job that stays at ``percent``."""
    schedule, now, intervals = PollSchedule(), 0.0, list[float]()
    while now < seconds:
        schedule.observe(now, percent)
        intervals.append(schedule.next_interval(now))
        now += intervals[-1]
    return intervals


def test_stalled_job_near_its_end_empties_the_bucket_then_follows_the_refill_rate() -> None:
    intervals = intervals_of(95, 3600)
    assert [round(interval, 1) for interval in intervals[:4]] == [2.5, 2.5, 2.5, 3.8]
    assert len(intervals) == 10 + 3600 / 12
    assert intervals[20] == 9
    assert intervals[-1] == 12


def test_fixed_interval_never_changes() -> None:
    schedule = PollSchedule(interval=7)
    for now in range(0, 700, 7):
        schedule.observe(now, now // 7)
        assert schedule.next_interval(now) == 7


def test_interval_before_the_first_poll_is_short() -> None:
    assert PollSchedule().next_interval(5) == 2.5


def test_interval_far_from_the_end_is_the_max() -> None:
    assert observed((0, 10), (60, 11), (120, 12)).next_interval(120) == 19.5


def test_interval_is_half_of_the_time_to_the_last_step() -> None:
    assert observed((0, 50), (10, 60), (20, 70)).next_interval(20) == pytest.approx(10)


def test_interval_in_the_last_step_is_shorter_for_smaller_steps() -> None:
    fine, coarse = observed((0, 98), (60, 99)), observed((0, 80), (600, 90))
    assert fine.next_interval(60) == pytest.approx(2.7)
    assert coarse.next_interval(600) == pytest.approx(4.5)


def test_interval_grows_when_the_last_step_is_overdue() -> None:
    schedule = observed((0, 98), (60, 99))
    assert schedule.next_interval(60 + 89) == pytest.approx(2.7)
    assert schedule.next_interval(60 + 91) == 9


def test_running_job_at_a_hundred_percent_is_polled_as_in_the_last_step() -> None:
    assert observed((0, 99), (60, 100)).next_interval(60) == pytest.approx(2.7)


def test_speed_of_a_job_that_was_already_running_is_estimated_from_the_first_poll() -> None:
    assert observed((0, 57)).next_interval(0) == 2.5
    assert observed((0, 57), (20, 58)).next_interval(20) == 19.5


def test_job_attached_near_its_end_is_polled_at_the_late_max_interval() -> None:
    assert observed((0, 97), (3600, 97)).next_interval(3600) == 9


def test_response_without_progress_keeps_the_estimate() -> None:
    assert observed((0, 98), (60, 99), (62, None)).next_interval(62) == observed((0, 98), (60, 99)).next_interval(62)


def test_progress_that_goes_back_resets_the_estimate() -> None:
    assert observed((0, 98), (60, 99), (80, 3)).next_interval(80) == 12


def test_two_polls_at_the_same_moment_are_accepted() -> None:
    assert observed((0, 10), (0, 20)).next_interval(0) == pytest.approx(4.5)


def test_details_are_due_at_first_and_once_a_minute() -> None:
    schedule = PollSchedule()
    assert schedule.details_due(100)
    schedule.observe_details(170)
    assert not schedule.details_due(229)
    assert schedule.details_due(230)


@pytest.mark.parametrize(
    ("polls", "followed", "interval"),
    [(9, 0, 2.5), (10, 0, 2.5), (11, 0, 12), (11, 6, 6), (11, 12, 6), (12, 12, 12), (12, 6, 18), (13, 6, 19.5)],
)
def test_interval_lasts_until_the_bucket_holds_a_poll(polls: int, followed: float, interval: float) -> None:
    schedule = observed(*[(1000.0, None)] * polls)
    assert schedule.next_interval(1000 + followed) == interval


def test_job_without_a_change_is_polled_after_half_the_time_since_the_first_poll() -> None:
    assert observed((0, 57), (10, 57)).next_interval(10) == 5


def test_late_max_interval_applies_from_ninety_percent() -> None:
    assert observed((0, 90), (3600, 90)).next_interval(3600) == 9
    assert observed((0, 89), (3600, 89)).next_interval(3600) == 12


def test_only_the_last_four_steps_count() -> None:
    steps = (0, 10), (1000, 20), (1010, 30), (1020, 40), (1030, 50), (1040, 60)
    assert observed(*steps).next_interval(1040) == 15


@pytest.mark.parametrize(
    ("polls", "now", "interval"),
    [(((0, 50), (10, 60), (20, 70)), 20, 10), (((0, 98), (60, 99)), 149, 2.7), (((0, 98), (60, 99)), 151, 9)],
)
def test_interval_does_not_depend_on_the_start_of_the_clock(
    polls: tuple[tuple[float, int], ...], now: float, interval: float
) -> None:
    later = observed(*((seconds + 5000, progress) for seconds, progress in polls))
    assert later.next_interval(now + 5000) == pytest.approx(interval)
