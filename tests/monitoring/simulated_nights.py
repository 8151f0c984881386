"""Nights of a simulated appliance with planted troubles, and the truth about each run.

They share no code with the audit: when a run is due is found by walking the minutes of the time zone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backupctl.simulator.backup_runs import BackupRun
from tests.support.clock import FakeClock
from tests.support.command_line import NFS, CommandLine

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

Trouble = Callable[["SimulatedNights", datetime], None]


@dataclass
class SimulatedNights:
    """``truth`` has the verdict of each run by when it was due, and whether it is a gap.

    ``extra`` has the ids of the unexplained jobs.
    """

    zone: str = "Europe/Berlin"
    at: time = time(2, 30)
    start: datetime = datetime(2026, 1, 5, 11, tzinfo=UTC)
    days: tuple[str, ...] = WEEK
    truth: dict[datetime, tuple[str, bool]] = field(default_factory=dict)
    extra: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.start)
        self.backupctl = CommandLine(clock=self.clock, job_duration=1200.0)
        self.appliance = self.backupctl.appliance
        self.appliance.set_time_zone(self.zone)
        self._last_date = date.min
        self.run("schedule", "set", "--location", NFS, "--at", f"{self.at:%H:%M}", *self._day_options())

    def run(self, *words: str) -> None:
        assert self.backupctl(*words).code == 0

    def until(self, moment: datetime) -> None:
        """Let time pass; the appliance runs what is due."""
        self.clock.sleep((moment - self.clock.now()).total_seconds())
        self.appliance.advance()

    def off_until(self, moment: datetime) -> None:
        """Let time pass while the appliance is off."""
        self.clock.sleep((moment - self.clock.now()).total_seconds())
        self.appliance.schedules.take_due(self.clock.now())

    def started(self) -> BackupRun:
        """Start the run that was due, or an additional one, as the scheduler does."""
        spec = self.appliance.schedules.entries["default"].backup_spec()
        return self.appliance.start_backup(spec, user=None, job_type="SCHEDULED")

    def nights(self, number: int, trouble: Trouble | None = None) -> None:
        for _ in range(number):
            due = self.next_due()
            if trouble is None:
                made(self, due)
            else:
                trouble(self, due)

    def change(self, *, at: time | None = None, days: tuple[str, ...] | None = None, zone: str | None = None) -> None:
        """Change the schedule, or the time zone of the appliance."""
        if zone is not None:
            self.zone = zone
            self.appliance.set_time_zone(zone)
        self.at, self.days = at or self.at, days or self.days
        self.run("schedule", "set", "--at", f"{self.at:%H:%M}", *self._day_options())
        self._last_date = date.min

    def _day_options(self) -> list[str]:
        return [word for day in self.days for word in ("--day", day)]

    def next_due(self) -> datetime:
        """Return when the next run is due: the minute that shows its time, or as long after one that is skipped."""
        zone, moment = ZoneInfo(self.zone), self.clock.now().replace(second=0, microsecond=0)
        before = moment.astimezone(zone)
        while True:
            moment += MINUTE
            local = moment.astimezone(zone)
            minute = local.replace(tzinfo=None)
            wanted = datetime.combine(local.date(), self.at)
            skipped = before.replace(tzinfo=None) < wanted < minute
            if (minute == wanted or skipped) and local.date() != self._last_date and WEEK[local.weekday()] in self.days:
                self._last_date = local.date()
                return moment + (wanted - before.replace(tzinfo=None) - MINUTE if skipped else timedelta())
            before = local


def made(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due + HOUR)
    assert nights.appliance.jobs[-1].start_time == due, "the simulator and the walk disagree"
    nights.truth[due] = ("made", False)


def appliance_off(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - HOUR / 2)
    nights.off_until(due + 3 * HOUR)
    nights.truth[due] = ("missed", True)


def missed_on(day: str) -> Trouble:
    """Return a trouble that repeats: the appliance is off for the runs on one day of the week."""

    def night(nights: SimulatedNights, due: datetime) -> None:
        off = WEEK[due.astimezone(ZoneInfo(nights.zone)).weekday()] == day
        (appliance_off if off else made)(nights, due)

    return night


def failed(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due + MINUTE)
    nights.appliance.jobs[-1].fail_at = 10
    nights.until(due + HOUR)
    nights.truth[due] = ("failed", True)


def failed_and_run_by_hand(nights: SimulatedNights, due: datetime) -> None:
    failed(nights, due)
    nights.until(due + 6 * HOUR + 17 * MINUTE)
    nights.run("schedule", "run")
    nights.truth[due] = ("failed", False)


def run_by_hand_too(nights: SimulatedNights, due: datetime) -> None:
    made(nights, due)
    nights.until(due + 6 * HOUR + 17 * MINUTE)
    nights.run("schedule", "run")


def run_twice_by_the_scheduler(nights: SimulatedNights, due: datetime) -> None:
    made(nights, due)
    nights.until(due + 6 * HOUR + 17 * MINUTE)
    nights.extra.add(nights.started().job_id)
    nights.until(due + 7 * HOUR)


def manual_backup_at_the_time(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - 10 * MINUTE)
    nights.run("create", "--location", NFS, "--no-wait")
    nights.until(due + HOUR)
    nights.truth[due] = ("kept-out", False)


def failing_manual_backup_at_the_time(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - 10 * MINUTE)
    nights.run("create", "--location", NFS, "--no-wait")
    nights.appliance.jobs[-1].fail_at = 90
    nights.until(due + HOUR)
    nights.truth[due] = ("kept-out", True)


def backup_elsewhere_at_the_time(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - 10 * MINUTE)
    nights.run("create", "--location", "nfs://elsewhere.example.com/vcenter", "--no-wait")
    nights.until(due + HOUR)
    nights.truth[due] = ("kept-out", True)


def late_start(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - HOUR / 2)
    nights.off_until(due + 3 * HOUR + 17 * MINUTE)
    nights.started()
    nights.until(due + 4 * HOUR)
    nights.truth[due] = ("late", False)


def disabled_for_a_week(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due - HOUR)
    nights.run("schedule", "disable")
    for _ in range(6):
        nights.truth[due] = ("missed", True)
        nights.until(due + HOUR)
        due = nights.next_due()
    nights.truth[due] = ("missed", True)
    nights.until(due + HOUR)
    nights.run("schedule", "enable")


def target_full_for_a_week(nights: SimulatedNights, due: datetime) -> None:
    failed(nights, due)
    for _ in range(6):
        failed(nights, nights.next_due())


def run_longer_than_a_day(nights: SimulatedNights, due: datetime) -> None:
    nights.until(due + MINUTE)
    nights.appliance.jobs[-1].duration = 26 * 3600
    nights.truth[due] = ("made", False)
    due = nights.next_due()
    nights.until(due + 5 * HOUR)
    nights.truth[due] = ("kept-out", False)


TROUBLES: tuple[Trouble, ...] = (
    appliance_off,
    failed,
    failed_and_run_by_hand,
    run_by_hand_too,
    run_twice_by_the_scheduler,
    manual_backup_at_the_time,
    failing_manual_backup_at_the_time,
    backup_elsewhere_at_the_time,
    late_start,
    disabled_for_a_week,
    target_full_for_a_week,
    run_longer_than_a_day,
)
