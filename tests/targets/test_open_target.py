"""Which adapter reads a location, and what it needs."""

import sys

import pytest

from backupctl.errors import ConfigError, UsageError
from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from tests.support.clock import FakeClock


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "backupctl.targets.smb", raising=False)
    for name in [each for each in sys.modules if each.startswith("smbprotocol")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "smbprotocol", None)
    access = TargetAccess(Location.parse("smb://backup.example.com/store").of_type(None), "backup", Secret("secret"))
    with pytest.raises(ConfigError) as caught:
        open_target(access, clock)
    assert "smbprotocol" in caught.value.message
    assert "pip install 'backupctl[targets]'" in str(caught.value.hint)


def test_nfs_is_read_where_it_is_mounted(clock: FakeClock) -> None:
    with pytest.raises(UsageError) as caught:
        open_target(TargetAccess(Location.parse("nfs://backup.example.com/store").of_type(None)), clock)
    assert "--path-for" in str(caught.value.hint)
