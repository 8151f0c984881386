"""The texts for monitoring systems: Nagios and Icinga, Checkmk, PRTG."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from backupctl.error_facts import render_hint, render_message
from backupctl.errors import BackupctlError
from backupctl.exit_codes import PLUGIN_CODES, ServiceState
from backupctl.output.json_text import json_text
from backupctl.output.printable import printable
from backupctl.results.result import Envelope
from backupctl.results.verdict_results import Metric, VerdictResult


class _Service(NamedTuple):
    """The state of an appliance, or of the run, which has no ``server``, if it failed as a whole."""

    server: str
    state: ServiceState
    text: str
    hint: str | None = None
    metrics: Mapping[str, Metric] = {}

    @property
    def sentence(self) -> str:
        return self.text if self.text.startswith(self.server) else f"{self.server}: {self.text}"


def _services(envelope: Envelope) -> list[_Service]:
    """Return the services of an envelope, the most severe first."""
    if envelope.error is not None:
        return [_of_error("", envelope.error)]
    services = []
    for result in envelope.results:
        verdict = result.check if isinstance(result, VerdictResult) else None
        if verdict is not None:
            state = ServiceState(verdict.state)
            services.append(_Service(result.server, state, verdict.summary, metrics=verdict.metrics))
        elif result.error is not None:
            services.append(_of_error(result.server, result.error))
    return sorted(services, key=lambda each: _ORDER.index(each.state))


def _of_error(server: str, error: BackupctlError) -> _Service:
    text = render_message(error.facts, subject=server)
    return _Service(server, ServiceState.UNKNOWN, text, render_hint(error.facts))


_ORDER: Final = (*map(ServiceState, PLUGIN_CODES.severity), ServiceState.OK)


def nagios(envelope: Envelope, warnings: Sequence[str]) -> str:
    """Return the output of a plugin: a line with performance data, then one for each appliance of several.

    Source: https://www.monitoring-plugins.org/doc/guidelines.html
    """
    services = _services(envelope)
    first, several = services[0].sentence, len(services) > 1
    lines = [f"[{each.state.name}] {each.sentence}" for each in services if several]
    if several:
        counts = Counter(each.state for each in services)
        first = f"{', '.join(f'{counts[state]} {state.name}' for state in _ORDER if counts[state])}; {first}"
    lines += [f"hint: {hint}" for hint in dict.fromkeys(each.hint for each in services) if hint]
    lines += [f"warning: {warning}" for warning in warnings]
    lines = [printable(line).replace("|", "/") for line in (f"BACKUP {services[0].state.name} - {first}", *lines)]
    data = [
        _performance(f"{each.server} {name}" if several else name, metric)
        for each in services
        for name, metric in each.metrics.items()
    ]
    lines[-1 if several else 0] += f" | {' '.join(data)}" if data else ""
    return "".join(f"{line}\n" for line in lines)


def _performance(label: str, metric: Metric) -> str:
    label = printable(label).translate(str.maketrans("'=|", "___"))  # each of them would end the label
    return f"'{label}'={metric.value}{metric.unit};{metric.warning or ''};{metric.critical or ''};0"


def checkmk(envelope: Envelope, _warnings: Sequence[str]) -> str:
    """Return the lines of a local check, one service for each appliance.

    Source: https://docs.checkmk.com/latest/en/localchecks.html
    """
    lines = []
    for each in _services(envelope):
        data = "|".join(
            f"{name}={metric.value};{_upper(metric.warning)};{_upper(metric.critical)};0"
            for name, metric in each.metrics.items()
        )
        name = f"Backup {each.server}".strip().replace('"', "'")
        lines.append(printable(f'{each.state} "{name}" {data or "-"} {each.text}') + "\n")
    return "".join(lines)


def _upper(limit: str | None) -> str:
    """Return an upper limit; a range is left out, as Checkmk would read it otherwise."""
    return limit if limit is not None and limit.isdecimal() else ""


def prtg(envelope: Envelope, _warnings: Sequence[str]) -> str:
    """Return the JSON of an advanced script sensor; the limits of the first channel of an appliance set its state.

    Source: https://www.paessler.com/manuals/prtg/custom_sensors
    """
    services = _services(envelope)
    text = "; ".join(each.sentence for each in services)[:_PRTG_TEXT_LENGTH]
    if not any(each.metrics for each in services):
        return json_text({"prtg": {"error": 1, "text": printable(text)}}) + "\n"
    channels: list[dict[str, Any]] = []
    for each in services:
        channels.append(_channel(each, "state", each.state, "Custom") | _STATE_LIMITS)
        channels += [
            _channel(each, name, metric.value, _PRTG_UNITS[metric.unit]) for name, metric in each.metrics.items()
        ]
    return json_text({"prtg": {"result": channels, "text": printable(text)}}) + "\n"


def _channel(service: _Service, name: str, value: int, unit: str) -> dict[str, Any]:
    return {"channel": printable(f"{service.server} {name}"), "value": value, "unit": unit}


_PRTG_TEXT_LENGTH: Final = 2000
_PRTG_UNITS: Final = {"s": "TimeSeconds", "B": "BytesFile"}
_STATE_LIMITS: Final = {"LimitMode": 1, "LimitMaxWarning": 0.5, "LimitMaxError": 1.5}

FORMATS: Final[Mapping[str, Callable[[Envelope, Sequence[str]], str]]] = {
    "nagios": nagios,
    "checkmk": checkmk,
    "prtg": prtg,
}
