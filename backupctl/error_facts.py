"""The facts of an error, and the one place where they become sentences, for JSON and for people alike."""

import re
import shlex
from collections.abc import Collection
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

ANONYMOUS: Final = ""
"""Stands for the server or the job in facts that several appliances share."""


class ErrorFacts(NamedTuple):
    """What is known about a failure.

    ``message`` says what happened; ``$server``, ``$job`` and so on in it stand for the facts of these names. ``server``
    and ``source`` are put in front of a message that does not name them. In ``hint``, ``$selector`` stands for the
    words that select the server on a command line, and ``$--option`` for an option, or for the key of the same name
    where the value came from the configuration file (``of_file``). ``details`` are lines of evidence, such as the
    appliance's own messages, most general first.

    ``operation`` is what was requested, such as "start a backup"; ``job`` an id; ``then`` what was found when the
    appliance was asked again; ``source`` the flag, variable, or file and key that a bad value came from; ``attach`` the
    command line that follows the job which this failure may leave running; ``status`` that of the HTTP response;
    ``kind`` the type of an error of the API, such as ``RESOURCE_BUSY``. ``exit_code`` is set where it is not that of
    the class. ``retryable`` is True where asking again soon may help. ``certain`` is False where a request that was to
    change something may have had its effect all the same: the answer was lost, or it came from a proxy, or it was
    unreadable.
    """

    message: str
    server: str | None = None
    operation: str | None = None
    job: str | None = None
    release: str | None = None
    cause: "ErrorFacts | str | None" = None
    then: "ErrorFacts | str | None" = None
    source: str | None = None
    of_file: bool = False
    hint: str | None = None
    selector: tuple[str, ...] = ()
    details: "tuple[ErrorFacts | str, ...]" = ()
    attach: str | None = None
    status: int | None = None
    kind: str | None = None
    certain: bool = True
    retryable: bool = False
    exit_code: int | None = None


def sentence_of(facts: ErrorFacts, *, subject: str | None = None) -> str:
    """Return what happened, and to whom; ``subject`` is the server that the sentence will stand behind."""
    values = {
        "server": "the appliance" if facts.server == ANONYMOUS else facts.server,
        "job": None if facts.job is None else job_title(facts.job),
        "operation": facts.operation,
        "release": "release" if facts.release is None else f"release {facts.release}",
        "status": facts.status,
        "kind": facts.kind,
        "cause": _text_of(facts.cause),
        "then": _text_of(facts.then),
    }

    def fact(match: re.Match[str]) -> str:
        value = values[match["fact"]]
        if match["on"] and facts.server == ANONYMOUS:
            return ""
        return match[0] if value is None else f"{match['on'] or ''}{value}"

    text = re.sub(_FACT, fact, facts.message)
    server = None if "$server" in facts.message or facts.server == subject else facts.server
    return "".join(f"{name}: " for name in (facts.source, server) if name) + text


_FACT: Final = r"(?P<on> on (?=\$server))?\$(?P<fact>server|job|operation|release|status|kind|cause|then)\b"


def _text_of(value: ErrorFacts | str | None) -> str | None:
    return sentence_of(value) if isinstance(value, ErrorFacts) else value


def details_of(facts: ErrorFacts) -> tuple[str, ...]:
    """Return the lines of evidence."""
    return tuple(sentence_of(each) if isinstance(each, ErrorFacts) else each for each in facts.details)


def hint_of(facts: ErrorFacts) -> str | None:
    """Return what to do next, None where nobody knows more than to follow the job."""
    if facts.hint is None:
        return None
    text = facts.hint.replace("$selector", shlex.join(facts.selector))
    return text.replace("$--", "" if facts.of_file else "--")


def error_on(server: str, facts: ErrorFacts) -> ErrorFacts:
    """Return the line of evidence about an error on another appliance."""
    return ErrorFacts("$cause", server=server, cause=facts._replace(hint=None, details=(), attach=None))


def follow_hint(facts: ErrorFacts) -> str | None:
    """Return how to follow the job that may run on."""
    return None if facts.attach is None else f"follow it with: {facts.attach}"


_SINGULAR_JOBS: Final = frozenset({"restore", "reconciliation"})
"""Jobs of which an appliance has one at most, so that these words are their ids."""


def job_title(job_id: str) -> str:
    """Return what a job is called in a sentence."""
    if job_id == ANONYMOUS:
        return "the backup job"
    return f"the {job_id}" if job_id in _SINGULAR_JOBS else f"backup job {job_id}"


def anonymized(facts: ErrorFacts, servers: Collection[str], job: str | None = None) -> ErrorFacts:
    """Return what several appliances can have in common: what is shown, without the names of one and its ``job``."""

    def general(value: ErrorFacts | str) -> ErrorFacts | str:
        return anonymized(value, servers, job) if isinstance(value, ErrorFacts) else value

    def shown(name: str, value: T) -> T | None:
        return value if f"${name}" in facts.message else None

    is_own_job = facts.job is not None and facts.job == job and job not in _SINGULAR_JOBS
    return ErrorFacts(
        message=facts.message,
        server=ANONYMOUS if facts.server in servers else facts.server,
        operation=shown("operation", facts.operation),
        job=ANONYMOUS if is_own_job else shown("job", facts.job),
        release=shown("release", facts.release),
        status=shown("status", facts.status),
        kind=shown("kind", facts.kind),
        cause=None if facts.cause is None else general(facts.cause),
        then=None if facts.then is None else general(facts.then),
        source=facts.source,
        of_file=facts.of_file,
        hint=facts.hint,
        selector=tuple("NAME" if word in servers else word for word in facts.selector),
        details=tuple(map(general, facts.details)),
    )
