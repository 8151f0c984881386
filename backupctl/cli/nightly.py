"""The nightly run: systemd units and a crontab line, made from those of the manual, and their installation."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from backupctl.config.atomic_write import content, make_folder, replace
from backupctl.config.config_file import user_path
from backupctl.config.configuration import Configuration
from backupctl.config.option_table import SECRETS
from backupctl.errors import OutputError, UsageError
from backupctl.help.manual import topic

SYSTEM_UNITS: Final = Path("/etc/systemd/system")
_HIDDEN: Final = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - nothing is written there
"""Folders that ``ProtectHome=yes`` and ``PrivateTmp=yes`` hide from a service."""
_NEEDS_SYSTEM: Final = ("Wants", "After", "OnFailure")
"""Keys with units of the system, which a service of a user cannot name."""
_COMMAND_SECONDS: Final = 30.0
_SECRET_KEYS: Final = {key: secret.name for secret in SECRETS for key in secret.file_keys}


class NightlyRun(msgspec.Struct, frozen=True):
    """A backup every night at ``time``, such as 02:30, with ``words`` behind ``create``.

    ``files`` are those of the secrets, by name; None if one is elsewhere, so that only this user can read it.
    ``system`` is true for a service of the system, false for one of this user. ``environ`` has no secrets.
    """

    words: tuple[str, ...]
    time: str
    files: Mapping[str, str] | None
    system: bool
    environ: Mapping[str, str]

    @property
    def crontab_line(self) -> str:
        """The line for ``crontab -e``."""
        (block,) = re.findall(r"^```crontab\n(.*?)^```", topic("cron"), re.MULTILINE | re.DOTALL)
        command = block.splitlines()[-1].split(maxsplit=5)[5].replace("-g production", shlex.join(self.words))
        command = command.replace("backupctl", shlex.join(_program()), 1).replace("%", r"\%")
        hour, minute = map(int, self.time.split(":"))
        return f"{minute} {hour} * * * {command}\n"

    @property
    def units(self) -> dict[Path, str]:
        """The units with their paths."""
        own = user_path(self.environ)
        folder = SYSTEM_UNITS if self.system or own is None else own.parents[1] / "systemd" / "user"
        blocks = re.findall(r"^```ini\n# \S*/(\S+)\n(.*?\n)\n?^```", topic("systemd"), re.MULTILINE | re.DOTALL)
        return {folder / name: "".join(self._lines(text)) for name, text in blocks if self.system or "@" not in name}

    def _lines(self, unit: str) -> Iterator[str]:
        """Yield the lines of a unit with what is different here."""
        files, hidden = self.files or {}, any(path.startswith(_HIDDEN) for path in (sys.executable, __file__))
        if not self.system or self.files is None or hidden:
            unit = unit.partition("\n# Secrets\n")[0]  # It runs as this user, outside the sandbox behind that.
        for line in unit.splitlines(keepends=True):
            key, _, value = line.partition("=")
            name = value.partition(":")[0]
            if key == "ExecStart" and " create " in value:
                words = [*map(_unit_word, _program()), "create", *(_unit_word(word, "$") for word in self.words)]
                yield f"{key}={' '.join(words)}\n"
            elif key == "OnCalendar":
                yield f"{key}={value.rpartition(' ')[0]} {self.time}\n"
            elif key == "LoadCredential":
                yield from (f"{key}={name}:{files[name]}\n".replace("%", "%%"),) if name in files else ()
            elif self.system or key not in _NEEDS_SYSTEM:
                yield line

    @property
    def _systemctl(self) -> str:
        return "systemctl" if self.system else "systemctl --user"

    @property
    def _enable(self) -> tuple[str, str]:
        return f"{self._systemctl} daemon-reload", f"{self._systemctl} enable --now backupctl.timer"

    def by_hand(self, kind: str) -> str:
        """Return what to install, and how."""
        if kind == "cron":
            return f"# crontab -e\n{self.crontab_line}"
        units = "".join(f"# {path}\n{text}\n" for path, text in self.units.items())
        return "\n".join((f"{units}# then:", *self._enable, ""))

    def can_install(self, kind: str) -> bool:
        """Return whether ``install`` is possible here."""
        program = {"systemd": "systemctl", "cron": "crontab"}[kind]
        if shutil.which(program, path=self.environ.get("PATH", os.defpath)) is None:
            return False
        state = "running" if kind == "cron" else self._call(f"{self._systemctl} is-system-running")[1]
        return state.strip() in {"running", "degraded", "starting", "maintenance"}

    def replaced(self, kind: str) -> list[str]:
        """Return the files or the lines of the crontab that ``install`` would replace by different ones.

        Raises OutputError: if the crontab cannot be read.
        """
        if kind == "cron":
            return [line.strip() for line in self._crontab() if self._is_ours(line) and line != self.crontab_line]
        return [str(path) for path, text in self.units.items() if content(path) not in {None, text}]

    def install(self, kind: str) -> None:
        """Write the units and start the timer, or add the line to the crontab. Raises OutputError: if that fails."""
        if kind == "cron":
            others = [line for line in self._crontab() if not self._is_ours(line)]
            self._check("crontab -", "".join((*others, self.crontab_line)))
            return
        for path, text in self.units.items():
            make_folder(path, 0o755)
            replace(path, text, 0o644)
        for command in self._enable:
            self._check(command)

    def _crontab(self) -> list[str]:
        """Return the lines of the crontab, each with its end."""
        code, current = self._call("crontab -l")
        if code and "no crontab" not in current:
            raise OutputError(f"`crontab -l` failed: {current.strip()}")
        text = "" if code else current.strip("\n")
        return [f"{line}\n" for line in text.split("\n")] if text else []

    def _is_ours(self, line: str) -> bool:
        """Return whether a line of the crontab runs the same command, at whatever time."""
        return line[0] != "#" and line.split(maxsplit=5)[5:] == self.crontab_line.split(maxsplit=5)[5:]

    def _check(self, command: str, text: str = "") -> None:
        code, printed = self._call(command, text)
        if code:
            raise OutputError(f"`{command}` failed: {printed.strip() or f'exit code {code}'}")

    def _call(self, command: str, text: str = "") -> tuple[int, str]:
        """Run a program and return its exit code and what it printed."""
        try:
            ran = subprocess.run(  # noqa: S603 - one of the commands of this module
                command.split(),
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="surrogateescape",
                env=dict(self.environ),
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except OSError as error:
            return 127, str(error.strerror)
        except subprocess.TimeoutExpired:
            return 124, f"no answer in {_COMMAND_SECONDS:g} s"
        return ran.returncode, ran.stdout


def check_time(text: str) -> None:
    """Raise UsageError unless the text is a time such as 02:30."""
    if re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", text) is None:
        raise UsageError("write a time such as 02:30")


def secret_keys(configuration: Configuration) -> list[str]:
    """Return the keys of all places of secrets, those of the defaults first."""
    layers = (configuration.defaults, *(profile.layers[0] for profile in configuration.servers.values()))
    return [key for layer in layers for key in layer.values if key in _SECRET_KEYS]


def shared_files(configuration: Configuration) -> dict[str, str] | None:
    """Return the file of each secret by name, None if a secret is elsewhere, or for one server only."""
    shared = configuration.defaults.values
    keys = secret_keys(configuration)
    if len(keys) > len(shared.keys() & keys) or not all(key.endswith("-file") for key in keys):
        return None
    return {_SECRET_KEYS[key]: str(shared[key]) for key in keys}


def _program() -> tuple[str, ...]:
    """Return the words that start this program."""
    path = Path(shutil.which(sys.argv[0]) or sys.executable).absolute()
    return (str(path),) if path.name == "backupctl" else (sys.executable, "-m", "backupctl")


def _unit_word(word: str, doubled: str = "") -> str:
    """Return a word of a command in a unit, quoted if need be (systemd.service(5); ``$`` is plain in the program)."""
    for character in f"%{doubled}":
        word = word.replace(character, character * 2)
    if re.search(r"""[\s"'\\;]""", word) is None:
        return word
    return '"' + word.replace("\\", r"\\").replace('"', r"\"") + '"'
