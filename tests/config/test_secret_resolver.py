import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backupctl.clock import Clock
from backupctl.config.option import SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, LOCATION_PASSWORD, PASSWORD, SECRETS
from backupctl.config.secret_resolver import SecretOptions, SecretResolver
from backupctl.config.value import Value
from backupctl.errors import BackupctlError, ConfigError, UsageError
from backupctl.secrets.from_file import StandardInput
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import MinuteClock

NOTHING = SecretOptions()


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def stdin(content: bytes = b"") -> StandardInput:
    return StandardInput(io.BytesIO(content))


def secret_file(directory: Path, content: bytes, mode: int = 0o600) -> Path:
    path = directory / "location.pass"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def find_secret(
    name: SecretName, given: SecretOptions, environ: dict[str, str], stdin: StandardInput, clock: Clock | None = None
) -> Value[Secret] | None:
    return SecretResolver(environ, stdin, clock).find(name, given)


def found(given: SecretOptions = NOTHING, environ: dict[str, str] | None = None) -> tuple[str, str] | None:
    value = find_secret(PASSWORD, given, environ or {}, stdin())
    return None if value is None else (value.value.reveal(), str(value.source))


@contextmanager
def refused(kind: type[BackupctlError], *words: str) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    error = caught.value
    shown = f"{error.message} {error.hint} {error.details}"
    assert "S3cret" not in f"{shown} {error!r} {error.__cause__!r} {error.__context__!r}"
    for word in words:
        assert word in shown


def test_secret_names_give_options_and_variables() -> None:
    assert [secret.file_option for secret in SECRETS] == [
        "--password-file",
        "--location-password-file",
        "--backup-password-file",
        "--sso-password-file",
    ]
    assert BACKUP_PASSWORD.command_option == "--backup-password-command"
    assert LOCATION_PASSWORD.environment_names == (
        "BACKUPCTL_LOCATION_PASSWORD",
        "BACKUPCTL_LOCATION_PASSWORD_FILE",
        "BACKUPCTL_LOCATION_PASSWORD_COMMAND",
    )


def test_secret_without_a_source_is_none() -> None:
    assert found() is None
    assert found(environ={"BACKUPCTL_PASSWORD_FILE": "", "CREDENTIALS_DIRECTORY": ""}) is None


def test_secret_in_an_empty_variable_is_an_error() -> None:
    with pytest.raises(ConfigError, match=wording.VARIABLE_EMPTY("BACKUPCTL_PASSWORD")):
        found(environ={"BACKUPCTL_PASSWORD": ""})


def test_precedence_is_option_then_environment_then_credential(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"from systemd\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert found(environ=environ) == ("from systemd", "systemd credential password")
    environ["BACKUPCTL_PASSWORD"] = " from environment "
    assert found(environ=environ) == (" from environment ", "environment BACKUPCTL_PASSWORD")
    given = SecretOptions(file=str(secret_file(tmp_path, b"from file")))
    assert found(given, environ) == ("from file", "flag --password-file")


def test_environment_may_name_a_file(tmp_path: Path) -> None:
    path = str(secret_file(tmp_path, b"from file"))
    assert found(environ={"BACKUPCTL_PASSWORD_FILE": path}) == ("from file", "environment BACKUPCTL_PASSWORD_FILE")


def test_environment_may_name_a_command() -> None:
    expected = ("from command", "environment BACKUPCTL_PASSWORD_COMMAND")
    assert found(environ={"BACKUPCTL_PASSWORD_COMMAND": "/bin/echo 'from command'"}) == expected


def test_two_options_for_one_secret_are_refused() -> None:
    with refused(UsageError, "--password-file", "--password-command"):
        found(SecretOptions(file="x", command="S3cret"))


def test_two_variables_for_one_secret_are_refused_unless_an_option_wins(tmp_path: Path) -> None:
    environ = {"BACKUPCTL_PASSWORD": "S3cret", "BACKUPCTL_PASSWORD_FILE": "x"}
    with refused(ConfigError, "BACKUPCTL_PASSWORD and BACKUPCTL_PASSWORD_FILE"):
        found(environ=environ)
    assert found(SecretOptions(file=str(secret_file(tmp_path, b"x"))), environ) == ("x", "flag --password-file")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"pw", "pw"), (b"pw\n", "pw"), (b"pw\r\n", "pw"), (b" pw \n", " pw "), ("pä\tß\n".encode(), "pä\tß")],
)
def test_file_gives_its_line_without_the_newline(tmp_path: Path, content: bytes, expected: str) -> None:
    assert found(SecretOptions(file=str(secret_file(tmp_path, content)))) == (expected, "flag --password-file")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        *[(b"", "empty"), (b"\n", "empty"), (b"\r\n", "empty"), (b"S3cret\n\n", wording.SEVERAL_LINES)],
        *[
            (b"S3cret\nS3cret", wording.SEVERAL_LINES),
            (b"S3cret\rx", wording.SEVERAL_LINES),
            (b"S3cret\r", wording.SEVERAL_LINES),
        ],
        *[(b"S3cret\0", "NUL"), (b"S3cret\xff", "UTF-8"), (b"\xef\xbb\xbfS3cret", wording.BYTE_ORDER_MARK)],
        *[(b"S3cret" * 20000, "64 KiB"), ("S3cret".encode("utf-16"), "UTF-8")],
    ],
)
def test_file_that_is_not_one_line_of_text_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    path = secret_file(tmp_path, content)
    with refused(ConfigError, "--password-file", str(path), word):
        found(SecretOptions(file=str(path)))


def test_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with refused(ConfigError, f"--password-file: {tmp_path}/none {wording.UNREADABLE}: No such file"):
        found(SecretOptions(file=f"{tmp_path}/none"))


def test_file_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    with refused(ConfigError, "--password-file", "is a directory"):
        found(SecretOptions(file=str(tmp_path)))


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_file_with_an_impossible_name_is_refused(name: str) -> None:
    with refused(ConfigError, wording.UNREADABLE):
        found(SecretOptions(file=name))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_file_with_a_loose_mode_is_rejected_with_the_chmod_command(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "my secrets"
    directory.mkdir()
    path = secret_file(directory, b"S3cret", mode)
    with refused(ConfigError, "--password-file", f"chmod 600 '{path}'", f"{mode:04o}"):
        found(SecretOptions(file=str(path)))


@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_file_replaceable_by_others_is_rejected_with_the_chmod_command(tmp_path: Path, mode: int) -> None:
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    path = secret_file(outer / "inner", b"S3cret")
    link = tmp_path / "link"
    link.symlink_to(path)
    outer.chmod(mode)
    for name in (path, link):
        with refused(ConfigError, "--password-file", f"chmod o-w {outer}", f"{mode:04o}"):
            found(SecretOptions(file=str(name)))


def test_link_in_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    link = tmp_path / "theirs" / "link"
    link.symlink_to(secret_file(tmp_path, b"S3cret"))
    link.parent.chmod(0o777)
    with refused(ConfigError, wording.REPLACEABLE_BY_OTHERS):
        found(SecretOptions(file=str(link)))


def test_file_in_a_sticky_or_group_directory_is_read_through_links(tmp_path: Path) -> None:
    path = secret_file(tmp_path, b"pw")
    (tmp_path / "link").symlink_to(path.name)
    for mode in (0o1777, 0o775):
        tmp_path.chmod(mode)
        assert found(SecretOptions(file=str(tmp_path / "link"))) == ("pw", "flag --password-file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_rejected_even_for_root(tmp_path: Path) -> None:
    path = secret_file(tmp_path, b"S3cret")
    os.chown(path, 65534, -1)
    with refused(ConfigError, wording.OTHER_OWNER(65534), f"chown 0 {path}"):
        found(SecretOptions(file=str(path)))


def test_credential_of_systemd_may_have_any_mode(tmp_path: Path) -> None:
    secret_file(tmp_path, b"").rename(tmp_path / "unused")
    path = tmp_path / "backup-password"
    path.write_bytes(b"pw\n")
    path.chmod(0o444)
    value = find_secret(BACKUP_PASSWORD, NOTHING, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, stdin())
    assert value is not None
    assert value.value.reveal() == "pw"


def test_missing_credential_is_none_and_an_invalid_one_is_rejected(tmp_path: Path) -> None:
    assert found(environ={"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}) is None
    (tmp_path / "password").mkdir()
    with refused(ConfigError, "systemd credential password", "directory"):
        found(environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_open_descriptor_is_read_whatever_its_mode(tmp_path: Path) -> None:
    with secret_file(tmp_path, b"pw\n", 0o644).open("rb") as file:
        assert found(SecretOptions(file=f"/dev/fd/{file.fileno()}")) == ("pw", "flag --password-file")


def test_pipe_of_a_process_substitution_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"pw\n")
    os.close(writing)
    try:
        assert found(SecretOptions(file=f"/dev/fd/{reading}")) == ("pw", "flag --password-file")
    finally:
        os.close(reading)


def test_fifo_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path, 0o666)
    with refused(ConfigError, "--password-file", "in time"):
        find_secret(PASSWORD, SecretOptions(file=str(path)), {}, stdin(), MinuteClock())


def test_fifo_that_never_ends_is_bounded() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        os.write(writing, b"S3cret" * 20000)
        with refused(ConfigError, "in time"):
            find_secret(PASSWORD, SecretOptions(file=f"/dev/fd/{reading}"), {}, stdin(), MinuteClock())
    finally:
        os.close(reading)
        os.close(writing)


def test_device_without_end_is_bounded() -> None:
    with refused(ConfigError, "64 KiB"):
        found(SecretOptions(file="/dev/zero"))


def test_terminal_as_a_file_is_refused() -> None:
    controller, terminal = os.openpty()
    try:
        with refused(UsageError, wording.IS_A_TERMINAL):
            found(SecretOptions(file=os.ttyname(terminal)))
    finally:
        os.close(controller)
        os.close(terminal)


def test_stdin_gives_one_secret() -> None:
    value = find_secret(PASSWORD, SecretOptions(file="-"), {}, stdin(b"pw\n"))
    assert value is not None
    assert value.value.reveal() == "pw"


def test_stdin_for_two_secrets_is_refused() -> None:
    shared = stdin(b"S3cret\n")
    find_secret(PASSWORD, SecretOptions(file="-"), {}, shared)
    with refused(UsageError, wording.CANNOT_BOTH_READ_STDIN("--password-file", "BACKUPCTL_LOCATION_PASSWORD_FILE")):
        find_secret(LOCATION_PASSWORD, NOTHING, {"BACKUPCTL_LOCATION_PASSWORD_FILE": "-"}, shared)


def test_stdin_without_a_secret_is_rejected() -> None:
    given = SecretOptions(file="-")
    with refused(ConfigError, "closed"):
        find_secret(PASSWORD, given, {}, StandardInput(None))
    with refused(UsageError, "terminal"):
        find_secret(PASSWORD, given, {}, StandardInput(Terminal(b"S3cret")))
    with refused(ConfigError, f"--password-file: {wording.STDIN_EMPTY}"):
        find_secret(PASSWORD, given, {}, stdin())
    with refused(ConfigError, "64 KiB"):
        find_secret(PASSWORD, given, {}, stdin(b"S3cret" * 20000))


@pytest.mark.parametrize("text", ["S3cret\n", "S3cret\udcff", "S3cret\0"])
def test_variable_that_is_not_one_line_of_text_is_refused(text: str) -> None:
    with refused(ConfigError, "BACKUPCTL_PASSWORD"):
        found(environ={"BACKUPCTL_PASSWORD": text})


def test_found_secret_does_not_show_itself() -> None:
    value = find_secret(PASSWORD, NOTHING, {"BACKUPCTL_PASSWORD": "S3cret"}, stdin())
    assert "S3cret" not in f"{value!r} {value}"
    assert "S3cret" not in repr(SecretOptions(command="echo S3cret"))


def test_secret_file_fixture_sets_the_mode(tmp_path: Path) -> None:
    assert stat.S_IMODE(secret_file(tmp_path, b"", 0o640).stat().st_mode) == 0o640
