"""What the program says of its own configuration."""

from typing import Final

import msgspec

from backupctl.results.result import Result

DEFAULTS: Final = "[defaults]"
"""What stands in place of a server where the configuration file as a whole is meant; no appliance can be called so."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting: its ``value``, the kind of ``source`` that it came from, and what that is called there.

    Of a secret, ``place`` says where it is, and nothing tells its value.
    """

    name: str
    value: object = None
    place: str | None = None
    source: str
    source_name: str | None = None


class SettingsResult(Result, frozen=True, kw_only=True):
    """The result of config show: the configuration ``file``, and the settings of an appliance or of all others."""

    file: str | None = None
    groups: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()


class FileResult(Result, frozen=True, kw_only=True):
    """The result of config init and config set-secret: the file that was written.

    ``secret`` is the name of the secret that was stored, ``entry`` what it is called in the keyring, ``replaced`` the
    key that named another place for it.
    """

    file: str | None = None
    secret: str | None = None
    entry: str | None = None
    replaced: str | None = None
