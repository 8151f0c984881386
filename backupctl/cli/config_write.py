"""What ``config`` writes: the sample of a configuration file, and where a secret of the keyring is."""

from pathlib import Path
from typing import Final

from backupctl.cli.backup_settings import ask_backup_password
from backupctl.cli.context import Context
from backupctl.config.config_file import user_path
from backupctl.config.configuration import Profile
from backupctl.config.option import SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, CONFIG, SECRETS
from backupctl.errors import ConfigError, UsageError
from backupctl.results.config_results import DEFAULTS, FileResult
from backupctl.rules.password import check_backup_password
from backupctl.secrets.from_keyring import Keyring
from backupctl.secrets.secret import Secret

_MODE: Final = 0o600


def write_sample(context: Context) -> FileResult:
    """Write the sample to the file that is named, or to that of the user; raises ConfigError if one is there."""
    from backupctl.config.atomic_write import locked, make_folder, write_new
    from backupctl.config.config_sample import SAMPLE

    path = context.value(CONFIG) or _users_own(context)
    make_folder(path)
    with locked(path):
        write_new(path, SAMPLE, _MODE, hint=f"`backupctl config check` judges it; {CONFIG.flag} names another file")
    return FileResult(server=DEFAULTS, host="", file=str(path))


def store_secret(context: Context, name: SecretName, server: str | None) -> FileResult:
    """Put a secret into the keyring and say so in the file that is read: in a server's table or in the defaults.

    Nothing is changed before it is known that both can be done. Raises ConfigError, UsageError and OutputError.
    """
    from backupctl.config.config_edit import check_editable, path_to_edit, store_secret_place

    profile = None if server is None else _configured(context, server)
    path = path_to_edit(context.value(CONFIG), context.configuration.path, context.environ)
    keyring, where = Keyring(), f"config set-secret {name.name}"
    keyring.check_installed(where)
    check_editable(path)
    secret = _given(context, name) or _asked_for(context, name)
    if name is BACKUP_PASSWORD:
        check_backup_password(secret)
    entry = name.name if profile is None else f"{profile.name}/{name.name}"
    keyring.store(entry, secret, where)
    *others, key = name.file_keys
    replaced = store_secret_place(path, profile.name if profile else None, key, entry, instead_of=others)
    return FileResult(
        server=profile.name if profile else DEFAULTS,
        host=profile.address.host if profile else "",
        file=str(path),
        secret=name.name,
        entry=entry,
        replaced=replaced,
    )


def _users_own(context: Context) -> Path:
    path = user_path(context.environ)
    if path is None:
        raise ConfigError("there is no home directory for a configuration file", hint=f"name a file: {CONFIG.flag}")
    return path


def _configured(context: Context, server: str) -> Profile:
    profile = context.configuration.profile(server)
    if not profile.configured:
        path = context.configuration.path
        raise ConfigError(
            f"there is no server {server!r} in {path}" if path else "no server is configured",
            hint=f"add a table [servers.{server}] with its host first",
        )
    return profile


def _given(context: Context, name: SecretName) -> Secret | None:
    """Return what the options of this very secret give."""
    others = [each for each in SECRETS if each is not name]
    keys = {flag.removeprefix("--").replace("-", "_"): flag for each in others for flag in _flags(each)}
    wrong = next((flag for key, flag in keys.items() if key in context.given), None)
    if wrong is not None:
        raise UsageError(f"{wrong} does not give the secret {name.name}", hint=f"give {name.file_option}")
    return context.given_secret(name)


def _flags(name: SecretName) -> tuple[str, str]:
    return name.file_option, name.command_option


def _asked_for(context: Context, name: SecretName) -> Secret:
    if not context.prompter.interactive:
        raise UsageError(
            f"the secret {name.name} is missing, and nobody can be asked",
            hint=f"give {name.file_option}; - is standard input",
        )
    while True:
        if name is BACKUP_PASSWORD:
            secret = ask_backup_password(context.prompter)
        else:
            secret = context.prompter.ask_secret(name.meaning[0].upper() + name.meaning[1:])
        if secret is not None:
            return secret
