"""No output shows a secret: every command and option, every source of a secret, every fault and invalid value.

The appliance echoes what it received, in every encoding (``EchoingTransport``). Each secret contains a mark, and the
tests search for the mark, so that no part of a secret is missed.
"""

import base64
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from backupctl.config.option_table import OPTIONS, SECRETS
from backupctl.secrets.secret import MASK
from backupctl.simulator.faults import KINDS
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, USER, CommandLine, Run, ScriptedPrompter, write_private
from tests.support.command_tree import MARK, SECRET_TEXTS, Leaf, Sample, all_samples, leaves, words_for
from tests.support.echoing_transport import MODES, EchoingTransport
from tests.support.intercept import Send

LEAVES: Final = list(leaves())
TALKING: Final = [leaf for leaf in LEAVES if leaf.connects and leaf.path[0] != "trust"]
"""Commands that log in; those for certificates do not."""

REDACTED_REQUEST: Final = list(itertools.product(("text", "json", "jsonl"), ("-v", "-vv")))
SOURCES: Final = (
    *("environment", "environment-file", "file", "command", "credential", "stdin", "prompt"),
    *("configured-file", "configured-env"),
)
"""The sources of a secret; tests/real/test_keyring.py tests the keyring of the operating system."""
FAULTS: Final = [
    *("fail-at=40", "stall-at=60", "reboot-at=50:20s", "busy", "forbidden", "validate-fail", "db-health=DEGRADED"),
    *(
        "lost-create-answer",
        "lost-create-request",
        "session-expires-after=5s",
        "drop=99",
        "drop=1@poll",
        "slow=2s",
    ),
    *("http-503=99", "http-503=99@login", "html-503=99", "empty=99", "bad-json=99", "redirect=99", "trickle"),
    *("account-locked", "password-expired", "lost-login-answer", "http-401", "no-date"),
    *(
        "html-401",
        "http-500",
        "http-504",
        "late-http-401",
        "late-html-401",
        "late-http-500",
        "late-http-504",
        "late-html-504",
    ),
    *("stale-list=90s", "oldest-only", "odd-user=sid", "archive-location"),
    *("truncated-archive", "missing-file", "rotten-file", "unfinished"),
]

each_command = pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.name)
each_talking_command = pytest.mark.parametrize("leaf", TALKING, ids=lambda leaf: leaf.name)
# Commands with the same secrets read them in the same way, so one of them is enough.
BY_SECRETS = {
    frozenset(name.file_option for name in SECRETS if name.file_option in leaf.options): leaf
    for leaf in reversed(TALKING)
}
one_command_for_each_set_of_secrets = pytest.mark.parametrize("leaf", BY_SECRETS.values(), ids=lambda leaf: leaf.name)


@pytest.mark.parametrize("option", ["--config", "--to", "--ca-file", "--accept-password-file"])
def test_invalid_sample_path_cannot_be_created_even_by_root(option: str, tmp_path: Path) -> None:
    wrong = [Path(text) for text in all_samples(tmp_path)[option].wrong if text.startswith("/")]
    outside = [path for path in wrong if not path.is_relative_to(tmp_path)]
    assert outside
    for path in outside:
        assert not next(parent for parent in path.parents if parent.exists()).is_dir()


def forms_of_the_mark() -> list[str]:
    """Return the mark, and its base64 forms at each offset."""
    found = [MARK]
    for before in range(3):
        digits = base64.b64encode(b"\0" * before + MARK.encode() + b"\0\0").decode()
        found.append(digits[(before * 8 + 5) // 6 : (before + len(MARK)) * 8 // 6])
    return found


FORMS: Final = forms_of_the_mark()


def check(run: Run, words: object) -> None:
    """Assert that a run shows no secret and no traceback, whatever its exit code."""
    shown = run.out + run.err
    leaks = [form for form in FORMS if form in shown or form in shown.translate(str.maketrans("-_", "+/"))]
    assert not leaks, (words, [shown[max(0, shown.find(leak) - 60) :][:160] for leak in leaks])
    assert "Traceback" not in run.err, words
    assert run.code != 1, (words, run.err)


class AnsweringPrompter(ScriptedPrompter):
    """A prompter with an answer to every question."""

    ANSWERS: Final[Mapping[str, str]] = {
        "Backup password": SECRET_TEXTS["backup-password"],
        "Password for backup at ": SECRET_TEXTS["location-password"],
        f"Password for {USER} on {HOST}": SECRET_TEXTS["password"],
        f"Password for {USER}": SECRET_TEXTS["sso-password"],
        "Server": HOST,
        "User": USER,
        "Location": LOCATION,
    }

    @property
    def interactive(self) -> bool:
        return True

    def _next(self, question: str) -> str:
        self.questions.append(question)
        return next((answer for start, answer in self.ANSWERS.items() if question.startswith(start)), HOST)


@dataclass
class SecretsRun:
    """A command line whose secrets come from one source, and an appliance that accepts them."""

    leaf: Leaf
    samples: Mapping[str, Sample]
    faults: list[str] = field(default_factory=list)
    mode: str = ""
    accepted: bool = True
    source: str = "environment"

    def run(self, *words: str, environ: Mapping[str, str] | None = None) -> tuple[Run, EchoingTransport]:
        clock = FakeClock()
        appliance = SimulatedAppliance(
            clock,
            host=HOST,
            username=USER,
            password=SECRET_TEXTS["password"] if self.accepted else "other",
            history=True,
            fresh=self.leaf.path[0] == "restore",
        )
        for fault in self.faults:
            appliance.inject(fault)
        honest = SimulatorTransport(appliance, clock)
        echoing = EchoingTransport(honest, self.mode)
        backupctl = CommandLine(appliance, clock=clock, transport=echoing if self.mode else honest)
        more: dict[str, Any] = {"prompter": AnsweringPrompter()} if self.source == "prompt" else {}
        if self.source == "stdin":
            more["stdin"] = f"{SECRET_TEXTS['password']}\n"
        connection = {"BACKUPCTL_SERVER": self.leaf.server, "BACKUPCTL_USERNAME": USER} if self.leaf.connects else {}
        folder = Path(str(self.samples["--state-dir"].good)).parent
        journal = {"BACKUPCTL_JOURNAL": "yes", "XDG_STATE_HOME": str(folder)} if self.leaf.connects else {}
        flags, variables = self._secrets()
        run = backupctl(*words, *flags, environ={**connection, **journal, **variables, **(environ or {})}, **more)
        for path in folder.glob("*/journal-*"):
            assert [form for form in FORMS if form in path.read_text()] == []
            path.unlink()
        return run, echoing

    def _secrets(self) -> tuple[list[str], dict[str, str]]:
        """Return the options and the variables that name the secrets."""
        used = [name for name in SECRETS if name.file_option in self.leaf.options]
        variables = {name.variable: SECRET_TEXTS[name.name] for name in used}
        match self.source:
            case "file":
                return [word for name in used for word in words_for(name.file_option, None, self.samples)], {}
            case "command":
                return [word for name in used for word in words_for(name.command_option, None, self.samples)], {}
            case "environment-file":
                return [], {name.environment_names[1]: str(self.samples[name.file_option].good) for name in used}
            case "credential":
                folder = Path(str(self.samples["--password-file"].good)).parent
                return [], {"CREDENTIALS_DIRECTORY": str(folder)}
            case "configured-file" | "configured-env":
                return [], self._configured(self.source.rpartition("-")[2], variables)
            case "stdin":
                del variables["BACKUPCTL_PASSWORD"]
                return ["--password-file", "-"], variables
            case "prompt":
                return [], {}
        return [], variables

    def _configured(self, place: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Write a configuration file that names the source of each secret, and return the variables it needs."""
        folder = Path(str(self.samples["--password-file"].good)).parent
        names = [name for name in SECRETS if name.variable in variables]
        at = {name: str(folder / name.name) if place == "file" else f"VC_{name.variable}" for name in names}
        lines = [f'{name.name}-{place} = "{at[name]}"\n' for name in names]
        config = write_private(folder / "configured.toml", f"[defaults]\n{''.join(lines)}")
        elsewhere = {at[name]: variables[name.variable] for name in names} if place == "env" else {}
        return {"BACKUPCTL_CONFIG": str(config), **elsewhere}


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, Sample]:
    return all_samples(tmp_path)


def shown_as(first: int = 0) -> Iterator[list[str]]:
    """Yield the output options, over and over."""
    for output, verbose in itertools.islice(itertools.cycle(REDACTED_REQUEST), first, None):
        yield ["-o", output, verbose]


def ways_to_ask(leaf: Leaf, samples: Mapping[str, Sample]) -> list[list[str]]:
    """Return the valid command line for each API; an appliance before its restore has one."""
    usual = leaf.usual_line(samples)
    return [[*usual, "--api", family] for family in ("api", "rest") if (leaf.path[0], family) != ("restore", "api")]


def without(words: list[str], flag: str) -> list[str]:
    """Return the words without an option and its value."""
    place = words.index(flag) if flag in words else len(words)
    return words[:place] + words[place + 2 :]


def variables() -> dict[str, str]:
    """Return the variable for each option that has one."""
    found = {option.flag: option.environment for option in OPTIONS if option.environment}
    for name in SECRETS:
        _, found[name.file_option], found[name.command_option] = name.environment_names
    return found


def test_every_option_and_argument_of_every_command_has_a_sample(samples: dict[str, Sample]) -> None:
    known = {name for leaf in LEAVES for name in (*leaf.options, *leaf.arguments)}
    assert known - set(samples) == set(), "give each a sample in tests/support/command_tree.py"
    assert set(samples) - known == set(), "nothing has these any more"


def test_every_secret_has_a_marked_text_and_every_fault_is_played() -> None:
    assert {name.name for name in SECRETS} == set(SECRET_TEXTS)
    assert all(text.count(MARK) == 1 for text in SECRET_TEXTS.values())
    assert {fault.partition("=")[0].partition("@")[0] for fault in FAULTS} == set(KINDS)


@pytest.mark.exhaustive
@each_talking_command
def test_valid_command_line_succeeds(leaf: Leaf, samples: dict[str, Sample]) -> None:
    """Prove that the command lines of this module are not rejected early."""
    for words in ways_to_ask(leaf, samples):
        run, _ = SecretsRun(leaf, samples).run(*words)
        assert run.code not in {1, 2, 3, 4, 5}, (words, run.err)


@pytest.mark.exhaustive
@each_command
def test_no_value_of_any_option_shows_a_secret(leaf: Leaf, samples: dict[str, Sample]) -> None:
    bench, ways, serves = SecretsRun(leaf, samples), shown_as(), leaf.name == "simulator serve"
    usual = leaf.usual_line(samples)
    for flag in leaf.options:
        good = leaf.server if flag == "--server" else samples[flag].good
        tries = [words_for(flag, good, samples), *([flag, value] for value in samples[flag].wrong)]
        for words in tries:
            line = [*without(usual, flag), *words, *(next(ways) if leaf.connects else [])]
            line += ["--appliances", "0"] if serves else []  # otherwise it would serve forever
            check(bench.run(*line)[0], line)
        name = variables().get(flag) if leaf.connects else None
        for value in samples[flag].wrong if name else ():
            line = [*without(usual, flag), *next(ways)]
            check(bench.run(*line, environ={str(name): value})[0], (line, name, value))


@pytest.mark.exhaustive
@each_talking_command
@pytest.mark.parametrize("mode", MODES)
def test_appliance_that_echoes_requests_does_not_expose_secrets(
    leaf: Leaf, samples: dict[str, Sample], mode: str
) -> None:
    bench, ways, masked, echoed = SecretsRun(leaf, samples, mode=mode), shown_as(MODES.index(mode)), 0, 0
    for words in ways_to_ask(leaf, samples) * 2:
        line = [*words, *next(ways)]
        run, echoing = bench.run(*line)
        check(run, line)
        echoed += echoing.echoed
        masked += MASK in run.out + run.err
    assert masked
    assert echoed or mode not in {"login-refused", "messages", "names"}


@pytest.mark.exhaustive
@each_talking_command
def test_no_fault_or_error_shows_a_secret(leaf: Leaf, samples: dict[str, Sample]) -> None:
    ways = shown_as()
    for fault, accepted in [*((fault, True) for fault in FAULTS), ("", False), ("http-503=99@login", False)]:
        bench = SecretsRun(leaf, samples, faults=[fault] if fault else [], accepted=accepted)
        for words in (*ways_to_ask(leaf, samples), leaf.usual_line(samples)):
            line = [*words, *next(ways)]
            check(bench.run(*line)[0], (fault, line))


@pytest.mark.exhaustive
@one_command_for_each_set_of_secrets
@pytest.mark.parametrize("source", SOURCES)
def test_no_source_of_a_secret_shows_it(leaf: Leaf, samples: dict[str, Sample], source: str) -> None:
    ways = shown_as(SOURCES.index(source))
    for mode, words in itertools.product(("messages", "refuses-500"), ways_to_ask(leaf, samples)):
        line = [*words, *next(ways)]
        run, echoing = SecretsRun(leaf, samples, mode=mode, source=source).run(*line)
        check(run, (source, line))
        assert MARK in echoing.received, (source, line, run.err)


def crash(request: httpx.Request, _: Send) -> httpx.Response:
    """Raise an exception that holds the whole request, as a bug would."""
    raise RuntimeError(f"{dict(request.headers)} {MARK}")


@pytest.mark.parametrize("verbose", ["-v", "-vv", "-vvv"])
@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_bug_is_1_with_a_traceback_without_values(verbose: str, output: str) -> None:
    backupctl = CommandLine(intercept=crash, environ={"BACKUPCTL_PASSWORD": f"{MARK}-login"})
    run = backupctl("list", "-s", HOST, "-u", USER, verbose, "-o", output)
    assert run.code == 1
    assert "RuntimeError" in run.out + run.err
    assert "test_secret_masking" in run.out + run.err
    assert MARK not in run.out + run.err
    assert "Basic" not in run.err
    assert "Traceback" not in run.err
