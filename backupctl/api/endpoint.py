"""Endpoints: the requests and results of operations in each family of the API.

The families differ in more than the prefix. ``/rest`` names the parameters in a body, wraps results in
``{"value": ...}``, encodes maps as lists of ``{"key", "value"}`` and structures as dotted query parameters. ``/api``
(7.0U2 and later) takes and returns the structures themselves. Source: the vSphere Automation API reference, e.g.
https://developer.broadcom.com/xapis/vsphere-automation-api/latest/appliance/recovery/backup/job/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from backupctl.api.decoding import decode
from backupctl.errors import NotFoundError

T_co = TypeVar("T_co", covariant=True)

NoneType: Final = type(None)

FIRST_RELEASE: Final = "6.5"
"""The first release with a backup API. Operations of later releases are not requested again after a 404."""

MAX_ENTRIES: Final = 20_000
"""Limit of jobs or archives in a response; 8 MiB hold millions of tiny ones, and each takes time."""


class Family(StrEnum):
    """The two families of the API, named by the first element of their paths."""

    REST = "rest"
    API = "api"


class Encoding(Enum):
    """How the parameters of an operation are sent that are not in its path."""

    NAMED = auto()
    """In the body, by name: ``{"piece": {...}}``."""
    BARE = auto()
    """As the body, if there is only one."""
    DOTTED = auto()
    """In the query, by name and field, lists counted from 1: ``filter.jobs.1=A``."""
    FLAT = auto()
    """In the query, by field, if there is only one: ``jobs=A&jobs=B``."""


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request to send: path without host, query, JSON body."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: object = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """Path and query; a space is ``%20``, as not every server decodes ``+``."""
        return self._target(safe="")

    @property
    def for_log(self) -> tuple[str, object]:
        """Path and query, with masks unescaped (``***``), and body."""
        return self._target(safe="*"), self.body

    def _target(self, *, safe: str) -> str:
        query = urlencode(self.query, quote_via=quote, safe=safe)
        return f"{self.path}?{query}" if query else self.path


class EndpointRoute(msgspec.Struct, frozen=True):
    """The request of an operation in one family; ``{name}`` in ``path`` is a parameter, ``query`` is constant."""

    method: str
    path: str
    encoding: Encoding = Encoding.NAMED
    query: tuple[tuple[str, str], ...] = ()

    def encode(self, family: Family, parameters: Mapping[str, object]) -> EncodedRequest:
        """Return the request, without parameters that are None.

        Raises NotFoundError: for a parameter that is not valid in the path.
        """
        remaining = {name: value for name, value in parameters.items() if value is not None}
        in_path = set(re.findall(r"{(\w+)}", self.path))
        path = self.path.format(**{name: quote(check_name(str(remaining.pop(name))), safe="*") for name in in_path})
        query, body = _encode(self.encoding, remaining)
        return EncodedRequest(self.method, f"/{family}{path}", (*self.query, *query), body)


class Endpoint(msgspec.Struct, Generic[T_co], frozen=True):
    """An operation in both families; ``operation`` is its name in messages, such as "start a backup".

    ``since`` is the first release with it, ``until`` the first without it again. Without an ``api`` route, both
    families use the ``rest`` one. A ``result`` of type dict is a map, None a response without content.
    ``not_found_without_id`` is set if a 404 may mean a missing resource although the path holds no id; ``changes`` if
    the operation changes the appliance. ``max_entries`` limits a result that is a list or map.
    """

    operation: str
    result: type[T_co]
    rest: EndpointRoute
    api: EndpointRoute | None = None
    since: str = FIRST_RELEASE
    until: str | None = None
    not_found_without_id: bool = False
    changes: bool = False
    max_entries: int = MAX_ENTRIES

    def is_missing_in(self, release: str) -> bool:
        """Return whether a release, such as ``7.0.3.00500``, does not have the operation."""
        numbers = _version_numbers(release)
        return numbers < _version_numbers(self.since) or (
            self.until is not None and numbers >= _version_numbers(self.until)
        )

    def not_found_possible(self, family: Family) -> bool:
        """Return whether a 404 may mean a missing resource, rather than a missing operation."""
        return self.not_found_without_id or "{" in self.route(family).path

    def encode(self, family: Family, parameters: Mapping[str, object]) -> EncodedRequest:
        """Return the request in a family."""
        return self.route(family).encode(family, parameters)

    def route(self, family: Family) -> EndpointRoute:
        """Return the route in a family."""
        return self.api if self.api and family is Family.API else self.rest

    def decode(self, family: Family, content: bytes) -> T_co:
        """Return the result in a body, a map in the encoding of either family.

        Raises ``DECODE_ERRORS``: with the path of an invalid field.
        """
        if self.result is NoneType:
            _check_no_result(content)
            return None  # type: ignore[return-value]
        wrapped = family is Family.REST
        return decode(content, self.result, wrapped=wrapped, max_entries=self.max_entries)  # type: ignore[no-any-return]


_NO_RESULT: Final[tuple[object, ...]] = (None, {}, {"value": None}, {"value": {}})
"""The JSON of a response without a result, if its body is not empty."""


def _check_no_result(content: bytes) -> None:
    """Raise ``DECODE_ERRORS`` for content that the appliance never sends, such as a page of a proxy or portal."""
    if content.strip() and msgspec.json.decode(content) not in _NO_RESULT:
        raise msgspec.ValidationError("Expected an empty response")


def _version_numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,9}", release))


MAX_NAME_LENGTH: Final = 1024
"""In characters; ids of the appliance have about twenty, and servers reject a URL of 64 kB."""


def is_valid_name(name: str) -> bool:
    """Return whether a name is valid in a path.

    Dots would lead to another operation, a leading ``-`` would be an option in the command lines of hints, and names of
    the appliance have no unprintable characters, such as bytes that are not UTF-8.
    """
    return (
        0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and bool(name.strip(".")) and not name.startswith("-")
    )


def check_name(name: str) -> str:
    """Return a name that is valid in a path.

    Raises NotFoundError: if it is not, as no resource has such a name.
    """
    if is_valid_name(name):
        return name
    for_log = repr(name) if len(name) <= MAX_NAME_LENGTH else f"of {len(name)} characters"
    raise NotFoundError(f"invalid name {for_log}")


def _encode(encoding: Encoding, parameters: Mapping[str, Any]) -> tuple[list[tuple[str, str]], object]:
    """Return the query and body."""
    if not parameters:
        return [], None
    match encoding:
        case Encoding.NAMED:
            return [], dict(parameters)
        case Encoding.BARE:
            (parameter,) = parameters.values()
            return [], parameter
        case Encoding.DOTTED:
            return [pair for name, value in parameters.items() for pair in _dotted_query(name, value)], None
        case Encoding.FLAT:
            (parameter,) = parameters.values()
            return [(name, str(item)) for name, value in parameter.items() for item in _as_list(value)], None


def _dotted_query(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for field, item in value.items() for pair in _dotted_query(f"{name}.{field}", item)]
    if isinstance(value, list):
        return [pair for number, item in enumerate(value, 1) for pair in _dotted_query(f"{name}.{number}", item)]
    return [(name, str(value))]


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
