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
def test_pace_of_a_moving_job_sees_the_end_sooner_than_a_fixed_loop_with_fewer_requests(shape: str) -> None:
    traces = [trace(shape, 1800, seed) for seed in range(12)]
    ours, loop = [follow(one, PollSchedule()) for one in traces], [follow_in_fixed_loop(one) for one in traces]
    assert fmean(run.lag for run in ours) <= 3
    assert sum(run.requests for run in ours) <= 0.9 * sum(run.requests for run in loop)


@pytest.mark.parametrize("shape", [*SHAPES, SUDDEN_DEATH])
def test_pace_of_any_shape_never_sees_the_end_later_than_twenty_seconds(shape: str) -> None:
    assert all(follow(trace(shape, 900, seed), PollSchedule()).lag <= 20 for seed in range(5))


@given(
    answers=st.lists(st.tuples(st.none() | st.integers(0, 100), st.floats(0, 30)), min_size=1, max_size=60),
    start=st.floats(0, 1e6),
)
@settings(max_examples=60, deadline=None)
def test_pace_any_answers_keep_the_bucket_and_the_longest_gap(
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
        gap = schedule.next_gap(now)
        assert 0 < gap <= 19.5
        now += gap


def test_pace_that_never_learns_anything_settles_at_the_bucket() -> None:
    followed = follow(Trace(3600, []), PollSchedule())
    assert followed.polls == pytest.approx(11 + 3600 / 12, abs=8)


def gaps_of(percent: int, seconds: float) -> list[float]:
    """Return the gaps between the polls of a job that stands still at ``percent``."""
    schedule, now, gaps = PollSchedule(), 0.0, list[float]()
    while now < seconds:
        schedule.observe(now, percent)
        gaps.append(schedule.next_gap(now))
        now += gaps[-1]
    return gaps


def test_pace_of_a_job_that_stands_still_near_its_end_empties_the_bucket_and_keeps_to_it() -> None:
    gaps = gaps_of(95, 3600)
    assert [round(gap, 1) for gap in gaps[:4]] == [2.5, 2.5, 2.5, 3.8]
    assert len(gaps) == 10 + 3600 / 12
    assert gaps[20] == 9
    assert gaps[-1] == 12


def test_pace_with_an_interval_never_changes_it() -> None:
    schedule = PollSchedule(interval=7)
    for now in range(0, 700, 7):
        schedule.observe(now, now // 7)
        assert schedule.next_gap(now) == 7


def test_pace_before_the_first_answer_is_close() -> None:
    assert PollSchedule().next_gap(5) == 2.5


def test_pace_far_from_the_end_waits_longest() -> None:
    assert observed((0, 10), (60, 11), (120, 12)).next_gap(120) == 19.5


def test_pace_shortens_as_the_last_step_comes_near() -> None:
    assert observed((0, 50), (10, 60), (20, 70)).next_gap(20) == pytest.approx(10)


def test_pace_in_the_last_step_is_close_and_closer_the_finer_the_steps() -> None:
    fine, coarse = observed((0, 98), (60, 99)), observed((0, 80), (600, 90))
    assert fine.next_gap(60) == pytest.approx(2.7)
    assert coarse.next_gap(600) == pytest.approx(4.5)


def test_pace_of_an_overdue_last_step_relaxes() -> None:
    schedule = observed((0, 98), (60, 99))
    assert schedule.next_gap(60 + 89) == pytest.approx(2.7)
    assert schedule.next_gap(60 + 91) == 9


def test_pace_at_a_hundred_percent_of_a_running_job_goes_on() -> None:
    assert observed((0, 99), (60, 100)).next_gap(60) == pytest.approx(2.7)


def test_pace_of_a_job_met_in_mid_flight_learns_its_speed_from_there() -> None:
    assert observed((0, 57)).next_gap(0) == 2.5
    assert observed((0, 57), (20, 58)).next_gap(20) == 19.5


def test_pace_of_a_job_met_near_its_end_stays_below_the_late_gap() -> None:
    assert observed((0, 97), (3600, 97)).next_gap(3600) == 9


def test_pace_without_progress_in_an_answer_keeps_what_it_knew() -> None:
    assert observed((0, 98), (60, 99), (62, None)).next_gap(62) == observed((0, 98), (60, 99)).next_gap(62)


def test_pace_of_progress_that_goes_back_starts_to_learn_anew() -> None:
    assert observed((0, 98), (60, 99), (80, 3)).next_gap(80) == 12


def test_pace_of_two_answers_at_the_same_moment_is_sane() -> None:
    assert observed((0, 10), (0, 20)).next_gap(0) == pytest.approx(4.5)


def test_details_are_due_once_a_minute() -> None:
    schedule = PollSchedule()
    assert not schedule.details_due(100)
    schedule.observe(100, 0)
    assert not schedule.details_due(159)
    assert schedule.details_due(160)
    schedule.observe_details(170)
    assert not schedule.details_due(229)
    assert schedule.details_due(230)


@pytest.mark.parametrize(
    ("polls", "followed", "gap"),
    [(9, 0, 2.5), (10, 0, 2.5), (11, 0, 12), (11, 6, 6), (11, 12, 6), (12, 12, 12), (12, 6, 18), (13, 6, 19.5)],
)
def test_pace_waits_until_the_bucket_holds_a_poll(polls: int, followed: float, gap: float) -> None:
    schedule = observed(*[(1000.0, None)] * polls)
    assert schedule.next_gap(1000 + followed) == gap


def test_pace_of_a_job_that_has_not_moved_waits_half_of_what_it_was_followed() -> None:
    assert observed((0, 57), (10, 57)).next_gap(10) == 5


def test_pace_of_a_job_at_ninety_percent_is_late() -> None:
    assert observed((0, 90), (3600, 90)).next_gap(3600) == 9
    assert observed((0, 89), (3600, 89)).next_gap(3600) == 12


def test_pace_forgets_all_but_the_last_four_steps() -> None:
    steps = (0, 10), (1000, 20), (1010, 30), (1020, 40), (1030, 50), (1040, 60)
    assert observed(*steps).next_gap(1040) == 15


@pytest.mark.parametrize(
    ("polls", "now", "gap"),
    [(((0, 50), (10, 60), (20, 70)), 20, 10), (((0, 98), (60, 99)), 149, 2.7), (((0, 98), (60, 99)), 151, 9)],
)
def test_pace_is_the_same_on_a_clock_that_started_earlier(
    polls: tuple[tuple[float, int], ...], now: float, gap: float
) -> None:
    later = observed(*((seconds + 5000, progress) for seconds, progress in polls))
    assert later.next_gap(now + 5000) == pytest.approx(gap)
