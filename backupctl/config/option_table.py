"""The tables of options and secrets, which define the command line and its documentation.

Flags that weaken security, or after which exit code 0 no longer means a finished backup, have no environment variable:
one that is forgotten in a profile must not change what a cron job does.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from backupctl.config.option import Kind, Option, OptionGroup, Reader, SecretName, optional, repeated, single
from backupctl.rules.location_types import LOCATION_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backupctl.config import parsers
else:

    class LazyParsers:
        """The parsers, imported on first use, as help and completion do not parse values."""

        def __getattr__(self, name: str) -> Callable[..., object]:
            """Return a function that imports the parser of this name and calls it."""

            def parse(*arguments: object) -> object:
                parser = getattr(import_module("backupctl.config.parsers"), name)
                return parser(*arguments)

            return parse

    parsers = LazyParsers()

T = TypeVar("T")
C = TypeVar("C", bound=str)


def _read_flag(texts: Sequence[str]) -> bool:
    return bool(texts) and parsers.parse_switch(texts[-1])


def _read_count(texts: Sequence[str]) -> int:
    return int(texts[-1]) if texts else 0


def _flag(name: str, group: OptionGroup, text: str, **more: Any) -> Option[bool]:  # noqa: ANN401 - of ``Option``
    """Return an option without a value, which no configuration file sets."""
    return Option(name, group, _read_flag, text, kind=Kind.FLAG, **more)


def _switch(name: str, group: OptionGroup, text: str, *, file_key: str | None = "") -> Option[bool]:
    """Return an option that is switched on and off, and is off by default."""
    read = single(parsers.parse_switch)
    return Option(name, group, read, text, kind=Kind.SWITCH, default="no", environment="", file_key=file_key)


def _choice(name: str, group: OptionGroup, choices: tuple[C, ...], text: str) -> Option[C]:
    """Return an option with fixed values, of which the first is the default."""
    read = single(partial(parsers.parse_choice, choices))
    return Option(name, group, read, text, choices=choices, default=choices[0], environment="", file_key="")


def _value(
    name: str, group: OptionGroup, read: Reader[T], metavar: str, text: str, *, default: str | None = None
) -> Option[T]:
    """Return an option with a value."""
    return Option(name, group, read, text, metavar=metavar, default=default, environment="", file_key="")


_VERIFY: Final[tuple[Literal["none", "present", "readable"], ...]] = ("none", "present", "readable")
_COLOR: Final[tuple[Literal["auto", "always", "never"], ...]] = ("auto", "always", "never")

_CONNECTION, _SEVERAL, _OUTPUT, _BACKUP, _FOLLOWING, _TARGET, _RETENTION = OptionGroup
CONFIG: Final = Option(
    "config",
    _CONNECTION,
    optional(parsers.parse_path),
    "Configuration file to read.",
    metavar="FILE",
    environment="",
    help_of=dict.fromkeys(("setup", "config init"), "Configuration file to write."),
)
STATE_DIR: Final = _value(
    "state-dir",
    _CONNECTION,
    optional(parsers.parse_path),
    "DIR",
    "Folder that keeps the journal and manifests.",
)
JOURNAL: Final = _switch("journal", _CONNECTION, "Keep the results of backups and restores in the journal.")
SERVER: Final = Option(
    "server",
    _CONNECTION,
    repeated(parsers.parse_server_name),
    "Appliance: configured name, HOST, HOST:PORT or URL (repeatable).",
    short="-s",
    kind=Kind.LIST,
    metavar="SERVER",
    environment="",
)
USERNAME: Final = Option(
    "username",
    _CONNECTION,
    optional(parsers.parse_username),
    "User, such as administrator@vsphere.local.",
    short="-u",
    metavar="USER@DOMAIN",
    environment="",
    file_key="",
)
AUTH: Final = _choice("auth", _CONNECTION, ("session", "basic"), "Log in once, or send the password with each request.")
API: Final = _choice(
    "api", _CONNECTION, ("auto", "rest", "api"), "API to use: /rest (6.5 to 7.0U1) or /api (7.0U2 and later)."
)
CA_FILE: Final = _value(
    "ca-file",
    _CONNECTION,
    optional(parsers.parse_path),
    "FILE",
    "Trust the CAs in this PEM file instead of the system's.",
)
FINGERPRINT: Final = _value(
    "fingerprint",
    _CONNECTION,
    optional(parsers.parse_fingerprint),
    "sha256:HEX",
    "Trust only the certificate with this fingerprint.",
)
INSECURE: Final = _flag("insecure", _CONNECTION, "Do not verify the certificate: passwords can be intercepted.")
PROXY: Final = _value(
    "proxy",
    _CONNECTION,
    optional(parsers.parse_proxy),
    "URL",
    "HTTP proxy, or none (default: HTTPS_PROXY and NO_PROXY).",
)
SIMULATE: Final = _flag("simulate", _CONNECTION, "Use an embedded, simulated appliance: no backup is made.")

GROUP: Final = Option(
    "group",
    _SEVERAL,
    repeated(parsers.parse_group),
    "All appliances of a configured group (repeatable).",
    short="-g",
    kind=Kind.LIST,
    metavar="GROUP",
    environment="",
)
ALL: Final = _flag("all", _SEVERAL, "All configured appliances.", environment="")
PARALLEL: Final = _value(
    "parallel", _SEVERAL, single(parsers.parse_parallel), "N", "Backups to run at once; 0 means no limit.", default="16"
)

OUTPUT: Final = Option(
    "output",
    _OUTPUT,
    single(partial(parsers.parse_choice, ("text", "json", "jsonl"))),
    "Text, one JSON document, or one JSON event per line.",
    short="-o",
    choices=("text", "json", "jsonl"),
    default="text",
)
QUIET: Final = Option(
    "quiet", _OUTPUT, _read_flag, "Print nothing on success, only errors and their hints.", short="-q", kind=Kind.FLAG
)
VERBOSE: Final = Option(
    "verbose",
    _OUTPUT,
    _read_count,
    "Show where settings come from, and requests; -vv: bodies too.",
    short="-v",
    kind=Kind.COUNT,
)
COLOR: Final = Option(
    "color",
    _OUTPUT,
    single(partial(parsers.parse_choice, _COLOR)),
    "When to use colors; NO_COLOR in the environment means never.",
    choices=_COLOR,
    default="auto",
    environment="NO_COLOR",  # Any value turns colour off: https://no-color.org
)

LOCATION_TYPE: Final = Option(
    "location-type",
    _BACKUP,
    optional(parsers.parse_location_type),
    "Protocol (default: the location's scheme).",
    choices=LOCATION_TYPES,
    open_choices=True,
    metavar="TYPE",
    environment="",
    file_key="",
)
LOCATION: Final = Option(
    "location",
    _BACKUP,
    optional(parsers.parse_location_template),
    "Where to store the backup: sftp://host/path/{server}.",
    metavar="URL",
    environment="",
    file_key="",
    help_of={
        "archive": "Backup location to read: sftp://host/path.",
        "restore": "Folder of the archive: .../sn_HOST/M_...",
        "schedule": "Where to store the backups: sftp://host/path.",
    },
)
LOCATION_USER: Final = _value(
    "location-user", _BACKUP, optional(parsers.parse_location_user), "USER", "User for the backup location."
)
PART: Final = Option(
    "part",
    _BACKUP,
    repeated(parsers.parse_part),
    "Part to back up: common, seat (repeatable).",
    kind=Kind.LIST,
    metavar="PART",
    choices=("common", "seat", "supervisors"),
    open_choices=True,
    environment="",
    file_key="parts",
    help_of={"restore": "Part to restore (default: the whole archive)."},
)
COMMENT: Final = _value(
    "comment", _BACKUP, optional(parsers.parse_comment), "TEXT", "Comment to store with the backup."
)
FAST_BACKUP: Final = Option(
    "fast-backup",
    _BACKUP,
    optional(parsers.parse_switch),
    "Back up the database at full speed (7.0U2+).",
    kind=Kind.SWITCH,
    environment="",
    file_key="",
)
REQUIRE_ENCRYPTION: Final = _switch("require-encryption", _BACKUP, "Refuse to back up without a backup password.")

DRY_RUN: Final = _flag(
    "dry-run",
    _FOLLOWING,
    "Print the request, secrets masked; send nothing.",
    help_of={"archive prune": "Show what would be removed; remove nothing."},
)
PREFLIGHT: Final = _switch("preflight", _FOLLOWING, "Run the checks of validate first; stop if one fails.")
NO_WAIT: Final = _flag("no-wait", _FOLLOWING, "Return once started: exit code 0 means started, not done.")
TIMEOUT: Final = _value(
    "timeout",
    _FOLLOWING,
    single(parsers.parse_duration),
    "DURATION",
    "Stop waiting after this time; the job continues.",
    default="1d",
)
STALL_TIMEOUT: Final = _value(
    "stall-timeout",
    _FOLLOWING,
    single(parsers.parse_nonzero_duration),
    "DURATION",
    "Stop waiting after this time without progress.",
    default="2h",
)
INTERVAL: Final = _value(
    "interval", _FOLLOWING, optional(parsers.parse_interval), "DURATION", "Polling interval (default: adaptive)."
)
IF_RUNNING: Final = _choice(
    "if-running", _FOLLOWING, ("fail", "wait", "attach"), "If a backup is running: fail, start after it, or follow it."
)
CANCEL_ON_INTERRUPT: Final = _switch("cancel-on-interrupt", _FOLLOWING, "Cancel the backup on Ctrl-C.")
VERIFY: Final = Option(
    "verify",
    _FOLLOWING,
    single(partial(parsers.parse_choice, _VERIFY)),
    "Verify the archive after the backup (alone: present).",
    choices=_VERIFY,
    default="none",
    alone="present",
    environment="",
    file_key="",
)
PRUNE: Final = _flag("prune", _FOLLOWING, "Remove old archives after a verified backup.")
TOGETHER: Final = _switch(
    "together", _FOLLOWING, "Start all at once, or none if one fails its preflight.", file_key=None
)
FAIL_FAST: Final = _switch("fail-fast", _FOLLOWING, "Start no further backup after a failure.", file_key=None)

LOCATION_FINGERPRINT: Final = _value(
    "location-fingerprint",
    _TARGET,
    optional(parsers.parse_peer_fingerprint),
    "SHA256:KEY",
    "Trust only this host key, or this certificate (sha256:HEX).",
)
LOCATION_CA_FILE: Final = _value(
    "location-ca-file",
    _TARGET,
    optional(parsers.parse_path),
    "FILE",
    "Trust the CAs in this PEM file for FTPS and HTTPS.",
)
PATH_FOR: Final = Option(
    "path-for",
    _TARGET,
    repeated(parsers.parse_mount_point),
    "Folder on this host where a location is mounted (repeatable).",
    kind=Kind.LIST,
    metavar="URL=DIR",
    environment="",
    file_key="",
)
SYSTEM: Final = Option(
    "system",
    _TARGET,
    optional(parsers.parse_system),
    "Folder of the appliance (default: sn_HOST).",
    metavar="NAME",
    file_key="",
)


_count, _period = optional(parsers.parse_keep_count), optional(parsers.parse_duration)
KEEP_RULES: Final = (
    _value("keep-last", _RETENTION, _count, "N", "Keep the newest N archives."),
    _value("keep-daily", _RETENTION, _count, "N", "Keep the newest of each of the last N days."),
    _value("keep-weekly", _RETENTION, _count, "N", "Keep the newest of each of the last N weeks."),
    _value("keep-monthly", _RETENTION, _count, "N", "Keep the newest of each of the last N months."),
    _value("keep-within", _RETENTION, _period, "DURATION", "Keep all at most this much older than the newest."),
)
"""The options named after the fields of ``KeepRules``."""

OPTIONS: Final[tuple[Option[object], ...]] = (
    *(SERVER, USERNAME, AUTH, API, CA_FILE, FINGERPRINT, INSECURE, PROXY, SIMULATE, CONFIG, STATE_DIR, JOURNAL),
    *(GROUP, ALL, PARALLEL),
    *(OUTPUT, QUIET, VERBOSE, COLOR),
    *(LOCATION, LOCATION_TYPE, LOCATION_USER, PART, COMMENT, FAST_BACKUP, REQUIRE_ENCRYPTION),
    *(DRY_RUN, PREFLIGHT, NO_WAIT, TIMEOUT, STALL_TIMEOUT, INTERVAL, IF_RUNNING),
    *(CANCEL_ON_INTERRUPT, VERIFY, PRUNE, TOGETHER, FAIL_FAST),
    *(LOCATION_FINGERPRINT, LOCATION_CA_FILE, PATH_FOR, SYSTEM),
    *KEEP_RULES,
)
"""All options by group, in the order of the help."""

PASSWORD: Final = SecretName("password", "password of the user")
LOCATION_PASSWORD: Final = SecretName("location-password", "password of the location user")
BACKUP_PASSWORD: Final = SecretName("backup-password", "password that encrypts the backup")
SSO_PASSWORD: Final = SecretName("sso-password", "password of the SSO administrator")
SECRETS: Final = (PASSWORD, LOCATION_PASSWORD, BACKUP_PASSWORD, SSO_PASSWORD)
"""All secrets; they are never arguments, and are found by ``secret_resolver.SecretResolver``."""
