"""The view for monitoring systems, with the texts of Nagios and Icinga, Checkmk, and PRTG."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from backupctl.error_facts import anonymized, render_message
from backupctl.errors import BackupctlError
from backupctl.exit_codes import PLUGIN_CODES, ServiceState
from backupctl.output.json_text import json_text
from backupctl.output.json_view import JsonView
from backupctl.output.printable import printable
from backupctl.output.safe_stream import SafeStream
from backupctl.results.result import Envelope
from backupctl.results.verdict_results import Metric, Verdict, VerdictResult

_ORDER: Final = (*map(ServiceState, PLUGIN_CODES.severity), ServiceState.OK)
_NOT_IN_LABELS: Final = str.maketrans("'=|", "___")
_PRTG_LENGTH: Final = 2000
_PRTG_UNITS: Final = {"s": "TimeSeconds", "B": "BytesFile"}
_PRTG_STATE: Final = {"unit": "Custom", "LimitMode": 1, "LimitMaxWarning": 0.5, "LimitMaxError": 1.5}


class _Service(NamedTuple):
    """A verdict on an appliance, or on the run, which has no ``server``; ``notes`` are evidence and what to do."""

    server: str
    verdict: Verdict
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return f"{self.server}: {self.verdict.summary}" if self.server else self.verdict.summary


def _services(envelope: Envelope) -> list[_Service]:
    """Return the services of an envelope, the most severe first."""
    services = [] if envelope.error is None else [_of_error("", envelope.error)]
    for result in envelope.results:
        if isinstance(result, VerdictResult) and result.check is not None:
            services.append(_Service(result.server, result.check))
        elif result.error is not None:
            services.append(_of_error(result.server, result.error))
    return sorted(services, key=lambda each: _ORDER.index(each.verdict.state))


def _of_error(server: str, error: BackupctlError) -> _Service:
    """Return the service of an error, whose text does not name the server."""
    verdict = Verdict(state=ServiceState.UNKNOWN, summary=render_message(anonymized(error.facts, [server])))
    return _Service(server, verdict, (*error.details, *((f"hint: {error.hint}",) if error.hint else ())))


def _nagios(services: Sequence[_Service]) -> list[str]:
    """Return a line with performance data; for several, first their numbers, and a line for each.

    Source: https://www.monitoring-plugins.org/doc/guidelines.html
    """
    several, counts = len(services) > 1, Counter(each.verdict.state for each in services)
    total = ", ".join(f"{counts[state]} {state.name}" for state in _ORDER if counts[state]) + "; "
    lines = [f"BACKUP {services[0].verdict.state.name} - {total if several else ''}{services[0].sentence}"]
    lines += [f"[{each.verdict.state.name}] {each.sentence}" for each in services if several]
    lines += dict.fromkeys(note for each in services for note in each.notes)
    lines = [line.replace("|", "/") for line in lines]
    data = []
    for each in services:
        for metric, one in each.verdict.metrics.items():
            label = (f"{each.server} {metric}" if several else metric).translate(_NOT_IN_LABELS)
            data.append(f"'{label}'={one.value}{one.unit};{_range(one, one.warning)};{_range(one, one.critical)};0")
    lines[-1 if several else 0] += f" | {' '.join(data)}" if data else ""
    return lines


def _range(metric: Metric, limit: float | None) -> str:
    """Return the range of good values: up to a limit in seconds, or from one in bytes."""
    return "" if limit is None else f"{limit:.0f}{':' if metric.unit == 'B' else ''}"


def _checkmk(services: Sequence[_Service]) -> list[str]:
    """Return the lines of a local check, one service for each appliance.

    Source: https://docs.checkmk.com/latest/en/localchecks.html
    """
    lines = []
    for each in services:
        name, data = f"Backup {each.server}".strip().replace('"', "'"), []
        for metric, one in each.verdict.metrics.items():
            limits = ("" if one.unit == "B" else _range(one, limit) for limit in (one.warning, one.critical))
            data.append(f"{metric}={one.value};{';'.join(limits)};0")
        lines.append(f'{each.verdict.state} "{name}" {"|".join(data) or "-"} {each.verdict.summary}')
    return lines


def _prtg(services: Sequence[_Service]) -> list[str]:
    """Return the JSON of an advanced script sensor; the limits of the channel "state" set the state of the sensor.

    Source: https://www.paessler.com/manuals/prtg/custom_sensors
    """
    channels: list[dict[str, object]] = []
    for each in services:
        prefix = f"{each.server} " if len(services) > 1 else ""
        channels.append({"channel": f"{prefix}state", "value": each.verdict.state, **_PRTG_STATE})
        for name, one in each.verdict.metrics.items():
            channels.append({"channel": f"{prefix}{name}", "value": one.value, "unit": _PRTG_UNITS[one.unit]})
    text = {"text": "; ".join(each.sentence for each in services)[:_PRTG_LENGTH]}
    is_known = any(each.verdict.metrics for each in services)
    return [json_text({"prtg": {"result": channels, **text} if is_known else {"error": 1, **text}})]


FORMATS: Final[Mapping[str, Callable[[Sequence[_Service]], list[str]]]] = {
    "nagios": _nagios,
    "checkmk": _checkmk,
    "prtg": _prtg,
}


class PluginView(JsonView):
    """Writes one text in a format of ``FORMATS``, errors too; Icinga mixes streams, so warnings are debug lines."""

    def __init__(self, name: str, out: SafeStream, err: SafeStream, *, verbose: bool = False) -> None:
        super().__init__(out, err, verbose=verbose)
        self._format = FORMATS[name]

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Write a warning as a debug line."""
        del hint, always
        self.debug(message)

    def _write(self, envelope: Envelope) -> None:
        lines = self._format(_services(envelope))
        self._out.write("".join(f"{printable(line)}\n" for line in lines))

    def _say_errors(self, envelope: Envelope) -> None:
        self._write(envelope)
        super()._say_errors(envelope)
