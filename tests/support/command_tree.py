"""Every command with all its options, read from the program, and a typical command line for each.

A new command or option needs samples here: valid values, and invalid ones of each kind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import click

from backupctl.cli.lazy_group import LazyGroup
from backupctl.cli.root import root
from backupctl.config.option_table import SECRETS
from tests.support.command_line import HOST, LOCATION, USER

MARK: Final = "M4rk3d"
"""A marker that every secret contains, and nothing else: output with the marker leaks a secret."""

SECRET_TEXTS: Final[Mapping[str, str]] = {
    "password": f"{MARK}\"\\%ü$ {{}}'<&>1",
    "location-password": f"{MARK}/+?=#ö 'x\"\\",
    "backup-password": f"{MARK}\"\\%${{}}'<&",
    "sso-password": f"{MARK}-sso ß€😀\\\\",
}
"""Secrets with characters that the encodings on the way must escape."""

ARCHIVE: Final = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"


WITHOUT_APPLIANCE: Final = frozenset(
    {"archive verify", "config", "setup", "simulator", "completion", "help", "metrics rules", "notify"}
)
"""Commands that talk to no appliance, and ``setup``, which asks for everything; a group stands for all of its own."""


def is_without_appliance(words: tuple[str, ...]) -> bool:
    """Return whether a command talks to no appliance."""
    return bool(WITHOUT_APPLIANCE & {words[0], " ".join(words)})


class Sample(NamedTuple):
    """Values for an option or argument; ``good`` is None for a flag; ``usual`` options are in the usual line."""

    good: str | None = None
    wrong: tuple[str, ...] = ()
    usual: bool = False


@dataclass(frozen=True)
class Leaf:
    """A command that is not a group, and its path."""

    path: tuple[str, ...]
    command: click.Command

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def options(self) -> dict[str, click.Option]:
        return {max(each.opts, key=len): each for each in self.command.params if isinstance(each, click.Option)}

    @property
    def arguments(self) -> list[str]:
        return [str(each.name) for each in self.command.params if isinstance(each, click.Argument)]

    @property
    def connects(self) -> bool:
        """Whether it connects to appliances and sends them secrets."""
        return "--api" in self.options

    @property
    def server(self) -> str:
        """The server; commands that read certificates make real connections, to a port without a listener."""
        return "127.0.0.1:1" if self.path[0] == "trust" else HOST

    def usual_line(self, samples: Mapping[str, Sample]) -> list[str]:
        """Return a command line with which the command succeeds."""
        words = [*self.path, *(str(samples[name].good) for name in self.arguments)]
        for flag, option in self.options.items():
            if samples[flag].usual or option.required or (self.name == "archive prune" and flag in _TO_PRUNE):
                is_archive = (self.path[0], flag) == ("restore", "--location")
                words += words_for(flag, ARCHIVE if is_archive else None, samples)
        return words


_TO_PRUNE: Final = {"--keep-last", "--path-for"}
"""The options without which nothing is pruned, and no other host is contacted."""


def words_for(flag: str, value: str | None, samples: Mapping[str, Sample]) -> list[str]:
    """Return the words for an option with a value, by default its good one."""
    value = samples[flag].good if value is None else value
    return [flag] if value is None else [flag, value]


def leaves(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield every command that is not a group."""
    if not isinstance(command, click.Group):
        yield Leaf(path, command)
        return
    for name, child in sorted(command.commands.items()):
        yield from leaves(command.load(name) if isinstance(command, LazyGroup) else child, (*path, name))


def all_samples(folder: Path) -> dict[str, Sample]:
    """Return the samples of every option and argument; write the files that they name to ``folder``."""
    of_files = {
        "--config": Sample(_file(folder, "config.toml", b"[defaults]\n"), tuple(_bad_configurations(folder))),
        "--state-dir": Sample(str(folder / "state"), ("",)),
        "--to": Sample(str(folder / "written.prom"), ("/dev/null/file.prom", "")),
    }
    return {
        **_CONNECTION,
        **_OUTPUT,
        **_BACKUP,
        **_FOLLOWING,
        **_TARGET,
        **_RETENTION,
        **_OF_COMMANDS,
        **_OF_CHECK,
        **_SIMULATOR,
        **of_files,
        **_of_secrets(folder),
    }


_BAD_TIMES: Final = ("soon", "-1s", "", "99999999999d")

_CONNECTION: Final = {
    "--server": Sample(HOST, ("a b", f"https://u:{MARK}@host", f"u:{MARK}@host", "ftp://x", "")),
    "--username": Sample(USER, ("", "a\nb")),
    "--auth": Sample("basic", ("digest",)),
    "--api": Sample("rest", ("soap",)),
    "--ca-file": Sample("/dev/null", ("/dev/null/ca.pem",)),
    "--fingerprint": Sample(f"sha256:{'0' * 64}", ("md5:00", "")),
    "--insecure": Sample(),
    "--proxy": Sample("127.0.0.1:1", (f"http://u:{MARK}@proxy", f"ftp://u:{MARK}@x", f"u:{MARK} @x")),
    "--simulate": Sample(),
    "--journal": Sample(),
    "--group": Sample("production", ("", "none of these")),
    "--all": Sample(),
    "--parallel": Sample("4", ("-1", "many")),
    "--fail-fast": Sample(),
    "--together": Sample(),
}
_OUTPUT: Final = {
    "--output": Sample("json", ("yaml",)),
    "--quiet": Sample(),
    "--verbose": Sample(),
    "--color": Sample("always", ("mauve",)),
}
_BACKUP: Final = {
    "--location-type": Sample("SFTP", ("a b", "FTP")),
    "--location": Sample(
        LOCATION, (f"sftp://u:{MARK}@host/x", f"{MARK}@host:/x", f"\\\\u:{MARK}@h\\x", "", "x"), usual=True
    ),
    "--location-user": Sample("backup", ("", "a\nb"), usual=True),
    "--part": Sample("common", ("a b", "")),
    "--comment": Sample("before the upgrade", ("a\x1bb",)),
    "--fast-backup": Sample(),
    "--require-encryption": Sample(),
}
_FOLLOWING: Final = {
    "--dry-run": Sample(),
    "--preflight": Sample(),
    "--no-wait": Sample(),
    "--timeout": Sample("30s", _BAD_TIMES, usual=True),
    "--stall-timeout": Sample("20s", _BAD_TIMES),
    "--interval": Sample("5s", _BAD_TIMES),
    "--if-running": Sample("attach", ("hope",)),
    "--cancel-on-interrupt": Sample(),
    "--prune": Sample(),
    "--verify": Sample("readable", ("unchanged",)),
}
_TARGET: Final = {
    "--location-fingerprint": Sample(f"SHA256:{'A' * 43}", ("MD5:00", "")),
    "--location-ca-file": Sample("/dev/null", ("/dev/null/ca.pem",)),
    "--path-for": Sample(f"{LOCATION}=/nowhere", ("nfs://nas/export", f"nfs://u:{MARK}@nas/x=/mnt", "")),
    "--system": Sample(f"sn_{HOST}", ("", "a/b")),
}
_RETENTION: Final = {
    "--keep-last": Sample("3", ("-1", "many", "")),
    **{f"--keep-{period}": Sample("2", ("-1", "many")) for period in ("daily", "weekly", "monthly")},
    "--keep-within": Sample("30d", _BAD_TIMES),
}
_OF_COMMANDS: Final = {
    "job_id": Sample("latest"),
    "archive": Sample("S_8.0.0.10000_20260301-000000_"),
    "name": Sample("default"),
    "shell": Sample("bash"),
    "words": Sample("connection"),
    "--allow-password-in-url": Sample(usual=True),
    "--at": Sample("02:30", ("late", "25:00"), usual=True),
    "--change": Sample("CHG0012345", ("a\x1bb",)),
    "--comment-contains": Sample("upgrade"),
    "--day": Sample("SUNDAY", ("someday",)),
    "--direct": Sample(),
    "--enable": Sample(),
    "--force": Sample(),
    "--run-commands": Sample(),
    "--ignore-warnings": Sample(),
    "--level": Sample("readable", ("restorable",)),
    "--limit": Sample("2", ("0", "many")),
    "--retain": Sample("3", ("0", "many")),
    "--scheduled": Sample(),
    "--since": Sample("30d", ("ever",)),
    "--sso-username": Sample(USER, ("",), usual=True),
    "--state": Sample("FAILED", ("a b",)),
    "--type": Sample("MANUAL", ("a b",)),
    "--until": Sample("1d", ("never",)),
    "--yes": Sample(usual=True),
}
_OF_CHECK: Final = {
    "--critical": Sample("3d", _BAD_TIMES),
    "--format": Sample("checkmk", ("xml",)),
    "--grace": Sample("2d", _BAD_TIMES),
    "--last-result": Sample("critical", ("fine",)),
    "--max-running": Sample("6h", _BAD_TIMES),
    "--min-size": Sample("100MB", ("small", "-1", "5%")),
    "--schedule": Sample("required", ("maybe",)),
    "--size-deviation": Sample("50%", ("half", "-1%", "5MB")),
    "--warning": Sample("1d", _BAD_TIMES),
}
_SIMULATOR: Final = {
    "--accept-password-file": Sample(wrong=("/dev/null/file",)),
    "--accept-username": Sample(),
    "--appliances": Sample(wrong=("0",)),
    "--fault": Sample(wrong=("earthquake",)),
    "--fresh": Sample(),
    "--history": Sample(),
    "--job-duration": Sample(wrong=_BAD_TIMES),
    "--listen": Sample(wrong=("nowhere",)),
    "--progress": Sample(wrong=("back",)),
    "--ready-file": Sample(),
    "--release": Sample(wrong=("1.0",)),
    "--store": Sample(wrong=("/dev/null",)),
    "--tls": Sample(),
}


def _bad_configurations(folder: Path) -> Iterator[str]:
    yield "/dev/null/config.toml"
    for number, text in enumerate(
        (
            *(f'[defaults]\n{name.name} = "{MARK}"\n' for name in SECRETS),
            f"[defaults]\npassword-command = \"sh -c '{MARK}'\"\n",
            f'[defaults]\npassword-command = ["/nowhere", "{MARK}"]\n',
            f'[defaults]\nlocation = "sftp://u:{MARK}@host/x"\n',
            f'[defaults]\nproxy = "ftp://u:{MARK}@host"\n',
            f'[servers.{HOST.partition(".")[0]}]\nhost = "https://u:{MARK}@host"\n',
            '[defaults]\npassword-keyring = "none"\n',
            "[defaults\n",
        )
    ):
        yield _file(folder, f"bad{number}.toml", text.encode())


def _of_secrets(folder: Path) -> dict[str, Sample]:
    found = {}
    for name in SECRETS:
        text = SECRET_TEXTS[name.name]
        good = _file(folder, name.name, f"{text}\n".encode())
        wrong = (
            _file(folder, f"{name.name}.open", text.encode(), 0o644),
            _file(folder, f"{name.name}.lines", f"{text}\n{text}\n".encode()),
            _file(folder, f"{name.name}.latin", text.encode() + b"\xff"),
            _file(folder, f"{name.name}.mark", b"\xef\xbb\xbf" + text.encode()),
            _file(folder, f"{name.name}.none", b""),
            *(str(folder), str(folder / "nothing")),
        )
        failing = f"sh -c 'echo {MARK}; exit 3'"
        commands = (failing, f"'unmatched {MARK}", f"/nowhere/program {MARK}", f"/ {MARK}", "true")
        found[name.file_option] = Sample(good, wrong)
        found[name.command_option] = Sample(f"cat {good}", commands)
    return found


def _file(folder: Path, name: str, content: bytes, mode: int = 0o600) -> str:
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)
