"""The results of the config commands."""

from typing import Final

import msgspec

from backupctl.results.result import Result

DEFAULTS: Final = "[defaults]"
"""The ``server`` of a result about the whole configuration file; no appliance can have this name."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting: its ``value``, the kind of ``source`` it came from, and its name there (``source_name``).

    A secret has no value; ``place`` says where it is stored.
    """

    name: str
    value: object = None
    place: str | None = None
    source: str
    source_name: str | None = None


class SettingsResult(Result, frozen=True, kw_only=True):
    """The result of ``config show``: the configuration ``file``, and the settings of one appliance or the defaults."""

    file: str | None = None
    groups: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()


class FileResult(Result, frozen=True, kw_only=True):
    """The result of ``config init`` and ``config set-secret``: the file that was written.

    ``secret`` is the name of the stored secret, ``entry`` its name in the keyring, ``replaced`` the removed key that
    pointed to another place for it.
    """

    file: str | None = None
    secret: str | None = None
    entry: str | None = None
    replaced: str | None = None
