"""One run of create on several appliances, one of which has a fault, and its result on each of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backupctl.exit_codes import ExitCode
from backupctl.simulator.faults import parse_fault
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests.faults.cases import faults_for
from tests.faults.commands import JOB_SECONDS, TIMEOUT, Command
from tests.faults.oracle import Finding, findings
from tests.faults.play import Case, Record, SessionLine, run_case, schedules_of
from tests.faults.table import all_findings
from tests.support.clock import FakeClock
from tests.support.command_line import LOCATION, PASSWORD, USER, CommandLine
from tests.support.intercept import RecordingTransport

WAY = "auto"
GROUPS = {"two": ("vc01", "vc02"), "three": ("vc01", "vc02", "vc03")}
CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"

[servers]
{"".join(f'{name}.host = "{name}.example.com"{chr(10)}' for name in GROUPS["three"])}
[groups]
{"".join(f"{group} = {json.dumps(names)}{chr(10)}" for group, names in GROUPS.items())}"""

_CREATE = ("create", "--location", LOCATION, "--timeout", f"{TIMEOUT:.0f}s")
_TOGETHER = ("--together", "--preflight")  # --together includes --preflight, which the table of outcomes needs to see

COMMANDS = (
    Command(_CREATE, "start"),
    Command((*_CREATE, "--fail-fast"), "start"),
    Command((*_CREATE, *_TOGETHER), "start"),
)
PLACES = [(group, name) for group, names in GROUPS.items() for name in names]
"""Each group with each of its appliances as the faulty one."""

ACCOUNT_FAULTS = ("account-locked", "password-expired", "http-401")
"""The faults of a login after which the password is not sent to the other appliances."""


@dataclass(frozen=True)
class GroupCase:
    """A command, a group, and the appliance that has the fault."""

    command: Command
    group: str
    faulty: str
    fault: str

    @property
    def others(self) -> list[str]:
        return [name for name in GROUPS[self.group] if name != self.faulty]

    def alone(self, name: str) -> Case:
        """Return the case of one appliance by itself."""
        return Case(self.command, WAY, (self.fault,) if name == self.faulty else ())


def group_cases(command: Command) -> Iterator[GroupCase]:
    """Yield every fault in every phase; the groups and faulty appliances rotate."""
    for number, fault in enumerate(faults_for(command, WAY, few=True)):
        group, faulty = PLACES[number % len(PLACES)]
        yield GroupCase(command, group, faulty, fault)


def run_group_case(case: GroupCase, configuration: Path) -> tuple[int, dict[str, Record]]:
    """Run one case; return the exit code of the run, and a record of each appliance as if it were alone."""
    clock = FakeClock()
    names = {f"{name}.example.com": name for name in GROUPS[case.group]}
    backupctl = CommandLine(
        clock=clock,
        environ={"BACKUPCTL_CONFIG": str(configuration), "VC_PASSWORD": PASSWORD},
        others={host: {"faults": case.alone(name).faults} for host, name in names.items()},
        job_duration=JOB_SECONDS,
    )
    lines = {host: SessionLine(appliance, clock) for host, appliance in backupctl.others.items()}
    backupctl.lines = {host: RecordingTransport(line) for host, line in lines.items()}
    jobs = {host: len(appliance.jobs) for host, appliance in backupctl.others.items()}
    run = backupctl(*case.command.words, "-g", case.group, "-o", "json")

    def record(host: str, name: str, appliance: SimulatedAppliance) -> Record:
        appliance.advance()
        (result,) = [each for each in run.json["results"] if each["server"] == name]
        envelope = {**run.json, "exit_code": result["exit_code"], "results": [result]}
        before, new = schedules_of(appliance), appliance.jobs[jobs[host] :]
        requests = list(appliance.requests)
        code, out = result["exit_code"], json.dumps(envelope)
        return Record(
            case.alone(name),
            code,
            out,
            run.err,
            clock.elapsed,
            appliance,
            lines[host],
            new,
            before,
            requests,
            backupctl,
        )

    return run.code, {names[host]: record(host, names[host], each) for host, each in backupctl.others.items()}


def group_findings(case: GroupCase, code: int, records: dict[str, Record]) -> Iterator[Finding]:
    """Yield all findings: the faulty one must end as it does alone, the others must be done or rightly held back."""
    faulty, alone = records[case.faulty], run_case(case.alone(case.faulty))
    yield from all_findings(faulty)
    if (faulty.code, faulty.slug, len(faulty.new_jobs)) != (alone.code, alone.slug, len(alone.new_jobs)):
        yield "wrong code", f"{faulty.code} {faulty.slug}, and alone {alone.code} {alone.slug}"
    if code != faulty.code:
        yield "wrong code", f"the run ends with {code}, and the faulty one with {faulty.code}"
    others = [records[name] for name in case.others]
    for other in others:
        held_back = _is_held_back(case, other, faulty)
        yield from (each for each in findings(other) if not (held_back and each[0] == "faults unnamed"))
        if not (_done(other) or held_back):
            yield "wrong code", f"another ends with {other.code}: {other.error}; it has {len(other.new_jobs)} jobs"
    if "--together" in case.command.words and len({_done(each) for each in others}) > 1:
        yield "jobs lost", "some were started, and others were not"


def _done(record: Record) -> bool:
    return (record.code, record.state, len(record.new_jobs)) == (ExitCode.DONE, "SUCCEEDED", 1)


def _is_held_back(case: GroupCase, record: Record, faulty: Record) -> bool:
    """Whether nothing was started because of the faulty appliance, and the error names it and has its code."""
    words, slugs = case.command.words, set[str]()
    if "--together" in words and not faulty.new_jobs:
        slugs |= {"not-together"}
    if "--fail-fast" in words:
        slugs |= {"not-tried"}
    fault = parse_fault(case.fault)
    if fault.name in ACCOUNT_FAULTS and fault.phase in {"", "login"}:
        slugs |= {"auth"}
    named = case.faulty in record.error
    return named and record.slug in slugs and record.code == faulty.code != 0 and not record.new_jobs
