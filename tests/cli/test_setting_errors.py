"""Invalid settings, wherever they are found: the message begins with the setting to change."""

from pathlib import Path

import pytest

from backupctl.config.option import SECRET_PLACES
from backupctl.config.option_table import OPTIONS
from tests import wording
from tests.support.command_line import TO_APPLIANCE, CommandLine, Run

LOCATION = "location = 'sftp://h/{server}'"
PIN = f"sha256:{'a1' * 32}"
SHORT = "S3cr!"

DEFAULTS = [
    ("username = 'a:b'", f"username: {wording.COLON_IN_USER_NAME}"),
    ("auth = 'magic'", f"auth: {wording.INVALID_CHOICE('magic')}"),
    ("api = 'soap'", f"api: {wording.INVALID_CHOICE('soap')}"),
    ("ca-file = 'none.pem'", "ca-file: {folder}/none.pem: No such file or directory"),
    ("ca-file = 'short'", f"ca-file: {{folder}}/short: {wording.NOT_A_PEM_FILE}"),
    ("proxy = 'ftp://p'", f"proxy: {wording.INVALID_PROXY_SCHEME}"),
    ("proxy = 'http://1.2.3.999:3128'", f"proxy: {wording.INVALID_PROXY_HOST}"),
    ("parallel = 'many'", f"parallel: {wording.INVALID_NUMBER_OF_BACKUPS('many')}"),
    ("location = 'bogus'", f"location: {wording.LOCATION_WITHOUT_TYPE}"),
    ("location = 'gopher://h/x'", f"location: {wording.UNKNOWN_SCHEME('gopher://')}"),
    ("location = 'sftp:///x'", f"location: {wording.LOCATION_WITHOUT_HOST}"),
    ("location = 'sftp://h/{nope}'", f"location: {wording.UNKNOWN_PLACEHOLDER('{{nope}}')}"),
    ("location = 'sftp://u:S3cr!@h/x'", f"location: {wording.LOGIN_IN_LOCATION}"),
    ("location-type = 'a b'", f"location-type: {wording.INVALID_LOCATION_TYPE('a b')}"),
    (
        "location-type = 'NFS'",
        f"location and defaults.location-type: {wording.LOCATION_OF_ANOTHER_TYPE('NFS', 'sftp://')}",
    ),
    ("location-user = '-x'", f"location-user: {wording.STARTS_WITH_DASH('the location user')}"),
    ("parts = ['a b']", f"parts: {wording.INVALID_PART('a b')}"),
    ('comment = "a\\nb"', f"comment: {wording.CONTROL_CHARACTER_IN_COMMENT}"),
    ("fast-backup = 'yes'", f"fast-backup {wording.NOT_A_BOOLEAN}"),
    ("require-encryption = 1", f"require-encryption {wording.NOT_A_BOOLEAN}"),
    ("require-encryption = true", f"require-encryption: {wording.NO_BACKUP_PASSWORD}"),
    (
        "require-encryption = true\nif-running = 'attach'",
        f"require-encryption and defaults.if-running: {wording.ENCRYPTION_OF_RUNNING_BACKUP_UNKNOWN}",
    ),
    ("journal = 1", f"journal {wording.NOT_A_BOOLEAN}"),
    ("state-dir = 1", f"state-dir {wording.NOT_A_STRING}"),
    ("location-fingerprint = 'x'", f"location-fingerprint: {wording.INVALID_FINGERPRINT}"),
    ("location-ca-file = 1", f"location-ca-file {wording.NOT_A_STRING}"),
    ("path-for = ['nfs://nas/export']", f"path-for: {wording.INVALID_MOUNT_POINT('nfs://nas/export')}"),
    *(
        (f"keep-{period} = -1", f"keep-{period}: {wording.INVALID_NUMBER_OF_ARCHIVES('-1')}")
        for period in ("last", "daily", "weekly", "monthly")
    ),
    ("keep-within = '1w'", f"keep-within: {wording.INVALID_DURATION('1w')}"),
    ("preflight = 'no'", f"preflight {wording.NOT_A_BOOLEAN}"),
    ("timeout = 'soon'", f"timeout: {wording.INVALID_DURATION('soon')}"),
    ("timeout = '4000d'", f"timeout: {wording.DURATION_TOO_LONG('4000d')}"),
    ("stall-timeout = 0", f"stall-timeout: {wording.TIMEOUT_TOO_SHORT}"),
    ("interval = '0.01s'", f"interval: {wording.INTERVAL_TOO_SHORT}"),
    ("if-running = 'shrug'", f"if-running: {wording.INVALID_CHOICE('shrug')}"),
    ("verify = 'unchanged'", f"verify: {wording.INVALID_CHOICE('unchanged')}"),
    ("cancel-on-interrupt = 'x'", f"cancel-on-interrupt {wording.NOT_A_BOOLEAN}"),
    ("read-only = 'x'", f"read-only {wording.NOT_A_BOOLEAN}"),
    ("backup-password-file = 'short'", f"backup-password-file: {wording.PASSWORD_BREAKS_RULES}"),
]
"""Lines of ``[defaults]``, and the message of ``create`` after ``FILE: defaults.``."""

SERVER = [
    ("host = 'a b'", f"host: {wording.BLANK_IN_SERVER}"),
    ("host = '1.2.3.999'", f"host: {wording.INVALID_HOST_NAME('https://1.2.3.999')}"),
    (
        f"host = 'http://127.0.0.1:8080'\nfingerprint = '{PIN}'",
        f"fingerprint: {wording.NO_TLS('http://127.0.0.1:8080')}",
    ),
    ("host = 'vc01'\nfingerprint = 'ab:cd'", f"fingerprint: {wording.INVALID_FINGERPRINT}"),
    ("host = 'vc01'\nca-file = 'none.pem'", "ca-file: {folder}/none.pem: No such file or directory"),
    ("host = 'vc01'\nsystem = 'a/b'", f"system: {wording.INVALID_SYSTEM('a/b')}"),
    (
        "host = 'vc01'\nlocation = 'sftp://h/x'\nlocation-type = 'NFS'",
        f"location and servers.vc01.location-type: {wording.LOCATION_OF_ANOTHER_TYPE('NFS', 'sftp://')}",
    ),
]
"""Lines of ``[servers.vc01]``, likewise."""

PLACES = [
    ("'none'", f"file: {{folder}}/none {wording.UNREADABLE}: No such file"),
    ("'open'", f"file: {{folder}}/open {wording.READABLE_BY_OTHERS}"),
    ("['no-such-program']", "command: 'no-such-program' "),
    ("'NOPE'", f"env: {wording.VARIABLE_NOT_SET('NOPE')}"),
    ("'nope'", f"credential: {wording.NO_CREDENTIAL('nope')}"),
    ("'nope'", f"keyring: {wording.NO_KEYRING_ENTRY('nope')}"),
]
"""Values of keys for the source of a secret, and the message of ``create`` after ``SECRET-``."""


class InvalidConfiguration:
    """Commands with a configuration file that must fail before anything is sent."""

    def __init__(self, folder: Path, defaults: str, server: str = "") -> None:
        self.path = folder / "config.toml"
        self.folder = folder
        has_location = any(line.startswith("location =") for line in defaults.splitlines())
        table = f"\n[servers.vc01]\n{server}\n" if server else ""
        text = f"[defaults]\n{'' if has_location else LOCATION}\n{defaults}\n{table}"
        for name, content, mode in (("config.toml", text, 0o600), ("short", SHORT, 0o600), ("open", SHORT, 0o644)):
            (folder / name).write_text(content)
            (folder / name).chmod(mode)

    def __call__(self, *words: str, command: str = "create", **environ: str) -> Run:
        environ = {**TO_APPLIANCE, "BACKUPCTL_CONFIG": str(self.path), **environ}
        line = CommandLine(environ={name: value for name, value in environ.items() if value})
        run = line(*command.split(), *words)
        assert not line.appliance.requests
        assert SHORT not in run.out + run.err
        return run

    def expected(self, table: str, rest: str) -> str:
        return f"error: {self.path}: {table}.{rest.format(folder=self.folder)}"


@pytest.mark.parametrize(("lines", "rest"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_invalid_default_is_3_with_file_and_key(tmp_path: Path, lines: str, rest: str) -> None:
    invalid = InvalidConfiguration(tmp_path, lines)
    run = invalid()
    assert run.code == 3
    assert run.err.startswith(invalid.expected("defaults", rest))


@pytest.mark.parametrize(("lines", "rest"), SERVER, ids=[row[0] for row in SERVER])
def test_invalid_setting_of_a_server_is_3_with_file_and_key(tmp_path: Path, lines: str, rest: str) -> None:
    invalid = InvalidConfiguration(tmp_path, "", lines)
    run = invalid(BACKUPCTL_SERVER="vc01")
    assert run.code == 3
    assert run.err.startswith(invalid.expected("servers.vc01", rest))


@pytest.mark.parametrize(("value", "rest"), PLACES, ids=[row[1].partition(":")[0] for row in PLACES])
def test_unavailable_secret_is_3_with_file_and_key(tmp_path: Path, value: str, rest: str) -> None:
    invalid = InvalidConfiguration(tmp_path, f"password-{rest.partition(':')[0]} = {value}")
    run = invalid(BACKUPCTL_PASSWORD="")
    assert run.code == 3
    assert run.err.startswith(invalid.expected("defaults", f"password-{rest}"))


CONFLICTS = [
    (
        "-s vc01 --insecure",
        {},
        2,
        f"--insecure and {{path}}: servers.vc01.fingerprint: {wording.UNCHECKED_CERTIFICATE}",
    ),
    (
        "-s vc01 --location nfs://h/x",
        {},
        2,
        f"--location and {{path}}: servers.vc01.location-type: {wording.LOCATION_OF_ANOTHER_TYPE('SFTP', 'nfs://')}",
    ),
    ("-s vc01", {"BACKUPCTL_LOCATION": "nfs://h/x"}, 3, "BACKUPCTL_LOCATION and {path}: servers.vc01.location-type: "),
    ("--location h/x", {}, 2, f"--location: {wording.LOCATION_WITHOUT_TYPE}"),
    ("", {"BACKUPCTL_LOCATION": "h/x"}, 2, f"BACKUPCTL_LOCATION: {wording.LOCATION_WITHOUT_TYPE}"),
    ("--ca-file /none", {}, 3, "--ca-file: /none: No such file"),
    ("", {"BACKUPCTL_CA_FILE": "/none"}, 3, "BACKUPCTL_CA_FILE: /none: No such file"),
    ("--location sftp://h/" + "x" * 4096, {}, 2, f"--location: {wording.LOCATION_TOO_LONG(4105)}"),
    ("-s xn--zz-999", {}, 2, f"--server: {wording.INVALID_HOST_NAME('https://xn--zz-999')}"),
    ("-s 1.2.3.999", {}, 2, f"--server: {wording.INVALID_HOST_NAME('https://1.2.3.999')}"),
    ("", {"BACKUPCTL_SERVER": "1.2.3.999"}, 2, f"BACKUPCTL_SERVER: {wording.INVALID_HOST_NAME('https://1.2.3.999')}"),
    ("--proxy 1.2.3.999", {}, 2, f"--proxy: {wording.INVALID_PROXY_HOST}"),
    ("", {"HTTPS_PROXY": "1.2.3.999"}, 2, f"HTTPS_PROXY: {wording.INVALID_PROXY_HOST}"),
    ("-s [::]", {}, 3, f"{{path}}: defaults.location: {wording.SERVER_NAME_UNFIT_FOR_LOCATION}"),
    ("-g nope", {}, 3, f"--group: {wording.NO_SUCH_GROUP('nope')} in {{path}}"),
    ("", {"BACKUPCTL_GROUP": "nope"}, 3, f"BACKUPCTL_GROUP: {wording.NO_SUCH_GROUP('nope')} in {{path}}"),
    ("--require-encryption", {}, 2, f"--require-encryption: {wording.NO_BACKUP_PASSWORD}"),
    ("", {"BACKUPCTL_REQUIRE_ENCRYPTION": "1"}, 2, f"BACKUPCTL_REQUIRE_ENCRYPTION: {wording.NO_BACKUP_PASSWORD}"),
    ("", {"BACKUPCTL_BACKUP_PASSWORD": SHORT}, 2, f"BACKUPCTL_BACKUP_PASSWORD: {wording.PASSWORD_BREAKS_RULES}"),
    ("--backup-password-file {folder}/short", {}, 2, f"--backup-password-file: {wording.PASSWORD_BREAKS_RULES}"),
    ("-s vc02", {}, 3, f"{{path}}: servers.vc02.read-only: {wording.READ_ONLY('vc02')}"),
]
"""Options and variables that conflict with a valid configuration file."""


@pytest.mark.parametrize(("words", "environ", "code", "expected"), CONFLICTS, ids=[str(row[3]) for row in CONFLICTS])
def test_conflict_of_option_or_variable_with_the_file_names_both(
    tmp_path: Path, words: str, environ: dict[str, str], code: int, expected: str
) -> None:
    server = f"host = 'vc01'\nfingerprint = '{PIN}'\nlocation-type = 'SFTP'\n"
    invalid = InvalidConfiguration(tmp_path, "", f"{server}[servers.vc02]\nhost = 'vc02'\nread-only = true")
    run = invalid(*words.format(folder=tmp_path).split(), **environ)
    assert run.code == code
    assert run.err.startswith(f"error: {expected.format(path=invalid.path)}")


def test_every_option_of_the_file_has_an_invalid_value_in_the_tables() -> None:
    refused = {line.partition(" =")[0] for lines, _ in (*DEFAULTS, *SERVER) for line in lines.splitlines()}
    assert {option.file_key for option in OPTIONS if option.file_key} - refused == set()
    assert [rest.partition(":")[0] for _, rest in PLACES[1:]] == list(SECRET_PLACES)


@pytest.mark.parametrize("command", ["list", "trust show"])
def test_invalid_setting_of_one_server_is_the_result_of_that_appliance(tmp_path: Path, command: str) -> None:
    servers = (
        f"host = '127.0.0.1'\nca-file = 'none.pem'\n[servers.vc02]\nhost = 'http://127.0.0.1:1'\nfingerprint = '{PIN}'"
    )
    run = InvalidConfiguration(tmp_path, "", servers)("--all", "-o", "json", command=command, BACKUPCTL_SERVER="")
    errors = [result["error"]["message"] for result in run.json["results"]]
    assert (run.code, run.json["error"]["server"]) == (3, "vc01")
    assert errors[0].startswith(f"{tmp_path}/config.toml: servers.vc01.ca-file: {tmp_path}/none.pem: No such file")
    assert errors[1].startswith(f"{tmp_path}/config.toml: servers.vc02.")
    assert wording.NO_TLS("http://127.0.0.1:1") in errors[1]
