"""The content of the configuration file: defaults, servers and groups, with every key checked.

The file is TOML (https://toml.io/en/v1.0.0). Its keys are names of options, in ``[defaults]`` for all appliances and in
``[servers.NAME]`` for one. It contains no secrets, only their places.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from backupctl.config.config_keys import SERVER_ONLY, check_table, key_outside_tables_error, unknown_name_error
from backupctl.config.option_table import GROUP
from backupctl.config.server_address import ServerAddress, parse_server
from backupctl.config.value import DEFAULT, FILE, Source, Value, parse_from
from backupctl.errors import ConfigError

SERVER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
"""Valid names of servers and groups, which are used in folder names and on command lines."""


class Layer(msgspec.Struct, frozen=True):
    """One table of the file: its checked and parsed values by key, and its label in messages (``PATH: TABLE``)."""

    label: str
    values: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def source(self, key: str) -> Source:
        """Return the source of the value of ``key``."""
        return Source(FILE, f"{self.label}.{key}")


class Profile(msgspec.Struct, frozen=True):
    """One appliance of a run: its address, and its tables of the file in order of precedence.

    ``notify`` are the notify tables for it: its own, those of its groups, and the one for all.
    """

    address: ServerAddress
    layers: tuple[Layer, ...] = ()
    configured: bool = False
    notify: tuple[Layer, ...] = ()

    @property
    def name(self) -> str:
        """The name of the appliance in results and on command lines."""
        return self.address.name

    def layers_at_or_below(self, source: Source) -> tuple[Layer, ...]:
        """Return the layers from that of ``source`` on, none if it is not in the file."""
        label = source.name.rpartition(".")[0] if source.kind == FILE else None
        first = next((index for index, layer in enumerate(self.layers) if layer.label == label), len(self.layers))
        return self.layers[first:]

    @property
    def read_only(self) -> Value[bool]:
        """Whether changes to this appliance are refused, with the source of the setting."""
        key = "read-only"
        values = (Value(bool(layer.values[key]), layer.source(key)) for layer in self.layers if key in layer.values)
        return next(values, Value(False, DEFAULT))


class Configuration(msgspec.Struct, frozen=True):
    """The content of a file, empty without one; ``servers`` and ``groups`` are in the order of the file."""

    path: Path | None = None
    defaults: Layer = Layer("")
    servers: Mapping[str, Profile] = msgspec.field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    notify: tuple[Layer, ...] = ()

    @property
    def secret_variables(self) -> frozenset[str]:
        """The environment variables that hold secrets, and so are not passed on to other programs."""
        of_servers = (each for profile in self.servers.values() for each in (*profile.layers, *profile.notify))
        layers = [self.defaults, *self.notify, *of_servers]
        return frozenset(name for layer in layers for key, name in layer.values.items() if key.endswith("-env"))

    def profile(self, text: str) -> Profile:
        """Return the appliance with this configured name or address; any other address is not configured.

        Like host names, configured names match in upper and lower case, as long as only one does.

        Raises UsageError: if ``text`` is neither.
        """
        if text in self.servers:
            return self.servers[text]
        without_case = [profile for name, profile in self.servers.items() if name.lower() == text.lower()]
        if len(without_case) == 1:
            return without_case[0]
        address = parse_server(text)
        return self._configured_at(address) or Profile(address, (self.defaults,), notify=self.notify)

    def group(self, name: str) -> tuple[Profile, ...]:
        """Return the appliances of a group. Raises ConfigError: if there is no such group."""
        if name not in self.groups:
            hint = configured_names_hint(name, self.groups) if self.groups else _HOW_TO_GROUP
            raise ConfigError(f"group {name!r} not found{self._in_file()}", hint=hint)
        return tuple(self.servers[server] for server in self.groups[name])

    def name_warning(self, profile: Profile) -> str | None:
        """Return why a name may be a mistake, None if it is configured or the file has no servers."""
        if profile.configured or not self.servers:
            return None
        group = next((name for name in self.groups if name.lower() == profile.name), None)
        if group is not None:
            return f"{profile.name!r} is a group{self._in_file()}; did you mean {GROUP.flag} {group}?"
        hint = configured_names_hint(profile.name, self.servers)
        return f"{profile.name!r} is not configured{self._in_file()}; {hint}"

    def all_servers(self) -> tuple[Profile, ...]:
        """Return all configured appliances. Raises ConfigError: if there are none."""
        if not self.servers:
            hint = "add a table [servers.NAME] with its host" if self.path else "`backupctl config init` creates a file"
            raise ConfigError(f"no servers are configured{self._in_file()}", hint=hint)
        return tuple(self.servers.values())

    def _in_file(self) -> str:
        return f" in {self.path}" if self.path else ""

    def _configured_at(self, address: ServerAddress) -> Profile | None:
        """Return the configured appliance at an address, on either of its two ports; the given port is kept.

        So its pin and ``read-only`` apply to both ports. Other names or ports that lead to the same host are not
        recognized.
        """
        for profile in self.servers.values():
            if profile.address.key == address.key:
                return profile
        for profile in self.servers.values():
            if profile.address.appliance == address.appliance:
                return replace(profile, address=replace(profile.address, port=address.port))
        return None


def configuration_of(document: Mapping[str, Any], path: Path) -> Configuration:
    """Return the configuration of a parsed file.

    Raises ConfigError: at the first mistake, with file, key and remedy.
    """
    for key in document:
        if key not in _TABLES:
            raise key_outside_tables_error(path, key) or unknown_name_error(f"{path}: {key}", key, "table", _TABLES)
    defaults = _layer(document, f"{path}: defaults", "defaults", SERVER_ONLY, path.parent)
    servers: dict[str, Profile] = {}
    for name in _table(document, "servers", f"{path}: servers"):
        servers[name] = _server(name, document["servers"], defaults, path)
    _reject_duplicates(servers.values(), path)
    _reject_shared_folders(servers.values(), path)
    lists = _table(document, "groups", f"{path}: groups")
    groups = {name: _group(name, members, servers, path) for name, members in lists.items()}
    with_tables, notify = _with_notify_tables(document, servers, groups, path)
    return Configuration(path, defaults, with_tables, groups, notify)


def configured_names_hint(name: str, names: Iterable[str]) -> str:
    """Return a hint for an unknown name: similar names, and the first few of all."""
    all_names = list(names)
    similar = get_close_matches(name, all_names, n=2)
    question = f"did you mean {' or '.join(each for each in all_names if each in similar)}? " if similar else ""
    more = f" and {len(all_names) - _MAX_SHOWN_NAMES} more" if len(all_names) > _MAX_SHOWN_NAMES else ""
    return f"{question}configured: {', '.join(all_names[:_MAX_SHOWN_NAMES])}{more}"


_HOW_TO_GROUP: Final = 'add a table [groups] with a line such as production = ["vc01", "vc02"]'
_MAX_SHOWN_NAMES: Final = 5
_TABLES: Final = ("defaults", "servers", "groups", "notify")


def _table(document: Mapping[str, Any], key: str, label: str) -> Mapping[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{label} must be a table", hint=f"use [{label.rpartition(': ')[2]}] on a line of its own")
    return table


def _layer(document: Mapping[str, Any], label: str, key: str, misplaced: Iterable[str], folder: Path) -> Layer:
    table = _table(document, key, label)
    return Layer(label, check_table(table, label, folder, misplaced=frozenset(misplaced)))


def _server(name: str, tables: Mapping[str, Any], defaults: Layer, path: Path) -> Profile:
    label = f"{path}: servers.{name}"
    _check_name(name, label)
    _check_dots(name, tables[name], label)
    layer = _layer(tables, label, name, ("parallel", "state-dir"), path.parent)
    host = layer.values.get("host")
    if host is None:
        raise ConfigError(f"{label} has no host", hint='add a line such as host = "vc01.example.com"')
    address: ServerAddress = parse_from(layer.source("host"), parse_server, host)
    return Profile(replace(address, name=name), (layer, defaults), configured=True)


def _check_dots(name: str, table: object, label: str) -> None:
    """Raise ConfigError for a table in that of a server, which is how TOML reads a name with unquoted dots."""
    full_name = name
    while isinstance(table, dict):
        inner = next((key for key, value in table.items() if isinstance(value, dict)), None)
        if inner is None:
            break
        full_name, table = f"{full_name}.{inner}", table[inner]
    if full_name != name:
        raise ConfigError(f"{label}: a name with dots must be in quotes", hint=f'use [servers."{full_name}"]')


def _reject_duplicates(servers: Iterable[Profile], path: Path) -> None:
    """Raise ConfigError for an appliance with two names.

    Settings of one name, such as ``read-only``, would not protect it under the other, and ``--all`` would back up
    the appliance once although it lists two servers.
    """
    names: dict[tuple[str, int], str] = {}
    for server in servers:
        other = names.setdefault(server.address.key, server.name)
        if other != server.name:
            raise ConfigError(
                f"{path}: servers.{other} and servers.{server.name} are the same appliance ({server.address})",
                hint="keep one of them, and use options for what differs between runs",
            )


def _reject_shared_folders(servers: Iterable[Profile], path: Path) -> None:
    """Raise ConfigError for a ``system`` that is the folder of another server, whose archives would be pruned."""
    owners: dict[tuple[str, str], Profile] = {}
    for server in servers:
        location = next((layer.values["location"] for layer in server.layers if "location" in layer.values), None)
        if location is not None and location.depends_on_server:
            continue
        system = server.layers[0].values.get("system", server.address.host).lower().removeprefix("sn_")
        owner = owners.setdefault((str(location).rstrip("/"), system), server)
        if owner is not server and any("system" in each.layers[0].values for each in (owner, server)):
            raise ConfigError(
                f"{path}: servers.{owner.name} and servers.{server.name} have the same folder sn_{system}",
                hint="set system in each table to the folder of that appliance",
            )


def _group(name: str, members: object, servers: Mapping[str, Profile], path: Path) -> tuple[str, ...]:
    label = f"{path}: groups.{name}"
    _check_name(name, label)
    if not isinstance(members, list) or not members or not all(isinstance(member, str) for member in members):
        raise ConfigError(f"{label} must be a list of names", hint=f'use {name} = ["vc01", "vc02"]')
    for member in members:
        if member not in servers:
            table = f'servers."{member}"' if "." in member else f"servers.{member}"
            remedy = f"add [{table}] or remove it"
            raise unknown_name_error(f"{label}: {member}", member, "server", servers, remedy=remedy)
    return tuple(dict.fromkeys(members))


def _with_notify_tables(
    document: Mapping[str, Any], servers: Mapping[str, Profile], groups: Mapping[str, tuple[str, ...]], path: Path
) -> tuple[Mapping[str, Profile], tuple[Layer, ...]]:
    """Return the servers with the notify tables for each, and those for a server that is not configured."""
    label, named = f"{path}: notify", {"servers": {name: (name,) for name in servers}, "groups": groups}
    table = _table(document, "notify", label)
    if not table:
        return servers, ()
    from backupctl.config.notify_keys import NOTIFY_KEYS

    keys = {key: value for key, value in table.items() if key not in named}
    for_all = (Layer(label, check_table(keys, label, path.parent, keys=NOTIFY_KEYS)),) if keys else ()
    layers = {name: list[Layer]() for name in servers}
    for kind, known in named.items():
        tables = _table(table, kind, f"{label}.{kind}")
        for name in (*sorted(tables.keys() - known), *(name for name in known if name in tables)):
            at = f"{label}.{kind}.{name}"
            if name not in known:
                raise unknown_name_error(at, name, kind.removesuffix("s"), known)
            layer = Layer(at, check_table(_table(tables, name, at), at, path.parent, keys=NOTIFY_KEYS))
            for server in known[name]:
                layers[server].append(layer)
    return {name: replace(servers[name], notify=(*layers[name], *for_all)) for name in servers}, for_all


def _check_name(name: str, label: str) -> None:
    if SERVER_NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{label}: invalid name {name!r}",
            hint="use letters, digits, dots, hyphens and underscores; start with a letter or digit",
        )
