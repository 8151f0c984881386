"""Validate: what can be checked before a backup, without starting one."""

from functools import partial

from msgspec import structs

from backupctl.errors import ApplianceAnswerError, BusyError, NotFoundError, NotSupportedError
from backupctl.models import BackupRequest, ReturnResult
from backupctl.operations import jobs
from backupctl.operations.appliance import Appliance
from backupctl.operations.parts import read_parts, total_mb
from backupctl.operations.task import RETRY_SECONDS, Task, retrying
from backupctl.results import Check, PartSize


def validate(appliance: Appliance, request: BackupRequest) -> Task[tuple[Check, ...]]:
    """Return the checks with OK, WARNING or FAIL each; a check that cannot be made is a WARNING.

    Raises what says that nothing can be asked at all: unreachable, not trusted, refused, or an answer by somebody else.
    """
    parts = yield from read_parts(appliance)
    running = yield from _running_check(appliance)
    chosen = request.parts or tuple(part.id for part in parts if part.selected_by_default)
    checks = [running, _parts_check(parts, chosen)]
    if running.status != "FAIL":
        checks += yield from _appliance_checks(appliance, request, chosen)
    return tuple(checks)


def _running_check(appliance: Appliance) -> Task[Check]:
    name = "running job"
    try:
        busy = yield from jobs.running(appliance, patience=RETRY_SECONDS)
    except (ApplianceAnswerError, NotFoundError) as error:
        return Check(name=name, status="WARNING", message=f"cannot tell whether one is running: {error.message}")
    if busy is None:
        return Check(name=name, status="OK", message="no backup is running")
    return Check(name=name, status="FAIL", message=f"backup job {busy.id} is running ({busy.progress} %)")


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
    try:
        answer = yield from retrying(appliance, partial(appliance.api.validate, complete))
    except BusyError as error:
        return [Check(name=name, status="FAIL", message=error.message)]
    except NotSupportedError as error:
        return [Check(name=name, status="WARNING", message=error.message)]
    except ApplianceAnswerError as error:
        if not error.certain:
            raise
        return [Check(name=name, status="FAIL", message=": ".join((error.message, *error.details)))]
    return _validation(name, answer)


def _validation(name: str, answer: ReturnResult) -> list[Check]:
    status = answer.status if answer.status in {"OK", "WARNING", "FAIL"} else "WARNING"
    texts = [message.text for message in answer.messages or ()] or [f"the appliance says {answer.status}"]
    return [Check(name=name, status=status, message=text) for text in texts]
