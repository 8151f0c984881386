from collections.abc import Sequence
from pathlib import Path

import pytest

from backupctl.config import option_table as options
from backupctl.config.option import Option
from backupctl.config.resolve import resolve
from backupctl.config.value import DEFAULT
from backupctl.errors import ConfigError, UsageError
from tests import wording

EVERYTHING = {
    "BACKUPCTL_TIMEOUT": "5m",
    "BACKUPCTL_REQUIRE_ENCRYPTION": "yes",
    "BACKUPCTL_PART": "common, seat,common,",
    "BACKUPCTL_SERVER": "vc01,vc02:5480",
    "BACKUPCTL_INSECURE": "1",
    "BACKUPCTL_CA_FILE": "/etc/ca.pem",
    "NO_COLOR": "1",
}


@pytest.mark.parametrize(
    ("option", "given", "value", "source"),
    [
        (options.TIMEOUT, ("90",), 90.0, "flag --timeout"),
        (options.TIMEOUT, (), 300.0, "environment BACKUPCTL_TIMEOUT"),
        (options.STALL_TIMEOUT, (), 7200.0, "default"),
        (options.INTERVAL, (), None, "default"),
        (options.PART, ("seat", "seat"), ("seat",), "flag --part"),
        (options.PART, (), ("common", "seat"), "environment BACKUPCTL_PART"),
        (options.SERVER, ("vc9",), ("vc9",), "flag --server"),
        (options.SERVER, (), ("vc01", "vc02:5480"), "environment BACKUPCTL_SERVER"),
        (options.REQUIRE_ENCRYPTION, ("no",), False, "flag --require-encryption"),
        (options.REQUIRE_ENCRYPTION, (), True, "environment BACKUPCTL_REQUIRE_ENCRYPTION"),
        (options.FAST_BACKUP, (), None, "default"),
        (options.FAST_BACKUP, ("yes",), True, "flag --fast-backup"),
        (options.INSECURE, (), False, "default"),
        (options.INSECURE, ("yes",), True, "flag --insecure"),
        (options.VERBOSE, (), 0, "default"),
        (options.VERBOSE, ("2",), 2, "flag --verbose"),
        (options.COLOR, (), "never", "environment NO_COLOR"),
        (options.COLOR, ("Always",), "always", "flag --color"),
        (options.CA_FILE, (), Path("/etc/ca.pem"), "environment BACKUPCTL_CA_FILE"),
        (options.LOCATION_TYPE, ("sftp",), "SFTP", "flag --location-type"),
    ],
)
def test_first_source_with_a_value_wins(
    option: Option[object], given: Sequence[str], value: object, source: str
) -> None:
    found = resolve(option, given, EVERYTHING)
    assert (found.value, str(found.source)) == (value, source)


def test_empty_variable_counts_as_unset() -> None:
    assert resolve(options.USERNAME, (), {"BACKUPCTL_USERNAME": ""}).source == DEFAULT
    assert resolve(options.COLOR, (), {"NO_COLOR": ""}).value == "auto"


@pytest.mark.parametrize(
    ("text", "value"),
    [*[(t, True) for t in ("1", "true", "YES", "on")], *[(t, False) for t in ("0", "False", "no", "off")]],
)
def test_boolean_in_the_environment_accepts_the_usual_words(text: str, value: bool) -> None:
    assert resolve(options.FAST_BACKUP, (), {"BACKUPCTL_FAST_BACKUP": text}).value is value


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *[
            (options.REQUIRE_ENCRYPTION, "maybe"),
            (options.TIMEOUT, "soon"),
            (options.AUTH, "magic"),
            (options.PART, ","),
        ],
        *[(options.SERVER, "a b"), (options.USERNAME, " "), (options.INTERVAL, "0"), (options.COMMENT, "a\nb")],
        *[(options.LOCATION_USER, "-x"), (options.LOCATION, " "), (options.CA_FILE, "a\nb"), (options.USERNAME, "a:b")],
    ],
)
def test_bad_value_in_the_environment_is_a_config_error_that_names_the_variable(
    option: Option[object], text: str
) -> None:
    assert option.environment is not None
    with pytest.raises(ConfigError, match=f"^{option.environment}: "):
        resolve(option, (), {option.environment: text})


def test_bad_value_on_the_command_line_is_a_usage_error_that_names_the_option() -> None:
    with pytest.raises(UsageError, match=f"^--timeout: {wording.INVALID_DURATION('soon')}") as caught:
        resolve(options.TIMEOUT, ["soon"], {})
    assert caught.value.hint == wording.DURATION_EXAMPLES


def test_valid_flag_overrides_an_invalid_variable() -> None:
    assert resolve(options.TIMEOUT, ["0"], {"BACKUPCTL_TIMEOUT": "soon"}).value == 0


def test_home_directory_in_a_path_is_expanded() -> None:
    assert resolve(options.CA_FILE, ["~/ca.pem"], {}).value == Path("~/ca.pem").expanduser()
    with pytest.raises(UsageError, match="home directory"):
        resolve(options.CA_FILE, ["~nobody-of-this-name/ca.pem"], {})
