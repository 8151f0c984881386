"""Commands against hostile responses: a meaningful exit code, harmless output, and no forbidden requests."""

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from backupctl.exit_codes import ExitCode
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, PASSWORD, TO_APPLIANCE, USER, CommandLine, Run
from tests.support.fuzz_report import FuzzCounts, Show, note_round
from tests.support.fuzz_transport import FuzzExchange, FuzzTransport, Honest, repeated_posts
from tests.support.fuzz_values import FORGED, MARKED
from tests.support.intercept import RecordingTransport

AT: Final = ("--location", LOCATION, "--location-user", "backup")
ARCHIVE: Final = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"
FROM: Final = ("--location", ARCHIVE, "--location-user", "backup", "--sso-username", USER)
CREATE: Final = ("create", "--location", LOCATION)
COMMANDS: Final = (
    (*CREATE, "--timeout", "2m"),
    (*CREATE, "--timeout", "2m"),
    (*CREATE, "--timeout", "2m", "--part", "common", "--stall-timeout", "1m"),
    (*CREATE, "--timeout", "2m", "--if-running", "wait"),
    (*CREATE, "--timeout", "2m", "--if-running", "attach"),
    (*CREATE, "--no-wait"),
    ("watch", "latest", "--timeout", "2m"),
    ("watch", "20260301-020000-24091160", "--timeout", "1m"),
    ("status", "latest"),
    ("list",),
    ("list", "--state", "SUCCEEDED", "--limit", "3"),
    ("cancel", "latest", "--yes"),
    ("parts",),
    ("validate", "--location", LOCATION),
    ("schedule", "list"),
    ("schedule", "show"),
    ("schedule", "set", *AT, "--at", "02:30"),
    ("schedule", "enable"),
    ("schedule", "run", "--timeout", "2m"),
    ("schedule", "delete", "default", "--yes"),
    ("archive", "systems", *AT, "--allow-password-in-url"),
    ("archive", "list", *AT, "--allow-password-in-url"),
    ("archive", "show", "S_8.0.0.10000_20260301-000000_", *AT, "--allow-password-in-url"),
)
TO_FRESH: Final = (
    ("restore", "validate", *FROM),
    ("restore", "create", *FROM, "--yes", "--timeout", "2m"),
    ("restore", "status"),
    ("restore", "watch", "--timeout", "2m"),
    ("restore", "cancel"),
    ("restore", "reconcile", "--sso-username", USER, "--timeout", "2m"),
)
SEVERAL: Final = tuple(
    words
    for words in COMMANDS
    if words[0] in {"create", "list", "parts", "validate"} or "latest" in words or words[:2] == ("schedule", "run")
)
"""Commands that accept several appliances."""
HOSTS: Final = (HOST, "vc02.example.com")
OUTPUTS: Final = (
    ("-o", "text"),
    ("-o", "text", "-vv"),
    ("-o", "json", "-vv"),
    ("-o", "text", "-q"),
    ("-o", "json"),
    ("-o", "jsonl"),
)
NEVER: Final = {ExitCode.BUG, ExitCode.CONFIG, ExitCode.OUTPUT, ExitCode.INTERRUPTED}
"""Codes that no appliance may cause."""
SECRETS: Final = {"BACKUPCTL_LOCATION_PASSWORD": "l0cation", "BACKUPCTL_SSO_PASSWORD": "Sso-1"}
FRESH_PORT: Final = 5480

QUOTED: Final = quote(MARKED, safe="")
"""The name in the URL of a request."""

MOST_REQUESTS: Final = 5000
LONGEST: Final = 3600.0
"""Seconds that a command may take on the fake clock; those that follow a job have a timeout of two minutes."""
ANSWERS_FOR_A_COMMAND: Final = 20
"""The number of responses of the budget that one whole command counts for."""


@dataclass
class Scene:
    """A finished command line and its hostile transports, one for each appliance."""

    words: tuple[str, ...]
    output: str
    lines: list[FuzzTransport]
    clock: FakeClock
    run: Run

    @property
    def document(self) -> Any:
        """The JSON document, or the last line of JSON lines, all of which must be valid."""
        if self.output == "json":
            return json.loads(self.run.out)
        return [json.loads(line) for line in self.run.out.splitlines()][-1]


def run_hostile(random: Random) -> Scene:
    """Run one command against a hostile appliance, or two of them."""
    clock = FakeClock()
    fresh = random.random() < 0.2
    hosts = HOSTS if not fresh and random.random() < 0.25 else HOSTS[:1]
    words = random.choice(TO_FRESH if fresh else COMMANDS if len(hosts) == 1 else SEVERAL)
    plausible = random.random() < 0.7
    hostility = random.choice((0.05, 0.3, 0.6, 1.0))
    lines = []
    for host in hosts:
        release = random.choice(("6.5", "6.7", "7.0", "8.0"))
        appliance = SimulatedAppliance(clock, host=host, release=release, history=random.random() < 0.8, fresh=fresh)
        line = FuzzTransport(
            random,
            clock,
            honest_answers(appliance, clock),
            hostility=hostility,
            login_hostility=hostility / 8,
            plausible=plausible,
            host=host,
            port=FRESH_PORT if fresh else None,
        )
        lines.append(line)
    backupctl = CommandLine(clock=clock, transport=lines[0], environ=TO_APPLIANCE | SECRETS)
    backupctl.lines = {host: RecordingTransport(line) for host, line in zip(hosts, lines, strict=True)}
    output = random.choice(OUTPUTS)
    named = [word for host in hosts for word in ("-s", host)] if len(hosts) > 1 else []
    return Scene(words, output[1], lines, clock, backupctl(*words, *named, *output))


def honest_answers(appliance: SimulatedAppliance, clock: FakeClock) -> Honest:
    """Return a function that responds as a good appliance does."""
    simulator = SimulatorTransport(appliance, clock)

    def honest(request: httpx.Request) -> tuple[int, Any]:
        response = simulator.handle_request(request)
        return response.status_code, json.loads(response.content) if response.content else None

    return honest


def check(scene: Scene) -> None:
    """Check everything that must hold after any command."""
    run = scene.run
    assert run.code in set(ExitCode) - NEVER, run.err
    for line in scene.lines:
        assert line.violations == []
        assert len(line.exchanges) <= MOST_REQUESTS
    assert scene.clock.elapsed <= LONGEST * len(scene.lines)
    assert_harmless(run.out)
    assert_harmless(run.err)
    answers = [exchange.answer.body for line in scene.lines for exchange in line.exchanges]
    if all(has_whole_markup(body.decode(errors="replace")) for body in answers):
        assert has_whole_markup(run.out), run.out
        assert has_whole_markup(run.err), run.err
    if scene.output != "text":
        assert scene.document["exit_code"] == run.code
    if scene.words[0] == "create":
        for number, line in enumerate(scene.lines):
            assert repeated_posts(line.exchanges, "/backup/job") == [] or "--if-running" in scene.words
            if "--no-wait" not in scene.words:
                assert_done(scene, number)


def assert_harmless(shown: str) -> None:
    """Check that output has no control characters, no forged line, no traceback and no secret."""
    assert all(character.isprintable() or character == "\n" for character in shown), repr(shown)
    assert "Traceback" not in shown
    assert not re.search(f"^{FORGED}", shown, re.MULTILINE), shown
    for secret in (PASSWORD, *SECRETS.values()):
        assert secret not in shown


def has_whole_markup(text: str) -> bool:
    """Whether the markup around each marked word is complete, neither interpreted nor cut."""
    return text.count("MARKED") == text.count(MARKED) + text.count(QUOTED)


def assert_done(scene: Scene, number: int) -> None:
    """Check that for each result 0 a valid response reported SUCCEEDED for exactly that job."""
    ids = {job_id for exchange in scene.lines[number].exchanges if (job_id := succeeded(exchange))}
    if scene.run.code == ExitCode.DONE:
        assert ids, scene.run.out
    if scene.output != "text" and (results := scene.document["results"]) and results[number]["exit_code"] == 0:
        assert results[number]["job"]["id"] in ids


def succeeded(exchange: FuzzExchange) -> str | None:
    """Return the job that a valid response reports as SUCCEEDED."""
    content, path = exchange.content, exchange.request.url.path
    if exchange.status is None or not 200 <= exchange.status < 300 or not isinstance(content, dict):
        return None
    status = content.get("value") if path.startswith("/rest") else content
    if not isinstance(status, dict) or status.get("state") != "SUCCEEDED":
        return None
    return str(status.get("id") or path.rpartition("/")[2])


def run_and_check(random: Random, counts: FuzzCounts) -> None:
    scene = run_hostile(random)
    check(scene)
    counts.answers += sum(line.consumed for line in scene.lines)
    counts.ends[f"exit code {int(scene.run.code)}"] += 1


def test_commands_with_a_few_hostile_answers_end_with_a_meaningful_code() -> None:
    counts = FuzzCounts()
    for seed in range(5):
        with note_round(f"the seed {seed}"):
            run_and_check(Random(seed), counts)
    assert counts.answers >= 5


@pytest.mark.exhaustive
def test_many_commands_with_hostile_answers_end_with_a_meaningful_code(fuzz_answers: int, show: Show) -> None:
    counts = FuzzCounts()
    commands = fuzz_answers // ANSWERS_FOR_A_COMMAND
    for seed in range(commands):
        with note_round(f"the seed {seed}"):
            run_and_check(Random(seed), counts)
    show(f"by the seeds below {commands}, whole commands: {counts}")
    assert counts.answers >= commands
