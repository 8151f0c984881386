"""Every mistake in a setting, wherever it is noticed: the sentence begins with what is to be changed."""

from pathlib import Path

import pytest

from backupctl.config.option import SECRET_PLACES
from backupctl.config.option_table import OPTIONS
from tests.support.command_line import TO_APPLIANCE, CommandLine, Run

LOCATION = "location = 'sftp://h/{server}'"
PIN = f"sha256:{'a1' * 32}"
SHORT = "S3cr!"

DEFAULTS = [
    ("username = 'a:b'", "username: a user name cannot hold a colon"),
    ("auth = 'magic'", "auth: 'magic' is none of its values"),
    ("api = 'soap'", "api: 'soap' is none of its values"),
    ("ca-file = 'none.pem'", "ca-file: {folder}/none.pem: No such file or directory"),
    ("ca-file = 'short'", "ca-file: {folder}/short: not a file with PEM certificates"),
    ("proxy = 'ftp://p'", "proxy: the proxy is neither an http:// nor an https:// one"),
    ("proxy = 'http://1.2.3.999:3128'", "proxy: the proxy has a host name that cannot be one"),
    ("parallel = 'many'", "parallel: 'many' is no number of backups"),
    ("location = 'bogus'", "location: the location does not say its type"),
    ("location = 'gopher://h/x'", "location: the location has the unknown scheme gopher://"),
    ("location = 'sftp:///x'", "location: the location names no host"),
    ("location = 'sftp://h/{nope}'", "location: the location has an unknown placeholder {{nope}}"),
    ("location = 'sftp://u:S3cr!@h/x'", "location: the location holds a user name or password"),
    ("location-type = 'a b'", "location-type: 'a b' is no location type"),
    ("location-type = 'NFS'", "location and defaults.location-type: the location type is NFS, but"),
    ("location-user = '-x'", "location-user: the location user must not start with '-'"),
    ("parts = ['a b']", "parts: 'a b' is no name of a part"),
    ('comment = "a\\nb"', "comment: the comment holds a control character"),
    ("fast-backup = 'yes'", "fast-backup is neither true nor false"),
    ("require-encryption = 1", "require-encryption is neither true nor false"),
    ("require-encryption = true", "require-encryption: there is no backup password"),
    (
        "require-encryption = true\nif-running = 'attach'",
        "require-encryption and defaults.if-running: nobody can tell whether a running backup",
    ),
    ("preflight = 'no'", "preflight is neither true nor false"),
    ("timeout = 'soon'", "timeout: 'soon' is no duration"),
    ("timeout = '4000d'", "timeout: '4000d' is longer than ten years"),
    ("stall-timeout = 0", "stall-timeout: without any time to stall"),
    ("interval = '0.01s'", "interval: an interval below 0.1 s"),
    ("if-running = 'shrug'", "if-running: 'shrug' is none of its values"),
    ("cancel-on-interrupt = 'x'", "cancel-on-interrupt is neither true nor false"),
    ("read-only = 'x'", "read-only is neither true nor false"),
    ("backup-password-file = 'short'", "backup-password-file: the backup password breaks the rules"),
]
"""Lines of ``[defaults]``, and what ``create`` says of them after ``FILE: defaults.``."""

SERVER = [
    ("host = 'a b'", "host: the server has a blank in it"),
    ("host = '1.2.3.999'", "host: 'https://1.2.3.999' is no host name"),
    (f"host = 'http://127.0.0.1:8080'\nfingerprint = '{PIN}'", "fingerprint: http://127.0.0.1:8080 has no TLS"),
    ("host = 'vc01'\nfingerprint = 'ab:cd'", "fingerprint: the fingerprint is not 64 hexadecimal digits"),
    ("host = 'vc01'\nca-file = 'none.pem'", "ca-file: {folder}/none.pem: No such file or directory"),
    (
        "host = 'vc01'\nlocation = 'sftp://h/x'\nlocation-type = 'NFS'",
        "location and servers.vc01.location-type: the location type is NFS, but the location starts with sftp://",
    ),
]
"""Lines of ``[servers.vc01]``, likewise."""

PLACES = [
    ("'none'", "file: {folder}/none cannot be read: No such file"),
    ("'open'", "file: {folder}/open can be read by others"),
    ("['no-such-program']", "command: 'no-such-program' "),
    ("'NOPE'", "env: the variable NOPE is not set"),
    ("'nope'", "credential: systemd passed no credential 'nope'"),
    ("'nope'", "keyring: the keyring of this user has no entry 'nope'"),
]
"""What may stand behind the name of a secret and a hyphen, and what ``create`` says of it."""


class Mistaken:
    """Runs commands with a configuration file, which must fail before anything is sent."""

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

    def sentence(self, table: str, rest: str) -> str:
        return f"error: {self.path}: {table}.{rest.format(folder=self.folder)}"


@pytest.mark.parametrize(("lines", "rest"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_mistake_in_the_defaults_is_3_and_names_file_and_key(tmp_path: Path, lines: str, rest: str) -> None:
    mistaken = Mistaken(tmp_path, lines)
    run = mistaken()
    assert run.code == 3
    assert run.err.startswith(mistaken.sentence("defaults", rest))


@pytest.mark.parametrize(("lines", "rest"), SERVER, ids=[row[0] for row in SERVER])
def test_mistake_in_the_table_of_a_server_is_3_and_names_file_and_key(tmp_path: Path, lines: str, rest: str) -> None:
    mistaken = Mistaken(tmp_path, "", lines)
    run = mistaken(BACKUPCTL_SERVER="vc01")
    assert run.code == 3
    assert run.err.startswith(mistaken.sentence("servers.vc01", rest))


@pytest.mark.parametrize(("value", "rest"), PLACES, ids=[row[1].partition(":")[0] for row in PLACES])
def test_secret_that_cannot_be_had_is_3_and_names_file_and_key(tmp_path: Path, value: str, rest: str) -> None:
    mistaken = Mistaken(tmp_path, f"password-{rest.partition(':')[0]} = {value}")
    run = mistaken(BACKUPCTL_PASSWORD="")
    assert run.code == 3
    assert run.err.startswith(mistaken.sentence("defaults", f"password-{rest}"))


CONFLICTS = [
    ("-s vc01 --insecure", {}, 2, "--insecure and {path}: servers.vc01.fingerprint: a certificate that is not checked"),
    ("-s vc01 --location nfs://h/x", {}, 2, "--location and {path}: servers.vc01.location-type: the location type is"),
    ("-s vc01", {"BACKUPCTL_LOCATION": "nfs://h/x"}, 3, "BACKUPCTL_LOCATION and {path}: servers.vc01.location-type: "),
    ("--location h/x", {}, 2, "--location: the location does not say its type"),
    ("", {"BACKUPCTL_LOCATION": "h/x"}, 2, "BACKUPCTL_LOCATION: the location does not say its type"),
    ("--ca-file /none", {}, 3, "--ca-file: /none: No such file"),
    ("", {"BACKUPCTL_CA_FILE": "/none"}, 3, "BACKUPCTL_CA_FILE: /none: No such file"),
    ("--location sftp://h/" + "x" * 4096, {}, 2, "--location: the location has 4105 characters"),
    ("-s xn--zz-999", {}, 2, "--server: 'https://xn--zz-999' is no host name"),
    ("-s 1.2.3.999", {}, 2, "--server: 'https://1.2.3.999' is no host name"),
    ("", {"BACKUPCTL_SERVER": "1.2.3.999"}, 2, "BACKUPCTL_SERVER: 'https://1.2.3.999' is no host name"),
    ("--proxy 1.2.3.999", {}, 2, "--proxy: the proxy has a host name that cannot be one"),
    ("", {"HTTPS_PROXY": "1.2.3.999"}, 2, "HTTPS_PROXY: the proxy has a host name that cannot be one"),
    ("-s [::]", {}, 3, "{path}: defaults.location: the name of the server cannot stand in a location"),
    ("-g nope", {}, 3, "--group: there is no group 'nope' in {path}"),
    ("", {"BACKUPCTL_GROUP": "nope"}, 3, "BACKUPCTL_GROUP: there is no group 'nope' in {path}"),
    ("--require-encryption", {}, 2, "--require-encryption: there is no backup password"),
    ("", {"BACKUPCTL_REQUIRE_ENCRYPTION": "1"}, 2, "BACKUPCTL_REQUIRE_ENCRYPTION: there is no backup password"),
    ("", {"BACKUPCTL_BACKUP_PASSWORD": SHORT}, 2, "BACKUPCTL_BACKUP_PASSWORD: the backup password breaks the rules"),
    ("--backup-password-file {folder}/short", {}, 2, "--backup-password-file: the backup password breaks the rules"),
    ("-s vc02", {}, 3, "{path}: servers.vc02.read-only: vc02 is read-only: nothing that"),
]
"""What stands on the command line and in the environment, beside a file in which all is well."""


@pytest.mark.parametrize(("words", "environ", "code", "sentence"), CONFLICTS, ids=[str(row[3]) for row in CONFLICTS])
def test_mistake_beside_the_file_names_all_that_it_is_about(
    tmp_path: Path, words: str, environ: dict[str, str], code: int, sentence: str
) -> None:
    server = f"host = 'vc01'\nfingerprint = '{PIN}'\nlocation-type = 'SFTP'\n"
    mistaken = Mistaken(tmp_path, "", f"{server}[servers.vc02]\nhost = 'vc02'\nread-only = true")
    run = mistaken(*words.format(folder=tmp_path).split(), **environ)
    assert run.code == code
    assert run.err.startswith(f"error: {sentence.format(path=mistaken.path)}")


def test_every_option_of_the_file_has_a_value_that_is_refused() -> None:
    refused = {line.partition(" =")[0] for lines, _ in (*DEFAULTS, *SERVER) for line in lines.splitlines()}
    assert {option.file_key for option in OPTIONS if option.file_key} - refused == set()
    assert [rest.partition(":")[0] for _, rest in PLACES[1:]] == list(SECRET_PLACES)


@pytest.mark.parametrize("command", ["list", "trust show"])
def test_mistake_in_one_table_of_several_is_the_result_of_that_appliance(tmp_path: Path, command: str) -> None:
    servers = (
        f"host = '127.0.0.1'\nca-file = 'none.pem'\n[servers.vc02]\nhost = 'http://127.0.0.1:1'\nfingerprint = '{PIN}'"
    )
    run = Mistaken(tmp_path, "", servers)("--all", "-o", "json", command=command, BACKUPCTL_SERVER="")
    errors = [result["error"]["message"] for result in run.json["results"]]
    assert (run.code, run.json["error"]) == (3, None)
    assert errors[0].startswith(f"{tmp_path}/config.toml: servers.vc01.ca-file: {tmp_path}/none.pem: No such file")
    assert errors[1].startswith(f"{tmp_path}/config.toml: servers.vc02.")
    assert "http://127.0.0.1:1 has no TLS, and so no certificate" in errors[1]
