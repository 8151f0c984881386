"""Read schedules, and change them to a desired state.

A write can have an effect although it failed, so the schedule is read back after each write.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import structs

from backupctl.error_facts import ErrorFacts
from backupctl.errors import (
    ApplianceAnswerError,
    BackupctlError,
    ContradictionError,
    InterruptedRunError,
    NotFoundError,
    OutcomeUnknownError,
    ServerFaultError,
    UsageError,
)
from backupctl.location import Location
from backupctl.models import BackupRequest, Schedule, ScheduleSpec
from backupctl.operations.outcome import Outcome
from backupctl.operations.schedule_fields import (
    SECRET_FIELDS,
    DesiredSchedule,
    changes_of,
    differing_fields,
    mismatch_details,
    mismatched_fields,
)
from backupctl.operations.unreadable_entries import readable
from backupctl.results.events import Warned
from backupctl.results.result import Change
from backupctl.results.schedule_results import ScheduleInfo, ScheduleResult, SchedulesResult
from backupctl.rules.days import sorted_days
from backupctl.rules.recurrence import next_run, time_zone
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Task, Wait, attempt

if TYPE_CHECKING:
    from backupctl.api.recovery_api import RecoveryApi

SCHEDULE_JOB_TYPES: Final = frozenset({"MANUAL", "SCHEDULED"})
"""The possible types of a job that was started by running a schedule; the documentation does not say which it has."""


def read_schedules(appliance: Appliance, *, needs_zone: bool = False) -> Task[Outcome[SchedulesResult]]:
    """Return all schedules, sorted by name, and the number of unreadable ones.

    Raises BackupctlError: if they cannot be read, nor, with ``needs_zone``, the time zone of those that have a time.
    """
    entries = yield from retry(appliance, appliance.api.schedules)
    readable(appliance, list(entries.values()), "schedules")
    known = {name: each for name, each in sorted(entries.items()) if isinstance(each, Schedule)}
    zone = yield from _time_zone(appliance, *known.values(), needed=needs_zone)
    infos = tuple(_schedule_info(appliance, name, each, zone) for name, each in known.items())
    return Outcome(SchedulesResult(schedules=infos, unreadable=len(entries) - len(infos)))


def read_schedule(appliance: Appliance, name: str) -> Task[Outcome[ScheduleResult]]:
    """Return one schedule.

    Raises NotFoundError: if it does not exist.
    """
    schedule = yield from _read_current(appliance, name)
    info = _schedule_info(appliance, name, schedule, (yield from _time_zone(appliance, schedule)))
    return Outcome(ScheduleResult(schedule=info))


def set_schedule(
    appliance: Appliance,
    name: str,
    desired: DesiredSchedule,
    new: DesiredSchedule | BackupctlError,
    *,
    dry_run: bool = False,
) -> Task[Outcome[ScheduleResult]]:
    """Create or update a schedule with one request, or with none if it already has the desired state.

    An existing schedule gets what is ``desired``. A missing one is created as ``new``, or that error is raised. The
    appliance never returns secrets, so they are sent whenever they are given. All other fields are read back.

    Raises UsageError: if nothing is desired of an existing schedule, or a new one lacks a required field.
    """
    try:
        before: Schedule | None = yield from _read_current(appliance, name)
    except NotFoundError:
        before = None
    if before is None:
        desired = _complete(appliance, name, new)
    elif desired == DesiredSchedule():
        raise UsageError(
            "nothing to set: schedule $1 exists",
            server=appliance.name,
            texts=(repr(name),),
            hint="give --at, --day, --retain, --enable, --disable, --location, --location-user, --part, --fast-backup "
            "or a password",
        )
    return (yield from _apply(appliance, name, before, desired, dry_run=dry_run))


def set_schedule_enabled(
    appliance: Appliance, name: str, *, enable: bool, dry_run: bool = False
) -> Task[Outcome[ScheduleResult]]:
    """Enable or disable a schedule.

    Raises NotFoundError: if it does not exist.
    """
    before = yield from _read_current(appliance, name)
    return (yield from _apply(appliance, name, before, DesiredSchedule(enable=enable), dry_run=dry_run))


def _apply(
    appliance: Appliance, name: str, before: Schedule | None, desired: DesiredSchedule, *, dry_run: bool
) -> Task[Outcome[ScheduleResult]]:
    """Write the differing fields, and verify that the schedule matches the request."""
    requested = desired.spec(before)
    differing = differing_fields(before, requested)
    # Nothing is read after the write is verified, because an interruption must not hide its result.
    zone = yield from _time_zone(appliance, before or requested)
    current = _schedule_info(appliance, name, before, zone) if before else None
    if not differing:
        return Outcome(ScheduleResult(schedule=current))
    changes = changes_of(before, requested, differing)
    spec = structs.replace(ScheduleSpec(), **{field: getattr(requested, field) for field in differing})

    def write(api: RecoveryApi) -> None:
        (api.update_schedule if before else api.create_schedule)(name, spec)

    if dry_run:
        return Outcome(ScheduleResult(schedule=current, changes=changes, requests=appliance.api.prepare(write)))
    write_error = yield from _write(
        name, partial(write, appliance.api), _INCONCLUSIVE if before else _INCONCLUSIVE_FOR_CREATE
    )
    after = yield from _read_back(
        appliance, name, write_error, lambda read: read is not None and not mismatched_fields(read, requested)
    )
    if after is None:
        raise _mismatch_error(appliance, name, write_error, after, f"schedule {name!r} does not exist")
    if mismatched_fields(after, requested):
        actual = f"schedule {name!r} {'was not changed' if after == before else 'differs from the request'}"
        differences = mismatch_details(after, requested)
        raise _mismatch_error(appliance, name, write_error, after, actual, details=differences)
    if write_error is not None and SECRET_FIELDS.issuperset(differing):
        raise _unverified_passwords(appliance, name, write_error)
    passwords = "" if SECRET_FIELDS.isdisjoint(differing) else " (its passwords cannot be verified)"
    _warn_verified(appliance, name, write_error, f"schedule {name!r} matches the request{passwords}")
    info = _schedule_info(appliance, name, after, zone)
    if before is None or requested.backup_password is not None:
        info = structs.replace(info, encrypted=requested.backup_password is not None)
    return Outcome(ScheduleResult(schedule=info, changes=changes))


def delete_schedule(appliance: Appliance, name: str, *, dry_run: bool = False) -> Task[Outcome[ScheduleResult]]:
    """Delete a schedule, and verify that it does not exist any more.

    Raises NotFoundError: if it does not exist.
    """
    before = yield from _read_current(appliance, name)
    deletion = (Change(field="schedule", before=name, after=None),)
    if dry_run:
        requests = appliance.api.prepare(lambda api: api.delete_schedule(name))
        current = _schedule_info(appliance, name, before, None)
        return Outcome(ScheduleResult(schedule=current, changes=deletion, requests=requests))
    write_error = yield from _write(name, partial(appliance.api.delete_schedule, name), _INCONCLUSIVE)
    after = yield from _read_back(appliance, name, write_error, lambda read: read is None)
    if after is not None:
        raise _mismatch_error(appliance, name, write_error, after, f"schedule {name!r} still exists")
    _warn_verified(appliance, name, write_error, f"schedule {name!r} is deleted")
    return Outcome(ScheduleResult(changes=deletion))


def backup_request_of(appliance: Appliance, name: str, comment: str | None) -> Task[BackupRequest]:
    """Return the backup that running a schedule starts; its passwords are unknown."""
    schedule = yield from _read_current(appliance, name)
    location = Location.reported(schedule.location)
    return BackupRequest(
        parts=tuple(schedule.parts or ()) or ("common",),
        location_type=location.type,
        location=location,
        location_user=schedule.location_user,
        comment=comment,
    )


def _read_current(appliance: Appliance, name: str) -> Task[Schedule]:
    try:
        return (yield from retry(appliance, partial(appliance.api.schedule, name)))
    except NotFoundError as error:
        raise NotFoundError(
            "schedule $1 not found on $server",
            server=appliance.name,
            texts=(repr(name),),
            hint="`backupctl schedule list` lists the schedules; `backupctl schedule set` creates one",
            details=error.facts.details,
        ) from error


_INCONCLUSIVE: Final = (ServerFaultError, NotFoundError)
"""Errors after which a write may have had an effect: any 5xx; a 404, as a repeated deletion gets it."""

_INCONCLUSIVE_FOR_CREATE: Final = (ApplianceAnswerError, NotFoundError)
"""The same for a create: it is repeated after a new login, so any error may follow a first create that succeeded."""


def _write(
    name: str, write: Callable[[], None], inconclusive: tuple[type[BackupctlError], ...]
) -> Task[BackupctlError | None]:
    """Write, shielded from an interruption; return the error if the change may exist nevertheless.

    Such errors are uncertain ones and those of the classes ``inconclusive``. Raises all others.
    """
    try:
        write_error = yield from attempt(write, shielded=True)
    except InterruptedRunError as interruption:
        sentence = "$cause: unknown whether schedule $1 was changed"
        raise interruption.with_facts(message=sentence, cause=interruption, texts=(repr(name),)) from interruption
    if write_error is not None and write_error.certain and not isinstance(write_error, inconclusive):
        raise write_error
    return write_error


def _read_back(
    appliance: Appliance, name: str, write_error: BackupctlError | None, is_applied: Callable[[Schedule | None], bool]
) -> Task[Schedule | None]:
    """Return the schedule after a write, None if it does not exist.

    It is read until ``is_applied`` or until it confirms a failed write, at most once for each of ``_READ_BACK_PAUSES``.

    Raises OutcomeUnknownError: if it cannot be read.
    """
    clock = appliance.clock
    found: Schedule | BackupctlError | None = write_error
    try:
        for pause in _READ_BACK_PAUSES:
            if pause:
                yield Wait(clock.monotonic() + pause)
            until = clock.monotonic() + MIN_RESPONSE_SECONDS
            found = yield from attempt(partial(appliance.api.schedule, name), until=until)
            if isinstance(found, NotFoundError):
                found = None
            if not isinstance(found, BackupctlError) and (is_applied(found) or _confirms_failure(found, write_error)):
                return found
    except InterruptedRunError as interruption:
        how = "accepted" if write_error is None else "sent ($then)"
        sentence = f"$cause: the change of schedule $1 was {how}, but not verified"
        raise interruption.with_facts(
            message=sentence, cause=interruption, then=write_error, texts=(repr(name),)
        ) from interruption
    if isinstance(found, BackupctlError):
        raise _outcome_unknown(appliance, name, write_error, found) from found
    return found


def _confirms_failure(found: Schedule | None, write_error: BackupctlError | None) -> bool:
    """Return whether what was read agrees with the error of the write; after a 404, the schedule must be missing."""
    if write_error is None or not write_error.certain:
        return False
    return found is None or not isinstance(write_error, NotFoundError)


_READ_BACK_PAUSES: Final = (0.0, 3.0, 7.0)
"""Seconds before each read-back; some appliances respond before a change is visible."""


def _mismatch_error(
    appliance: Appliance,
    name: str,
    write_error: BackupctlError | None,
    after: Schedule | None,
    actual: str,
    *,
    details: Iterable[ErrorFacts] = (),
) -> BackupctlError:
    """Return the error for a schedule that does not match the request after a write."""
    if write_error is None:
        claim = "accepted the change"
    elif isinstance(write_error, NotFoundError) and after is not None:
        claim = f"reported that schedule {name!r} does not exist (404)"
    else:
        return write_error.with_facts(
            message="$cause; $1",
            server=None,
            cause=write_error,
            texts=(actual,),
            details=(*write_error.facts.details, *details),
        )
    return ContradictionError(
        "$server $1, but $2",
        server=appliance.name,
        texts=(claim, actual),
        hint=f"another client may have changed it, or a cache may show an old state; {_check_again_hint(name)}",
        details=details,
    )


def _check_again_hint(name: str) -> str:
    return f"check it with `backupctl schedule show {shlex.quote(name)}`; it is safe to run the command again"


def _unverified_passwords(appliance: Appliance, name: str, write_error: BackupctlError) -> BackupctlError:
    """Return the error for a failed write of passwords only, as these cannot be read back."""
    if write_error.certain:
        return write_error
    return _outcome_unknown(
        appliance, name, write_error, "only passwords were given, and vCenter does not show passwords"
    )


def _outcome_unknown(
    appliance: Appliance, name: str, write_error: BackupctlError | None, why: BackupctlError | str
) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "unknown whether schedule $1 was changed: $cause; then: $then",
        server=appliance.name,
        texts=(repr(name),),
        cause=write_error or "the change was accepted",
        then=why,
        hint=_check_again_hint(name),
        details=() if write_error is None else write_error.facts.details,
    )


def _warn_verified(appliance: Appliance, name: str, write_error: BackupctlError | None, fact: str) -> None:
    """Warn that a write failed but had its effect; ``fact`` is what was verified."""
    if write_error is None:
        return
    if not write_error.certain:
        failure = f"no valid response to the change of schedule {name!r}"
    elif isinstance(write_error, NotFoundError):
        failure = f"schedule {name!r} was already deleted"
    else:
        failure = f"the change of schedule {name!r} was refused"
    message = f"{failure} ({write_error.message}); verified: {fact}"
    appliance.emit(Warned(message=message))


def _complete(appliance: Appliance, name: str, new: DesiredSchedule | BackupctlError) -> DesiredSchedule:
    """Return the schedule to create. Raises BackupctlError: if a setting is invalid or missing."""
    if isinstance(new, BackupctlError):
        raise new
    missing = [flag for flag, value in (("--location", new.location), ("--at", new.at)) if value is None]
    if missing:
        sentence = "schedule $1 does not exist; creating it needs $2"
        raise UsageError(sentence, server=appliance.name, texts=(repr(name), " and ".join(missing)))
    return new


def _time_zone(appliance: Appliance, *schedules: Schedule | ScheduleSpec, needed: bool = False) -> Task[str | None]:
    """Return the name of the appliance's time zone, None if no schedule has a time, or if it cannot be read.

    Raises BackupctlError: if it cannot be read, but is ``needed``.
    """
    if not any(each.recurrence_info for each in schedules):
        return None
    if needed:
        zone: str = yield from retry(appliance, appliance.api.time_zone)
        return zone
    until = appliance.clock.monotonic() + MIN_RESPONSE_SECONDS
    name = yield from attempt(appliance.api.time_zone, until=until)
    return name if isinstance(name, str) else None


def _schedule_info(appliance: Appliance, name: str, schedule: Schedule, zone_name: str | None) -> ScheduleInfo:
    recurrence, retention = schedule.recurrence_info, schedule.retention_info
    zone, days = time_zone(zone_name or ""), sorted_days(recurrence.days) if recurrence else ()
    run = None
    if recurrence is not None and zone is not None and schedule.enable is not False:
        run = next_run(recurrence.hour, recurrence.minute, days, appliance.clock.now(), zone)
    return ScheduleInfo(
        name=name,
        location=Location.reported(schedule.location).masked or None,
        location_user=schedule.location_user,
        parts=tuple(schedule.parts or ()),
        enable=schedule.enable,
        hour=recurrence.hour if recurrence else None,
        minute=recurrence.minute if recurrence else None,
        days=days,
        max_count=retention.max_count if retention else None,
        fast_backup=schedule.fast_backup,
        time_zone=zone_name,
        next_run=run,
    )
