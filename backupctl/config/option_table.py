"""The tables of options and secrets, which define the command line and its documentation.

Flags that weaken security, or after which exit code 0 no longer means a finished backup, have no environment variable:
one that is forgotten in a profile must not change what a cron job does.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

from backupctl.config.option import Kind, Option, OptionGroup, SecretName, optional, repeated, single
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


def _read_flag(texts: Sequence[str]) -> bool:
    return bool(texts) and parsers.parse_switch(texts[-1])


def _read_count(texts: Sequence[str]) -> int:
    return int(texts[-1]) if texts else 0


_AUTH: Final = ("session", "basic")
_API: Final = ("auto", "rest", "api")
_OUTPUT: Final = ("text", "json", "jsonl")
_COLOR: Final[tuple[Literal["auto", "always", "never"], ...]] = ("auto", "always", "never")
_IF_RUNNING: Final = ("fail", "wait", "attach")

CONFIG: Final = Option(
    name="config",
    group=OptionGroup.CONNECTION,
    read=optional(parsers.parse_path),
    metavar="FILE",
    environment="BACKUPCTL_CONFIG",
    help="Read this configuration file, instead of that of the user or of the system.",
)
SERVER: Final = Option(
    name="server",
    short="-s",
    group=OptionGroup.CONNECTION,
    kind=Kind.LIST,
    read=repeated(parsers.parse_server_name),
    metavar="NAME|HOST[:PORT]",
    environment="BACKUPCTL_SERVER",
    help="An appliance, repeatable: a configured name, a host name, HOST:PORT or a URL.",
)
USERNAME: Final = Option(
    name="username",
    short="-u",
    group=OptionGroup.CONNECTION,
    read=optional(parsers.parse_username),
    metavar="USER@DOMAIN",
    environment="BACKUPCTL_USERNAME",
    file_key="username",
    help="Who logs in, such as administrator@vsphere.local.",
)
AUTH: Final = Option(
    name="auth",
    group=OptionGroup.CONNECTION,
    read=single(partial(parsers.parse_choice, _AUTH)),
    choices=_AUTH,
    default="session",
    environment="BACKUPCTL_AUTH",
    file_key="auth",
    help="Log in once, or send user and password with each request (for port 5480 with a local user).",
)
API: Final = Option(
    name="api",
    group=OptionGroup.CONNECTION,
    read=single(partial(parsers.parse_choice, _API)),
    choices=_API,
    default="auto",
    environment="BACKUPCTL_API",
    file_key="api",
    help="The API to speak: /rest (6.5 to 7.0U1), /api (7.0U2 and later), or what the appliance has.",
)
CA_FILE: Final = Option(
    name="ca-file",
    group=OptionGroup.CONNECTION,
    read=optional(parsers.parse_path),
    metavar="FILE",
    environment="BACKUPCTL_CA_FILE",
    file_key="ca-file",
    help="Trust the certificates in this PEM file instead of those of the system.",
)
FINGERPRINT: Final = Option(
    name="fingerprint",
    group=OptionGroup.CONNECTION,
    read=optional(parsers.parse_fingerprint),
    metavar="sha256:HEX",
    environment="BACKUPCTL_FINGERPRINT",
    file_key="fingerprint",
    help="Trust the one certificate with this fingerprint, whoever signed it; with --ca-file both must hold.",
)
INSECURE: Final = Option(
    name="insecure",
    group=OptionGroup.CONNECTION,
    kind=Kind.FLAG,
    read=_read_flag,
    help="Do not check the certificate of the appliance: anyone on the way can read the passwords.",
)
PROXY: Final = Option(
    name="proxy",
    group=OptionGroup.CONNECTION,
    read=optional(parsers.parse_proxy),
    metavar="URL",
    environment="BACKUPCTL_PROXY",
    file_key="proxy",
    help="Go through this HTTP proxy, or 'none'; else HTTPS_PROXY and NO_PROXY are followed.",
)
SIMULATE: Final = Option(
    name="simulate",
    group=OptionGroup.CONNECTION,
    kind=Kind.FLAG,
    read=_read_flag,
    help="Work on an embedded, simulated appliance: no backup is made.",
)

GROUP: Final = Option(
    name="group",
    short="-g",
    group=OptionGroup.SEVERAL,
    kind=Kind.LIST,
    read=repeated(parsers.parse_group),
    metavar="NAME",
    environment="BACKUPCTL_GROUP",
    help="All appliances of a configured group, repeatable.",
)
ALL: Final = Option(
    name="all",
    group=OptionGroup.SEVERAL,
    kind=Kind.FLAG,
    read=_read_flag,
    environment="BACKUPCTL_ALL",
    help="All configured appliances.",
)
PARALLEL: Final = Option(
    name="parallel",
    group=OptionGroup.SEVERAL,
    read=single(parsers.parse_parallel),
    metavar="N",
    default="16",
    environment="BACKUPCTL_PARALLEL",
    file_key="parallel",
    help="How many backups may run at once, 0 for no limit; watching is never limited.",
)

OUTPUT: Final = Option(
    name="output",
    short="-o",
    group=OptionGroup.OUTPUT,
    read=single(partial(parsers.parse_choice, _OUTPUT)),
    choices=_OUTPUT,
    default="text",
    help="Text for people, one JSON document, or one JSON event a line.",
)
QUIET: Final = Option(
    name="quiet",
    short="-q",
    group=OptionGroup.OUTPUT,
    kind=Kind.FLAG,
    read=_read_flag,
    help="Show nothing on success, except what the command is asked for.",
)
VERBOSE: Final = Option(
    name="verbose",
    short="-v",
    group=OptionGroup.OUTPUT,
    kind=Kind.COUNT,
    read=_read_count,
    help="Show where settings come from, and each request; -vv: headers and bodies too, secrets masked.",
)
COLOR: Final = Option(
    name="color",
    group=OptionGroup.OUTPUT,
    read=single(partial(parsers.parse_choice, _COLOR)),
    choices=_COLOR,
    default="auto",
    environment="NO_COLOR",  # Any value turns colour off: https://no-color.org
    help="When to use colours; NO_COLOR in the environment means never.",
)

LOCATION_TYPE: Final = Option(
    name="location-type",
    group=OptionGroup.BACKUP,
    read=optional(parsers.parse_location_type),
    choices=LOCATION_TYPES,
    open_choices=True,
    metavar="TYPE",
    environment="BACKUPCTL_LOCATION_TYPE",
    file_key="location-type",
    help="How the appliance reaches the location; taken from its URL where not given.",
)
LOCATION: Final = Option(
    name="location",
    group=OptionGroup.BACKUP,
    read=optional(parsers.parse_location_template),
    metavar="URL",
    environment="BACKUPCTL_LOCATION",
    file_key="location",
    help="Where the backup goes; {server}, {date} and {time} in it are filled in.",
)
LOCATION_USER: Final = Option(
    name="location-user",
    group=OptionGroup.BACKUP,
    read=optional(parsers.parse_location_user),
    metavar="USER",
    environment="BACKUPCTL_LOCATION_USER",
    file_key="location-user",
    help="Who the appliance logs in as at the location.",
)
PART: Final = Option(
    name="part",
    group=OptionGroup.BACKUP,
    kind=Kind.LIST,
    read=repeated(parsers.parse_part),
    metavar="PART",
    environment="BACKUPCTL_PART",
    file_key="parts",
    help="What to back up, such as common or seat; else what the appliance selects by default.",
)
COMMENT: Final = Option(
    name="comment",
    group=OptionGroup.BACKUP,
    read=optional(parsers.parse_comment),
    metavar="TEXT",
    environment="BACKUPCTL_COMMENT",
    file_key="comment",
    help="A comment that is kept with the backup.",
)
FAST_BACKUP: Final = Option(
    name="fast-backup",
    group=OptionGroup.BACKUP,
    kind=Kind.SWITCH,
    read=optional(parsers.parse_switch),
    environment="BACKUPCTL_FAST_BACKUP",
    file_key="fast-backup",
    help="Back up the database at full speed (7.0U2 and later); else the appliance decides.",
)
REQUIRE_ENCRYPTION: Final = Option(
    name="require-encryption",
    group=OptionGroup.BACKUP,
    kind=Kind.SWITCH,
    read=single(parsers.parse_switch),
    default="no",
    environment="BACKUPCTL_REQUIRE_ENCRYPTION",
    file_key="require-encryption",
    help="Refuse to make a backup without a backup password.",
)
DRY_RUN: Final = Option(
    name="dry-run",
    group=OptionGroup.FOLLOWING,
    kind=Kind.FLAG,
    read=_read_flag,
    help="Print the request, with secrets masked, and send nothing.",
)

PREFLIGHT: Final = Option(
    name="preflight",
    group=OptionGroup.FOLLOWING,
    kind=Kind.SWITCH,
    read=single(parsers.parse_switch),
    default="no",
    environment="BACKUPCTL_PREFLIGHT",
    file_key="preflight",
    help="Check first what `validate` checks, and start nothing if a check fails.",
)
NO_WAIT: Final = Option(
    name="no-wait",
    group=OptionGroup.FOLLOWING,
    kind=Kind.FLAG,
    read=_read_flag,
    help="Return as soon as the job is started; 0 then means started, not done.",
)
TIMEOUT: Final = Option(
    name="timeout",
    group=OptionGroup.FOLLOWING,
    read=single(parsers.parse_duration),
    default="24h",
    metavar="DURATION",
    environment="BACKUPCTL_TIMEOUT",
    file_key="timeout",
    help="Stop waiting after this time; the backup goes on.",
)
STALL_TIMEOUT: Final = Option(
    name="stall-timeout",
    group=OptionGroup.FOLLOWING,
    read=single(parsers.parse_stall_timeout),
    default="2h",
    metavar="DURATION",
    environment="BACKUPCTL_STALL_TIMEOUT",
    file_key="stall-timeout",
    help="Stop waiting after this time without any sign of life; the backup goes on.",
)
INTERVAL: Final = Option(
    name="interval",
    group=OptionGroup.FOLLOWING,
    read=optional(parsers.parse_interval),
    metavar="DURATION",
    environment="BACKUPCTL_INTERVAL",
    file_key="interval",
    help="Ask at this interval, instead of one that fits the pace of the job.",
)
IF_RUNNING: Final = Option(
    name="if-running",
    group=OptionGroup.FOLLOWING,
    read=single(partial(parsers.parse_choice, _IF_RUNNING)),
    choices=_IF_RUNNING,
    default="fail",
    environment="BACKUPCTL_IF_RUNNING",
    file_key="if-running",
    help="When another backup runs: fail, wait until it has ended, or follow that one.",
)
CANCEL_ON_INTERRUPT: Final = Option(
    name="cancel-on-interrupt",
    group=OptionGroup.FOLLOWING,
    kind=Kind.SWITCH,
    read=single(parsers.parse_switch),
    default="no",
    environment="BACKUPCTL_CANCEL_ON_INTERRUPT",
    file_key="cancel-on-interrupt",
    help="Cancel the backup on Ctrl-C, instead of leaving it to go on.",
)
TOGETHER: Final = Option(
    name="together",
    group=OptionGroup.FOLLOWING,
    kind=Kind.SWITCH,
    read=single(parsers.parse_switch),
    default="no",
    environment="BACKUPCTL_TOGETHER",
    help="Start the backups of all appliances at once, or none if one fails its preflight, as linked ones need it.",
)
FAIL_FAST: Final = Option(
    name="fail-fast",
    group=OptionGroup.FOLLOWING,
    kind=Kind.SWITCH,
    read=single(parsers.parse_switch),
    default="no",
    environment="BACKUPCTL_FAIL_FAST",
    help="Start no further backup after the first failure; those that run are followed to their end.",
)

OPTIONS: Final[tuple[Option[object], ...]] = (
    *(SERVER, USERNAME, AUTH, API, CA_FILE, FINGERPRINT, INSECURE, PROXY, SIMULATE, CONFIG),
    *(GROUP, ALL, PARALLEL),
    *(OUTPUT, QUIET, VERBOSE, COLOR),
    *(LOCATION_TYPE, LOCATION, LOCATION_USER, PART, COMMENT, FAST_BACKUP, REQUIRE_ENCRYPTION),
    *(
        DRY_RUN,
        PREFLIGHT,
        NO_WAIT,
        TIMEOUT,
        STALL_TIMEOUT,
        INTERVAL,
        IF_RUNNING,
        CANCEL_ON_INTERRUPT,
        TOGETHER,
        FAIL_FAST,
    ),
)
"""All options by group, in the order of the help."""

PASSWORD: Final = SecretName("password", "the password of the user who logs in")
LOCATION_PASSWORD: Final = SecretName("location-password", "the password of the location user")
BACKUP_PASSWORD: Final = SecretName("backup-password", "the password that encrypts the backup")
SSO_PASSWORD: Final = SecretName("sso-password", "the password of the SSO administrator of a restored appliance")
SECRETS: Final = (PASSWORD, LOCATION_PASSWORD, BACKUP_PASSWORD, SSO_PASSWORD)
"""All secrets; they are never arguments, and are found by ``secret_resolver.SecretResolver``."""
