"""Where ``setup`` keeps what was answered: secrets in files, commands or the keyring, the rest in the configuration."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

from backupctl.cli.context import Context
from backupctl.cli.prompts import Prompter, confirm, lines_of
from backupctl.cli.setup_questions import Answers
from backupctl.config.atomic_write import content, make_folder, private_files
from backupctl.config.config_edit import merge
from backupctl.config.config_file import file_modes
from backupctl.config.config_keys import check_table
from backupctl.config.configuration import Configuration
from backupctl.config.environment import environment_without_secrets
from backupctl.config.option import SecretName
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_USER,
    PASSWORD,
    PROXY,
    REQUIRE_ENCRYPTION,
    USERNAME,
)
from backupctl.config.parsers import parse_choice
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.bounded_read import TimeLimit
from backupctl.secrets.from_command import run_secret_command, split_command
from backupctl.secrets.from_keyring import Keyring
from backupctl.secrets.secret import Secret

_NAMES: Final = {
    PASSWORD: "the vCenter password",
    LOCATION_PASSWORD: "the location's password",
    BACKUP_PASSWORD: "the backup password",
}
_STEMS: Final = {PASSWORD: "vcenter", LOCATION_PASSWORD: "location", BACKUP_PASSWORD: "backup"}
"""Names of the files of secrets."""
_TOGETHER: Final = (
    (USERNAME.name, *PASSWORD.file_keys),
    (LOCATION.name, LOCATION_USER.name, *LOCATION_PASSWORD.file_keys),
    (REQUIRE_ENCRYPTION.name, *BACKUP_PASSWORD.file_keys),
)
"""Keys that belong in the same table, so that a password is used only with its own user and host."""

Tables = dict[tuple[str, ...], dict[str, object]]
"""Values by table of the configuration file; None removes a key."""


class SecretKeeper:
    """Prompts for the place of each secret; ``save`` puts them there.

    Unless the servers of this run are ``alone``, their secrets have places of their own: others may share the first.
    """

    def __init__(self, context: Context, folder: Path, *, alone: bool) -> None:
        self.files: dict[Path, str] = {}
        self._entries: dict[str, tuple[SecretName, Secret]] = {}
        self._context = context
        self._folder = folder
        self._alone = alone
        self._kinds = ["file", "command", *(["keyring"] if find_spec("keyring") and os.geteuid() else [])]
        self._places: dict[tuple[SecretName, Secret], tuple[str, object]] = {}

    @property
    def _prompter(self) -> Prompter:
        return self._context.prompter

    def place(self, answers: Answers, name: SecretName) -> tuple[str, object]:
        """Return the key and the value of the place of a secret in the configuration file."""
        known = answers.secrets[name]
        if known.place is not None:
            return known.place
        if (name, known.secret) not in self._places:
            if not self._places:
                self._prompter.say("A nightly run cannot use a keyring: it is locked while nobody is logged in.")
            shared = self._alone and all(name is not other for other, _ in self._places)
            self._places[name, known.secret] = self._ask(name, known.secret, None if shared else answers.name)
        return self._places[name, known.secret]

    def _ask(self, name: SecretName, secret: Secret, server: str | None) -> tuple[str, object]:
        """Prompt for the place of a secret, of all servers or of one, until it works."""
        functions = {"file": self._in_file, "command": self._from_command, "keyring": self._in_keyring}
        whose = f" for {server}" if server else ""
        question = f"Where to keep {_NAMES[name]}{whose}? ({', '.join(self._kinds)})"
        while True:
            kind = parse_choice(self._kinds, self._prompter.ask(question, partial(parse_choice, self._kinds), "file"))
            try:
                return f"{name.name}-{kind}", functions[kind](name, secret, server)
            except (UsageError, ConfigError) as error:
                self._prompter.say(lines_of(error))

    def _in_file(self, name: SecretName, secret: Secret, server: str | None) -> str:
        stem = f"{server}.{_STEMS[name]}" if server else _STEMS[name]
        path, text = self._folder / f"{stem}.password", f"{secret.reveal()}\n"
        others = (self._folder / f"{stem}-{number}.password" for number in count(2))
        while content(path) not in {None, text}:
            if confirm(self._prompter, f"{path} has another password. Replace it?"):
                break
            path = next(others)
        self.files[path] = text
        return str(path)

    def _from_command(self, name: SecretName, secret: Secret, _server: str | None) -> list[str]:
        words = split_command(self._prompter.ask("Command, such as pass show vcenter", split_command))
        environ = environment_without_secrets(self._context.environ, self._context.configuration.secret_variables)
        if run_secret_command(words, name.name, environ, TimeLimit(self._context.clock)) != secret:
            raise UsageError("the command prints another password")
        return list(words)

    def _in_keyring(self, name: SecretName, secret: Secret, server: str | None) -> str:
        entry, keyring = f"{server}/{name.name}" if server else name.name, Keyring()
        question = f"The keyring has a password as {entry}. Replace it?"
        if keyring.holds(entry, name.name) and not confirm(self._prompter, question):
            raise UsageError("the password in the keyring is left as it is")
        self._entries[entry] = name, secret
        return entry

    def save(self, path: Path, tables: Tables) -> None:
        """Write the secrets and the configuration, or nothing of both; only the keyring keeps what it has stored.

        Raises ConfigError and OutputError: if that fails.
        """
        make_folder(path, file_modes(path)[1])
        keyring = Keyring()
        with private_files(self.files):
            for entry, (name, secret) in self._entries.items():
                keyring.store(entry, secret, name.name)
                self._prompter.say(f"Stored in the keyring: {entry}")
            merge(path, tables)


def tables_of(configuration: Configuration, answers: Sequence[Answers], keeper: SecretKeeper, folder: Path) -> Tables:
    """Return what is new in the tables of servers and in the defaults.

    Values go to the defaults, unless another server would inherit them that was not set up with them.
    """
    shared: dict[str, object] = dict(configuration.defaults.values)
    tables: Tables = {("defaults",): {}}
    names = {each.name for each in answers}
    inheriting = [name for name in configuration.servers if name not in names]
    for each in answers:
        profile = configuration.servers.get(each.name)
        own = profile.layers[0].values if profile else {}
        table = tables["servers", each.name] = (
            {} if profile else {"host": each.address.base_url.removeprefix("https://")}
        )
        table |= {PROXY.name: each.proxy} if each.proxy else {}
        for keys, values in zip(_TOGETHER, _values(each, keeper), strict=True):
            parsed = check_table(values, "", misplaced=frozenset(), folder=folder)
            here, there = ({key: given[key] for key in keys if key in given} for given in (own, shared))
            if here or (there != parsed and inheriting):
                table |= {**dict.fromkeys(here), **values} if here != parsed else {}
            elif there != parsed:
                tables["defaults",] |= {**dict.fromkeys(there), **values}
                shared |= parsed
        inheriting.append(each.name)
    return tables


def _values(answers: Answers, keeper: SecretKeeper) -> Iterator[dict[str, object]]:
    """Yield the values for each row of ``_TOGETHER``."""
    places = {name: dict([keeper.place(answers, name)]) for name in answers.secrets}
    yield {USERNAME.name: answers.username, **places.get(PASSWORD, {})}
    user = {LOCATION_USER.name: answers.location_user} if answers.location_user else {}
    yield {LOCATION.name: answers.location, **user, **places.get(LOCATION_PASSWORD, {})}
    yield {REQUIRE_ENCRYPTION.name: BACKUP_PASSWORD in places, **places.get(BACKUP_PASSWORD, {})}
