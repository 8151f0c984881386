"""Whole command lines in this process, against a simulated appliance, on the fake clock."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from backupctl.cli.context import Context
from backupctl.cli.prompts import Prompter
from backupctl.cli.root import run
from backupctl.config.server_address import ServerAddress
from backupctl.error_facts import ErrorFacts
from backupctl.errors import UsageError
from backupctl.output.printable import printable
from backupctl.scheduler.workers import Workers
from backupctl.secrets.secret import Secret
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.intercept import Intercept, RecordingTransport, send_on
from tests.support.workers import TimedWorkers

HOST = "vc01.example.com"
USER = "administrator@vsphere.local"
PASSWORD = "VMware1!"
LOCATION = "sftp://backup.example.com/vcenter"
NFS = "nfs://nfs.example.com/vcenter"
"""A location that wants no login."""
TO_APPLIANCE = {"BACKUPCTL_SERVER": HOST, "BACKUPCTL_USERNAME": USER, "BACKUPCTL_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Run:
    """The result of a command line: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def result(self) -> Any:
        """The result of the only appliance."""
        (result,) = self.json["results"]
        return result

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class ScriptedPrompter(Prompter):
    """A prompter with prepared answers; None means that nobody is at the terminal."""

    answers: list[str] | None = None
    questions: list[str] = field(default_factory=list)

    @property
    def interactive(self) -> bool:
        return self.answers is not None

    def ask(self, question: str, check: Callable[[str], object], default: str | None = None) -> str:
        while True:
            answer = self._next(question).strip() or default or ""
            try:
                check(answer)
            except UsageError as error:
                self.say(error.message)
            else:
                return answer

    def ask_secret(self, question: str) -> Secret | None:
        answer = self._next(question)
        return Secret(answer) if answer else None

    def say(self, text: str) -> None:
        self.questions.append("\n".join(map(printable, text.split("\n"))))

    show = say

    def _next(self, question: str) -> str:
        assert self.answers, f"asked without an answer prepared: {question}"
        self.questions.append(question)
        return self.answers.pop(0)


class CommandLine:
    """Runs command lines against one or several simulated appliances; ``others`` has their options by host.

    The environment has the connection unless ``environ`` replaces it; ``answers`` simulates a person at a terminal.
    """

    def __init__(
        self,
        appliance: SimulatedAppliance | None = None,
        *,
        clock: FakeClock | None = None,
        environ: Mapping[str, str] = TO_APPLIANCE,
        intercept: Intercept = send_on,
        transport: httpx.BaseTransport | None = None,
        others: Mapping[str, Mapping[str, Any]] = {},
        workers: Workers | None = None,
        **options: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        self.appliance = appliance or SimulatedAppliance(self.clock, host=HOST, **options)
        self.environ = dict(environ)
        self.line = RecordingTransport(transport or SimulatorTransport(self.appliance, self.clock), intercept)
        self.others = {
            host: SimulatedAppliance(self.clock, host=host, **{**options, **each}) for host, each in others.items()
        }
        self.lines = {
            host: RecordingTransport(SimulatorTransport(appliance, self.clock))
            for host, appliance in self.others.items()
        }
        self.reached: list[ServerAddress] = []
        self.prompter = ScriptedPrompter()
        self.workers = workers or TimedWorkers(self.clock)
        self.make_stdout: Callable[[], io.StringIO] = io.StringIO

    def __call__(
        self,
        *argv: str,
        answers: Iterable[str] | None = None,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        prompter: ScriptedPrompter | None = None,
    ) -> Run:
        self.prompter = prompter or ScriptedPrompter(None if answers is None else list(answers))
        stdout, stderr = self.make_stdout(), io.StringIO()
        app = Context(
            argv=argv,
            stdin=io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"),
            stdout=stdout,
            stderr=stderr,
            environ=self.environ if environ is None else environ,
            clock=self.clock,
            prompter=self.prompter,
            transport_for=self._transport_for,
            workers=self.workers,
        )
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = run(app)
        missing = re.search(rf"\$({'|'.join(ErrorFacts._fields)}|--)", f"{stdout.getvalue()}{stderr.getvalue()}")
        assert missing is None, f"no fact for {missing[0]}"
        return Run(code, stdout.getvalue(), stderr.getvalue())

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """The requests that change something: method, path and body."""
        return self.line.writes

    @property
    def states(self) -> list[str]:
        """The current states of the jobs on the appliance."""
        return [job.status(self.clock.monotonic())["state"] for job in self.appliance.jobs]

    def create(self, *argv: str, **options: Any) -> Run:
        """Run create with a location that needs no login."""
        return self("create", "--location", LOCATION, *argv, **options)

    def _transport_for(self, server: ServerAddress) -> httpx.BaseTransport:
        self.reached.append(server)
        return self.lines.get(server.host, self.line)


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner can read, as required for configuration and secrets."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def configured(folder: Path, text: str, *, environ: Mapping[str, str] = {}, **options: Any) -> CommandLine:
    """Return a command line with ``text`` as its configuration file, and the password in ``VC_PASSWORD``."""
    path = write_private(folder / "config.toml", text)
    return CommandLine(environ={"BACKUPCTL_CONFIG": str(path), "VC_PASSWORD": PASSWORD, **environ}, **options)
