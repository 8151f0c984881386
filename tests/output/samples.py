"""One sample of each event and result, and views that write to memory."""

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from backupctl.errors import ApplianceUnreachableError, BackupFailedError
from backupctl.exit_codes import ServiceState
from backupctl.models import Certificate
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.console import human_view
from backupctl.output.terminal.human_view import HumanView
from backupctl.output.terminal.live_progress import LiveProgress
from backupctl.output.terminal.plain_console import PlainConsole
from backupctl.output.terminal.rich_console import RichConsole
from backupctl.results.archive_results import (
    Archive,
    ArchiveMetadata,
    ArchiveResult,
    ArchivesResult,
    RestoreResult,
    SystemsResult,
)
from backupctl.results.audit_results import AuditResult, ExpectedRun, RunVerdict
from backupctl.results.backup_history import BackupHistory, HistoryResult
from backupctl.results.backup_results import (
    Check,
    ChecksResult,
    JobResult,
    JobsResult,
    PartSize,
    PartsResult,
    StartedResult,
)
from backupctl.results.config_results import FileResult, Setting, SettingsResult
from backupctl.results.events import (
    Adopted,
    Attached,
    Cancelling,
    Connected,
    Detached,
    Ended,
    PartsSelected,
    Progressed,
    Queued,
    Recovered,
    Retrying,
    RunEvent,
    Started,
    Waiting,
    Warned,
)
from backupctl.results.job import Job, Message
from backupctl.results.journal_entry import JournaledJob
from backupctl.results.prune_results import PrunedArchive, PruneResult
from backupctl.results.report_results import BackupReport, ReportResult
from backupctl.results.result import Change, PreparedRequest, RequestsResult, Result
from backupctl.results.schedule_results import ScheduleInfo, ScheduleResult, SchedulesResult
from backupctl.results.target_archive import ArchiveFile, DirectArchivesResult, TargetArchive
from backupctl.results.trust_results import CaCertificatesResult, CertificateResult, LocationPinResult, PinResult
from backupctl.results.verdict_results import Metric, Verdict, VerdictResult
from backupctl.results.verification_results import ManifestDates, Verification, VerificationResult
from tests.support.clock import START, FakeClock

JOB_ID = "20260301-020000-21560480"
WHERE: Mapping[str, Any] = {"server": "vc01", "host": "vc01.example.com", "api": "api", "release": "8.0.3.00400"}
ERROR = BackupFailedError("the backup failed", hint="look at the log", details=("no space",))


def a_job(state: str = "INPROGRESS", progress: int | None = 40, **fields: Any) -> Job:
    return Job(id=JOB_ID, state=state, progress=progress, **{"start_time": START, **fields})


def a_verification() -> Verification:
    return Verification(
        level="readable",
        system_name="sn_vc01.example.com",
        archive=an_archive().archive,
        compared="checksums",
        unpacked=("database_full_backup.tar.gz",),
        not_unpacked=("vum.gz",),
        warnings=("earlier archives also have vum.gz",),
        files=7,
        size_bytes=1_234_000_000,
        manifest=ManifestDates(START, "create", START),
    )


def a_message(text: str) -> Message:
    return Message(id="com.vmware.applmgmt.message", default_message=text)


def a_finished_job(state: str = "SUCCEEDED", progress: int = 100, **fields: Any) -> Job:
    facts: dict[str, Any] = {
        "end_time": datetime(2026, 3, 1, 2, 12, 10, tzinfo=UTC),
        "type": "MANUAL",
        "size_bytes": 1_234_000_000,
        "duration_seconds": 730,
        "location": "sftp://backup.example.com/vcenter/vc01",
        "location_user": "backup",
        "user": "svc-backup@vsphere.local",
        "build": "8.0.3.00400-24322831",
        "comment": "nightly",
        "parts": ("common", "seat"),
        "encrypted": True,
    }
    return a_job(state, progress, **{**facts, **fields})


def a_schedule(**fields: Any) -> ScheduleInfo:
    facts: dict[str, Any] = {
        "name": "default",
        "location": "sftp://backup.example.com/vcenter/vc01",
        "location_user": "backup",
        "parts": ("common", "seat"),
        "enable": True,
        "hour": 2,
        "minute": 30,
        "days": ("SUNDAY", "WEDNESDAY"),
        "max_count": 7,
        "fast_backup": False,
        "time_zone": "Etc/UTC",
        "next_run": START + timedelta(hours=72, minutes=30),
    }
    return ScheduleInfo(**{**facts, **fields})


def an_archive(number: int = 1, **fields: Any) -> Archive:
    facts: dict[str, Any] = {"system_name": "vc01.example.com", "start_time": START, "version": "8.0.3.00400"}
    return Archive(archive=f"S_8.0.3.00400-24322831_2026030{number}-020000_", **{**facts, **fields})


def a_target_archive(**fields: Any) -> TargetArchive:
    facts: dict[str, Any] = {
        **{name: getattr(an_archive(), name) for name in ("archive", "system_name", "start_time", "version")},
        "kind": "S",
        "state": "complete",
        "complete": True,
        "comment": "",
        "location": "sftp://b/x",
        "size_bytes": 2_100_000_000,
        "files": (ArchiveFile("vum.gz", 2_100_000_000),),
        "restore_command": "backupctl restore validate -s vc01 -u root --location-user backup --location sftp://b/x",
    }
    return TargetArchive(**{**facts, **fields})


def some_metadata(**fields: Any) -> ArchiveMetadata:
    facts: dict[str, Any] = {
        "applicable": True,
        "boxname": "vc07.example.com",
        "version": "8.0.3.00400",
        "timestamp": START,
        "parts": ("common", "seat"),
        "comment": "nightly",
        "sso_login_required": True,
    }
    return ArchiveMetadata(**{**facts, **fields})


def a_certificate(**fields: Any) -> Certificate:
    facts: dict[str, Any] = {
        "subject": "CN=vc01.example.com, C=US",
        "issuer": "CN=CA, DC=vsphere, DC=local",
        "names": ("vc01.example.com",),
        "not_before": datetime(2025, 1, 1, tzinfo=UTC),
        "not_after": datetime(2027, 1, 1, tzinfo=UTC),
        "expires_in_days": 305,
        "is_ca": False,
        "serial_number": "0a1b",
        "fingerprint": f"sha256:{'ab' * 32}",
    }
    return Certificate(**{**facts, **fields})


def every_event() -> list[RunEvent]:
    at: dict[str, Any] = {"time": START, "server": "vc01"}
    return [
        Connected(**at, host="vc01.example.com", api="api", release="8.0.3.00400"),
        PartsSelected(**at, parts=("common", "seat")),
        Waiting(**at, job=a_job()),
        Started(**at, job=a_job(progress=0)),
        Adopted(**at, job=a_job(), reason="location and user fit"),
        Attached(**at, job=a_job()),
        Progressed(**at, job=a_job()),
        Retrying(**at, error=ApplianceUnreachableError("connection refused")),
        Recovered(**at),
        Warned(**at, message="the appliance's clock is wrong", hint="set it"),
        Cancelling(**at, job=a_job()),
        Queued(**at),
        Ended(**at, exit_code=5, error=ApplianceUnreachableError("connection refused")),
        Detached(**at, job=a_job(), attach="backupctl watch 20260301-020000-21560480 --server vc01"),
    ]


def a_report(**fields: Any) -> BackupReport:
    known: dict[str, Any] = {"since": START, "until": START, "generated_at": START, "generator": "backupctl"}
    return BackupReport(**{**known, "schedules": (a_schedule(),), "runs": (JournaledJob(job=a_job()),), **fields})


def every_result(**fields: Any) -> list[Result]:
    where: dict[str, Any] = {**WHERE, **fields}
    part = PartSize(id="seat", name="Stats", description="d", selected_by_default=True, optional=True, size_mb=1234)
    request = PreparedRequest(method="POST", url="https://vc01.example.com/api/x", body={"location_password": "***"})
    run = ExpectedRun(due=START, verdict=RunVerdict.FAILED, job=JOB_ID)
    seen: dict[str, Any] = {
        "certificate": a_certificate(),
        "chain": (a_certificate(), a_certificate(subject="CN=CA, DC=vsphere, DC=local", expires_in_days=-3)),
        "chain_complete": False,
        "trusted": False,
        "store": "the system's CA store",
        "reason": "self-signed certificate",
        "pinned": f"sha256:{'cd' * 32}",
    }
    return [
        JobResult(**where, job=a_finished_job(messages=(a_message("done"),))),
        JobsResult(**where, jobs=(a_finished_job(),)),
        PartsResult(**where, parts=(part,), total_mb=1234),
        ChecksResult(**where, checks=(Check(name="location", status="OK", message="it can be written"),)),
        SchedulesResult(**where, schedules=(a_schedule(),)),
        ScheduleResult(
            **where,
            schedule=a_schedule(),
            changes=(Change(field="enable", before=False, after=True),),
            requests=(request,),
        ),
        AuditResult(**where, since=START, schedule=a_schedule(), runs=(run,), gaps=(run,), unexplained=(a_job(),)),
        SystemsResult(**where, systems=("vc01.example.com",)),
        ArchivesResult(**where, archives=(an_archive(),)),
        DirectArchivesResult(**where, archives=(a_target_archive(),), other_entries=3),
        ArchiveResult(**where, archive=an_archive()),
        VerificationResult(**where, verification=a_verification()),
        PruneResult(
            **where,
            keep=(
                PrunedArchive(archive=f"{an_archive().archive}1", start_time=START, size_bytes=7, reasons=("damaged",)),
            ),
            remove=(PrunedArchive(archive=an_archive().archive, start_time=START, removed=True),),
        ),
        RestoreResult(**where, metadata=some_metadata(messages=(a_message("fits"),)), job=a_finished_job()),
        CertificateResult(**where, **seen),
        LocationPinResult(
            **where,
            location="sftp://nas/vcenter",
            kind="host key",
            fingerprint="SHA256:ab",
            pinned="SHA256:cd",
            file="config.toml",
            profile="vc01",
            replaced="SHA256:cd",
        ),
        PinResult(**where, **seen, file="config.toml", profile="vc01", replaced=f"sha256:{'cd' * 32}"),
        CaCertificatesResult(
            **where,
            authorities=(a_certificate(issuer="CN=vc01.example.com, C=US", is_ca=True),),
            file="ca.pem",
            verified=False,
            vouches=False,
            reason="it expired",
        ),
        StartedResult(**where, job=a_job()),
        SettingsResult(
            **where, file="/c", groups=("g",), settings=(Setting(name="all", value=True, source="default"),)
        ),
        FileResult(**where, file="/c", secret="password", entry="password"),
        HistoryResult(
            **where, history=BackupHistory(read_at=START, jobs=(a_finished_job(),), schedules=(a_schedule(),))
        ),
        VerdictResult(
            **where,
            check=Verdict(
                state=ServiceState.OK, summary="fresh", metrics={"age": Metric(value=7200, unit="s", warning=93600.0)}
            ),
        ),
        ReportResult(**where, report=a_report()),
        RequestsResult(**where, requests=(request,)),
    ]


class Terminal(io.StringIO):
    """A stream that reports to be a terminal."""

    def isatty(self) -> bool:
        return True


class Screen:
    """The text view and what it has written; off a terminal unless given one."""

    def __init__(self, out: io.StringIO | None = None, err: io.StringIO | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self._out = out or io.StringIO()
        self._err = err or io.StringIO()
        given: dict[str, Any] = {"environ": {"COLUMNS": "80", "TERM": "xterm"}, "zone": UTC, **options}
        self.view = human_view(SafeStream(self._out), SafeStream(self._err), clock=self.clock, **given)

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()


class LiveScreen:
    """The live view, without a thread: each event draws once."""

    def __init__(self, width: int = 80, *, height: int = 24, color: bool = False, encoding: str = "utf-8") -> None:
        self.clock = FakeClock()
        self._file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", newline="")
        console = RichConsole(
            file=self._file,
            force_terminal=True,
            color_system="standard" if color else None,
            no_color=not color,
            width=width,
            height=height,
            highlight=False,
            markup=False,
            _environ={},
        )
        progress = LiveProgress(console, clock=self.clock, auto_refresh=False)
        self.view = HumanView(PlainConsole(SafeStream(io.StringIO())), console, progress, clock=self.clock, zone=UTC)

    @property
    def raw(self) -> str:
        self._file.seek(0)
        return self._file.read()

    def rows(self) -> list[str]:
        """Return the lines of the screen as a terminal shows them, from the top."""
        lines, row, column = [""], 0, 0
        for sign in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|.", self.raw, re.DOTALL):
            if sign == "\n":
                row, column = row + 1, 0
                lines.extend([""] * (row + 1 - len(lines)))
            elif sign == "\r":
                column = 0
            elif sign == "\x1b[1A":
                row -= 1
            elif sign == "\x1b[2K":
                lines[row] = ""
            elif not sign.startswith("\x1b"):
                lines[row] = lines[row][:column].ljust(column) + sign + lines[row][column + 1 :]
                column += 1
        return [line.rstrip() for line in lines if line.strip()]
