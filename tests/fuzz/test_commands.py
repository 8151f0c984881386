"""Whatever an appliance answers, a command ends with a code that means something, and shows nothing that acts."""

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from backupctl.errors import ExitCode
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, PASSWORD, TO_APPLIANCE, USER, CommandLine, Run
from tests.support.fuzz_report import FuzzTally, Show, failure_of
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
    ("cancel", "latest"),
    ("parts",),
    ("validate", "--location", LOCATION),
    ("schedule", "list"),
    ("schedule", "show"),
    ("schedule", "set", *AT, "--at", "02:30"),
    ("schedule", "enable"),
    ("schedule", "run", "--timeout", "2m"),
    ("schedule", "delete"),
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
"""Those that may be about several appliances at once."""
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
"""Codes that are no appliance's to bring about."""
SECRETS: Final = {"BACKUPCTL_LOCATION_PASSWORD": "l0cation", "BACKUPCTL_SSO_PASSWORD": "Sso-1"}
FRESH_PORT: Final = 5480

QUOTED: Final = quote(MARKED, safe="")
"""As it stands in the URL of a request that asks for something of that name."""

MOST_REQUESTS: Final = 5000
LONGEST: Final = 3600.0
"""Seconds that a command may take on its clock; those that wait are told to wait two minutes for the job."""
ANSWERS_FOR_A_COMMAND: Final = 20
"""A whole command for so many answers of the seeded budget: it costs as much as twenty of them."""


@dataclass
class Scene:
    """A command line that was run, and the hostile lines that it talked on, one for each appliance."""

    words: tuple[str, ...]
    output: str
    lines: list[FuzzTransport]
    clock: FakeClock
    run: Run

    @property
    def document(self) -> Any:
        """The one document, or the last line, of what programs read; every line of it can be read."""
        if self.output == "json":
            return json.loads(self.run.out)
        return [json.loads(line) for line in self.run.out.splitlines()][-1]


def played(random: Random) -> Scene:
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
            honestly(appliance, clock),
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


def honestly(appliance: SimulatedAppliance, clock: FakeClock) -> Honest:
    """Return how an appliance answers that is not hostile."""
    simulator = SimulatorTransport(appliance, clock)

    def honest(request: httpx.Request) -> tuple[int, Any]:
        response = simulator.handle_request(request)
        return response.status_code, json.loads(response.content) if response.content else None

    return honest


def judge(scene: Scene) -> None:
    """Hold what must hold after any command."""
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
    """Nothing that acts on a terminal, no line that is not ours, no traceback and no secret is shown."""
    assert all(character.isprintable() or character == "\n" for character in shown), repr(shown)
    assert "Traceback" not in shown
    assert not re.search(f"^{FORGED}", shown, re.MULTILINE), shown
    for secret in (PASSWORD, *SECRETS.values()):
        assert secret not in shown


def has_whole_markup(text: str) -> bool:
    """Whether markup stands around each word that is marked: it was not taken for an order, nor cut on the way."""
    return text.count("MARKED") == text.count(MARKED) + text.count(QUOTED)


def assert_done(scene: Scene, number: int) -> None:
    """Where a result is 0, its appliance said SUCCEEDED, in an answer that can be read, about the very job shown."""
    ids = {job_id for exchange in scene.lines[number].exchanges if (job_id := succeeded(exchange))}
    if scene.run.code == ExitCode.DONE:
        assert ids, scene.run.out
    if scene.output != "text" and (results := scene.document["results"]) and results[number]["exit_code"] == 0:
        assert results[number]["job"]["id"] in ids


def succeeded(exchange: FuzzExchange) -> str | None:
    """Return the job of which a good answer says that it has succeeded."""
    said, path = exchange.said, exchange.request.url.path
    if exchange.status is None or not 200 <= exchange.status < 300 or not isinstance(said, dict):
        return None
    status = said.get("value") if path.startswith("/rest") else said
    if not isinstance(status, dict) or status.get("state") != "SUCCEEDED":
        return None
    return str(status.get("id") or path.rpartition("/")[2])


def play(random: Random, tally: FuzzTally) -> None:
    scene = played(random)
    judge(scene)
    tally.answers += sum(line.consumed for line in scene.lines)
    tally.ends[f"exit code {int(scene.run.code)}"] += 1


def test_commands_with_a_few_hostile_answers_end_with_a_code_that_means_something() -> None:
    tally = FuzzTally()
    for seed in range(5):
        with failure_of(f"the seed {seed}"):
            play(Random(seed), tally)
    assert tally.answers >= 5


@pytest.mark.exhaustive
def test_many_commands_with_hostile_answers_end_with_a_code_that_means_something(fuzz_answers: int, show: Show) -> None:
    tally = FuzzTally()
    commands = fuzz_answers // ANSWERS_FOR_A_COMMAND
    for seed in range(commands):
        with failure_of(f"the seed {seed}"):
            play(Random(seed), tally)
    show(f"by the seeds below {commands}, whole commands: {tally}")
    assert tally.answers >= commands
