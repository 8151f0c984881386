"""The facts of an error, and the functions that render them as text for JSON and for people."""

import re
import shlex
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

UNKNOWN_RELEASE: Final = ""
"""The release in a message that says "its release" without a number."""

ANONYMOUS: Final = ""
"""Placeholder for the server or the job in facts that several appliances share."""


class ErrorFacts(NamedTuple):
    """The facts of an error.

    * ``message``: what happened. Placeholders such as ``$server`` and ``$job`` are filled with the facts of these
      names, ``$1`` and ``$2`` with ``texts``. ``source`` is put in front of the message, and so is ``server`` unless
      the message contains ``$server``.
    * ``texts``: what a user or an appliance wrote. It is a fact, because in the message its ``$`` would be filled.
    * ``host``: the address of the server, where the message is about that.
    * ``operation``: the request, such as "start a backup".
    * ``job``: a job id.
    * ``cause``: the error or text behind this one; ``then``: what a second request found, such as a read-back.
    * ``source``: the option, variable, or file and key of an invalid value; ``of_file``: it came from the file.
    * ``reason``: the known cause of a failed job; it stands before the hint.
    * ``hint``: what to do. ``$selector`` is filled with the ``selector``, the words that select the server on a command
      line; ``$--name`` with the option, or with the key of this name if ``of_file``.
    * ``details``: lines of evidence, such as the appliance's own messages, most general first.
    * ``attach``: the command line that follows the job, if one may still be running.
    * ``status``: that of the HTTP response.
    * ``kind``: the error type of the API, such as ``RESOURCE_BUSY``.
    * ``certain``: False if a write request may have had an effect: its response was lost, unreadable or from a proxy.
    * ``retryable``: a retry soon may succeed.
    * ``exit_code``: set only if it is not that of the class.
    """

    message: str
    server: str | None = None
    host: str | None = None
    operation: str | None = None
    job: str | None = None
    release: str | None = None
    cause: "ErrorFacts | str | None" = None
    then: "ErrorFacts | str | None" = None
    texts: tuple[str, ...] = ()
    source: str | None = None
    of_file: bool = False
    reason: str | None = None
    hint: str | None = None
    selector: tuple[str, ...] = ()
    details: "tuple[ErrorFacts | str, ...]" = ()
    attach: str | None = None
    status: int | None = None
    kind: str | None = None
    certain: bool = True
    retryable: bool = False
    exit_code: int | None = None


def render_message(facts: ErrorFacts, *, subject: str | None = None) -> str:
    """Return the message with its placeholders filled; a server that is the ``subject`` is not put in front."""
    values = {
        "server": "the appliance" if facts.server == ANONYMOUS else facts.server,
        "host": "the appliance" if facts.host == ANONYMOUS else facts.host,
        "job": None if facts.job is None else job_title(facts.job),
        "operation": facts.operation,
        "release": None if facts.release is None else f"release {facts.release}".strip(),
        "status": facts.status,
        "kind": facts.kind,
        "cause": _text_of(facts.cause),
        "then": _text_of(facts.then),
        **{str(number): text for number, text in enumerate(facts.texts, 1)},
    }

    def fact(match: re.Match[str]) -> str:
        value = values.get(match["fact"])
        if match["on"] and facts.server == ANONYMOUS:
            return ""
        return match[0] if value is None else f"{match['on'] or ''}{value}"

    text = re.sub(_FACT, fact, facts.message)
    server = None if "$server" in facts.message or facts.server == subject else facts.server
    return "".join(f"{name}: " for name in (facts.source, server) if name) + text


_NAME: Final = r"(?:server|host|job|operation|release|status|kind|cause|then|[1-9])\b"

_PLACEHOLDER: Final = rf"\${_NAME}"

_FACT: Final = rf"(?P<on> on (?=\$server))?\$(?P<fact>{_NAME})"
"""A placeholder. " on $server" is one piece, because it is left out where the server is anonymous."""

_HINT_FACT: Final = r"\$(?:selector\b|--(?=[a-z]))"


def _text_of(value: ErrorFacts | str | None) -> str | None:
    return render_message(value) if isinstance(value, ErrorFacts) else value


def render_details(facts: ErrorFacts) -> tuple[str, ...]:
    """Return the lines of evidence."""
    return tuple(render_message(each) if isinstance(each, ErrorFacts) else each for each in facts.details)


def render_hint(facts: ErrorFacts) -> str | None:
    """Return what to do next, None if there is no hint."""
    if facts.hint is None:
        return facts.reason
    values = {"$selector": shlex.join(facts.selector) or "$selector", "$--": "" if facts.of_file else "--"}
    hint = re.sub(_HINT_FACT, lambda match: values[match[0]], facts.hint)
    return f"{facts.reason}; {hint}" if facts.reason else hint


def renamed(facts: ErrorFacts, host: str, name: str) -> ErrorFacts:
    """Return the facts with the configured ``name`` of a server in place of its ``host``, in nested facts too."""

    def nested(value: ErrorFacts | str | None) -> Any:  # noqa: ANN401 - as the value is
        return renamed(value, host, name) if isinstance(value, ErrorFacts) else value

    return facts._replace(
        server=name if facts.server == host else facts.server,
        cause=nested(facts.cause),
        then=nested(facts.then),
        details=tuple(map(nested, facts.details)),
    )


def map_text(message: str, function: Callable[[str], str]) -> str:
    """Return a message with ``function`` applied to the text between its placeholders."""
    parts = re.split(rf"({_PLACEHOLDER})", message)
    return "".join(part if index % 2 else function(part) for index, part in enumerate(parts))


def error_on(server: str, facts: ErrorFacts) -> ErrorFacts:
    """Return a line of evidence for an error on another appliance, without its hint, details and attach line."""
    return ErrorFacts("$cause", server=server, cause=facts._replace(hint=None, details=(), attach=None))


def follow_hint(facts: ErrorFacts) -> str | None:
    """Return the hint to follow a job that may still be running, None if there is none."""
    return None if facts.attach is None else f"follow it with: {facts.attach}"


SINGULAR_JOBS: Final = frozenset({"restore", "reconciliation"})
"""The ids of jobs of which an appliance has at most one; the API gives them none."""


def job_title(job_id: str) -> str:
    """Return the name of a job in a sentence."""
    if job_id == ANONYMOUS:
        return "the backup job"
    return f"the {job_id}" if job_id in SINGULAR_JOBS else f"backup job {job_id}"


def anonymized(facts: ErrorFacts, servers: Collection[str], job: str | None = None) -> ErrorFacts:
    """Return the facts without what differs between appliances, so that equal failures compare equal.

    The names in ``servers`` and the id ``job`` are replaced, and facts that the message does not show are removed.
    """

    def nested(value: ErrorFacts | str) -> ErrorFacts | str:
        return anonymized(value, servers, job) if isinstance(value, ErrorFacts) else value

    def if_shown(name: str, value: T) -> T | None:
        return value if f"${name}" in facts.message else None

    is_own_job = facts.job is not None and facts.job == job and job not in SINGULAR_JOBS
    return ErrorFacts(
        message=facts.message,
        server=ANONYMOUS if facts.server in servers else facts.server,
        host=ANONYMOUS if facts.host in servers else facts.host,
        operation=if_shown("operation", facts.operation),
        job=ANONYMOUS if is_own_job else if_shown("job", facts.job),
        release=if_shown("release", facts.release),
        status=if_shown("status", facts.status),
        kind=if_shown("kind", facts.kind),
        cause=None if facts.cause is None else nested(facts.cause),
        then=None if facts.then is None else nested(facts.then),
        texts=facts.texts,
        source=facts.source,
        of_file=facts.of_file,
        reason=facts.reason,
        hint=facts.hint,
        selector=tuple("NAME" if word in servers else word for word in facts.selector),
        details=tuple(map(nested, facts.details)),
    )
