"""Responses of faults: errors of the API, pages of the proxy, or a lost connection."""

from collections.abc import Mapping

from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.http_messages import REST, DeliveryFaults, Family, Response
from backupctl.simulator.releases import Release
from backupctl.simulator.response_envelopes import failure, proxy_page
from backupctl.simulator.session_handlers import unauthenticated

_ERRORS: Mapping[str, RefusedError] = {
    "401": unauthenticated(),
    "500": RefusedError(
        "error", message("com.vmware.applmgmt.backup_restore.location", "The backup location cannot be accessed.")
    ),
    "503": RefusedError(
        "service_unavailable", message("com.vmware.vapi.endpoint.cis.ServiceUnavailable", "Service unavailable.")
    ),
    "504": RefusedError("timed_out", message("com.vmware.vapi.std.errors.timed_out", "The operation timed out.")),
}
"""Texts and ids of 500 and 504 are UNCONFIRMED; their names are standard errors of the API."""

_PAGES: Mapping[str, str] = {"401": "Unauthorized", "503": "Service Unavailable", "504": "Gateway Timeout"}


def fault_response(fault: str, family: Family | None, host: str, release: Release) -> Response:
    """Return the response of a fault such as ``http-503``, ``late-html-504`` or ``drop``."""
    form, _, status = fault.removeprefix("late-").rpartition("-")
    if form == "http":
        return failure(family or REST, _ERRORS[status], release)
    if form == "html":
        return proxy_page(int(status), _PAGES[status])
    if fault == "redirect":
        found = proxy_page(302, "Found")
        return Response(302, (*found.headers, ("Location", f"https://{host}/ui/login")), found.body)
    return Response(0, delivery=DeliveryFaults(lost=True))
