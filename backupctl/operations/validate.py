"""Validate: what can be checked before a backup, without starting one."""

from functools import partial

from msgspec import structs

from backupctl.errors import (
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BusyError,
    CertificateError,
    NotSupportedError,
)
from backupctl.models import BackupRequest, ReturnResult
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance
from backupctl.operations.parts import read_parts, total_mb
from backupctl.operations.task import Task, attempt
from backupctl.results import Check, PartSize


def validate(appliance: Appliance, request: BackupRequest) -> Task[tuple[Check, ...]]:
    """Return the checks with OK, WARNING or FAIL each; a check that cannot be made is a WARNING.

    Raises what says that nothing can be asked at all: unreachable, not trusted, refused.
    """
    parts = yield from read_parts(appliance)
    busy = yield from jobs.running(appliance)
    running = (
        Check(name="running job", status="OK", message="no backup is running")
        if busy is None
        else Check(name="running job", status="FAIL", message=f"backup job {busy.id} is running ({busy.progress} %)")
    )
    chosen = request.parts or tuple(part.id for part in parts if part.selected_by_default)
    checks = [running, _parts_check(parts, chosen)]
    if busy is None:
        checks += yield from _appliance_checks(appliance, request, chosen)
    return tuple(checks)


def _parts_check(parts: tuple[PartSize, ...], chosen: tuple[str, ...]) -> Check:
    known = {part.id: part for part in parts}
    unknown = [part for part in chosen if part not in known]
    if unknown:
        offered = ", ".join(known)
        return Check(name="parts", status="FAIL", message=f"not offered: {', '.join(unknown)} (offered: {offered})")
    taken = tuple(known[part] for part in known if part in chosen or not known[part].optional)
    sizes = ", ".join(f"{part.id} {'?' if part.size_mb is None else part.size_mb} MB" for part in taken)
    if any(part.size_mb == 0 for part in taken):
        return Check(name="parts", status="WARNING", message=f"{sizes}: an estimate of 0 MB means trouble in that part")
    return Check(name="parts", status="OK", message=f"{sizes}; {total_mb(taken) or 0} MB in all, before compression")


def _appliance_checks(appliance: Appliance, request: BackupRequest, parts: tuple[str, ...]) -> Task[list[Check]]:
    name = "appliance validation"
    complete = structs.replace(request, parts=parts)
    answer = yield from attempt(partial(appliance.api.validate, complete))
    if isinstance(answer, BusyError):
        return [Check(name=name, status="FAIL", message=answer.message)]
    if isinstance(answer, AuthenticationError | AuthorizationError | CertificateError):
        raise answer
    if isinstance(answer, NotSupportedError):
        return [Check(name=name, status="WARNING", message=answer.message)]
    if isinstance(answer, BackupctlError):
        return [Check(name=name, status="FAIL", message=": ".join((answer.message, *answer.details)))]
    return _validation(name, answer)


def _validation(name: str, answer: ReturnResult) -> list[Check]:
    status = answer.status if answer.status in {"OK", "WARNING", "FAIL"} else "WARNING"
    texts = [message.text for message in answer.messages or ()] or [f"the appliance says {answer.status}"]
    return [Check(name=name, status=status, message=text) for text in texts]
