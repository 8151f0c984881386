import re

import pytest

from backupctl.config.environment import environment_names, unread_variable_warnings
from backupctl.config.option import Kind, Option
from backupctl.config.option_table import OPTIONS
from backupctl.config.process import process_environment
from backupctl.config.resolve import resolve
from tests import wording

NEVER_FROM_THE_ENVIRONMENT = {"simulate", "dry-run", "no-wait", "insecure"}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option.name))
def test_option_of_the_table_is_complete(option: Option[object]) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", option.name)
    assert option.help.endswith(".")
    assert option.environment in {None, "NO_COLOR", f"BACKUPCTL_{option.key.upper()}"}
    assert option.short is None or re.fullmatch("-[a-z]", option.short)
    assert (option.metavar is None) == (
        option.kind in {Kind.FLAG, Kind.SWITCH, Kind.COUNT} or (bool(option.choices) and not option.open_choices)
    )
    assert option.default is None or not option.choices or option.default in option.choices
    assert str(resolve(option, (), {}).source) == "default"


def test_table_has_every_name_once_and_keeps_its_groups_together() -> None:
    names = [option.name for option in OPTIONS]
    assert len(set(names)) == len(names)
    groups = [option.group for option in OPTIONS]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)


def test_options_that_weaken_security_are_flags_only() -> None:
    guarded = {option.name: option for option in OPTIONS if option.name in NEVER_FROM_THE_ENVIRONMENT}
    assert guarded.keys() == NEVER_FROM_THE_ENVIRONMENT
    assert all(option.environment is None and option.kind is Kind.FLAG for option in guarded.values())


def test_variables_that_are_read_give_no_warning() -> None:
    names = environment_names()
    assert "BACKUPCTL_SERVER" in names
    assert "BACKUPCTL_BACKUP_PASSWORD_COMMAND" in names
    assert unread_variable_warnings({**dict.fromkeys(names, "x"), "PATH": "/bin", "NO_COLOR": "1"}) == []


def test_variables_that_are_not_read_give_a_warning_without_their_value() -> None:
    environ = {
        "BACKUPCTL_BACKUP_PASWORD": "S3cret",
        "BACKUPCTL_INSECURE": "S3cret",
        "BACKUPCTL_NONSENSE": "S3cret",
        "backupctl_server": "S3cret",
    }
    ignored, no_such_setting = wording.IGNORED_VARIABLE, wording.NO_SUCH_SETTING
    assert unread_variable_warnings(environ) == [
        f"{ignored('BACKUPCTL_BACKUP_PASWORD')}{no_such_setting}; {wording.DID_YOU_MEAN('BACKUPCTL_BACKUP_PASSWORD')}",
        f"{ignored('BACKUPCTL_INSECURE')}{wording.NEVER_FROM_THE_ENVIRONMENT('--insecure')}",
        f"{ignored('BACKUPCTL_NONSENSE')}{no_such_setting}",
        f"{ignored('backupctl_server')}{no_such_setting}; {wording.DID_YOU_MEAN('BACKUPCTL_SERVER')}",
    ]


def test_process_environment_is_a_mapping_of_strings() -> None:
    assert "PATH" in process_environment()
