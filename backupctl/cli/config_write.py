"""Write the sample configuration file, and store secrets in the keyring."""

from backupctl.cli.backup_settings import ask_backup_password
from backupctl.cli.confirmation import confirm
from backupctl.cli.context import Context
from backupctl.config.configuration import Profile
from backupctl.config.option import SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, CONFIG, SECRETS
from backupctl.errors import ConfigError, UsageError
from backupctl.results.config_results import DEFAULTS, FileResult
from backupctl.rules.password import check_backup_password
from backupctl.secrets.from_keyring import Keyring
from backupctl.secrets.secret import Secret


def write_sample(context: Context) -> FileResult:
    """Write the sample to the file of ``--config``, or to that of the user. Raises ConfigError: if it has defaults."""
    from backupctl.config.config_edit import add_sample, path_to_edit

    path = path_to_edit(context.value(CONFIG), None, context.environ)
    add_sample(path)
    return FileResult(server=DEFAULTS, host="", file=str(path))


def store_secret(context: Context, name: SecretName, server: str | None, *, yes: bool) -> FileResult:
    """Store a secret in the keyring, and its entry in the configuration file: in a server's table or in the defaults.

    Keyring and file are both checked before either is changed, and an old secret is only replaced if the user confirms
    it, or with ``yes``.

    Raises ConfigError, UsageError and OutputError: if the secret, the keyring or the file is unusable.
    """
    from backupctl.config.config_edit import check_editable, merge, path_to_edit

    profile = None if server is None else _configured_profile(context, server)
    path = path_to_edit(context.value(CONFIG), context.configuration.path, context.environ)
    keyring, command = Keyring(), f"config set-secret {name.name}"
    keyring.check_installed(command)
    check_editable(path)
    entry = name.name if profile is None else f"{profile.name}/{name.name}"
    layer = context.configuration.defaults if profile is None else profile.layers[0]
    old = [layer.source(key).name for key in name.file_keys if layer.values.get(key, entry) != entry]
    old += [f"keyring entry {entry}"] if keyring.holds(entry, command) else []
    secret = _secret_from_options(context, name)
    if old and not yes:
        confirm(context, f"replace the {name.name} of {profile.name if profile else DEFAULTS}", old)
    secret = secret or _prompt_for_secret(context, name)
    if name is BACKUP_PASSWORD:
        check_backup_password(secret)
    keyring.store(entry, secret, command)
    *others, key = name.file_keys
    merge(path, {("servers", profile.name) if profile else ("defaults",): {key: entry}})
    return FileResult(
        server=profile.name if profile else DEFAULTS,
        host=profile.address.host if profile else "",
        file=str(path),
        secret=name.name,
        entry=entry,
        replaced=next((other for other in others if other in layer.values), None),
    )


def _configured_profile(context: Context, server: str) -> Profile:
    profile = context.configuration.profile(server)
    if not profile.configured:
        path = context.configuration.path
        raise ConfigError(
            f"server {server!r} not found in {path}" if path else "no servers are configured",
            hint=f"add a table [servers.{server}] with its host first",
        )
    return profile


def _secret_from_options(context: Context, name: SecretName) -> Secret | None:
    """Return the secret that its options name, None without them. Raises UsageError: for options of another secret."""
    flags = [flag for secret in SECRETS if secret is not name for flag in (secret.file_option, secret.command_option)]
    wrong = next((flag for flag in flags if context.given_text(flag) is not None), None)
    if wrong is not None:
        raise UsageError(f"{wrong} is not an option for the secret {name.name}", hint=f"use {name.file_option}")
    return context.given_secret(name)


def _prompt_for_secret(context: Context, name: SecretName) -> Secret:
    """Prompt until there is an answer. Raises UsageError: if there is no terminal."""
    if not context.prompter.interactive:
        raise UsageError(
            f"missing secret {name.name}: cannot prompt without a terminal",
            hint=f"use {name.file_option} (- for standard input)",
        )
    while True:
        if name is BACKUP_PASSWORD:
            secret = ask_backup_password(context.prompter)
        else:
            secret = context.prompter.ask_secret(name.meaning[0].upper() + name.meaning[1:])
        if secret is not None:
            return secret
