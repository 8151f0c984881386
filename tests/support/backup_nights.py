"""Days of an appliance that is backed up every night, as series for the unit tests of ``promtool``.

Times are in hours; 0 is 1970-01-01, where the tests of promtool begin.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

HOURS: Final = 5 * 24
STEPS_PER_HOUR: Final = 6
NIGHTLY: Final = tuple(range(2, HOURS + 48, 24))
"""The schedule: every day at 02:00."""
MINUTE: Final = 1 / 60


@dataclass(frozen=True)
class Night:
    """One run of a backup; ``hours`` is its duration."""

    start: float
    hours: float = 0.5
    succeeds: bool = True
    size: int = 2_000_000_000

    @property
    def end(self) -> float:
        return self.start + self.hours


def nights(*exceptions: Night | float, type_: str = "SCHEDULED") -> dict[str, list[Night]]:
    """Return the runs of all nights; a number stands for a night without one."""
    others = {each.start: each for each in exceptions if isinstance(each, Night)}
    missed = {each for each in exceptions if not isinstance(each, Night)}
    planned = [others.pop(start, Night(start)) for start in NIGHTLY if start not in missed]
    return {type_: planned, "MANUAL": list(others.values())} if type_ == "SCHEDULED" else {type_: planned}


@dataclass(frozen=True)
class Days:
    """What one exporter tells about one appliance.

    ``runs`` are by type, without one for a release without details. ``next_run`` is called with the hour. From the hour
    ``frozen`` on the file is no longer written, from ``unreadable`` on the appliance cannot be read, and from ``gone``
    on there is no file.
    """

    runs: Mapping[str, list[Night]] = field(default_factory=nights)
    schedule: Mapping[float, tuple[float, ...]] = field(default_factory=lambda: {0: NIGHTLY})
    server: str = "vc01"
    instance: str = "host1:9100"
    frozen: float = HOURS
    unreadable: float = HOURS
    gone: float = HOURS

    def series(self) -> Iterator[dict[str, str]]:
        """Yield the series as promtool reads them."""
        values: dict[str, list[str]] = {}
        for step in range(HOURS * STEPS_PER_HOUR):
            hour = step / STEPS_PER_HOUR
            at = {} if hour >= self.gone else self._values(min(hour, self.frozen))
            for name, value in at.items():
                values.setdefault(name, ["_"] * step).append(f"{value:.0f}")
            for name in values.keys() - at.keys():
                values[name].append("_")
        for name, found in values.items():
            yield {"series": name, "values": " ".join(found)}

    def _values(self, hour: float) -> dict[str, float]:
        labels = f'server="{self.server}",instance="{self.instance}"'
        own = {"scrape_success": 0.0} if hour >= self.unreadable else {"scrape_success": 1, **self._history(hour)}
        found = {
            f"backupctl_{name.partition('|')[0]}{{{labels}{name.partition('|')[2]}}}": value
            for name, value in own.items()
        }
        file = f'node_textfile_mtime_seconds{{file="/textfile/backupctl.prom",instance="{self.instance}"}}'
        return found | {file: hour * 3600}

    def _history(self, hour: float) -> dict[str, float]:
        found: dict[str, float] = {"running": 0}
        for type_, runs in self.runs.items():
            label = f'|,type="{type_}"' if type_ else "|"
            ended = [run for run in runs if run.end <= hour]
            succeeded = [run for run in ended if run.succeeds]
            found[f"last_success_timestamp_seconds{label}"] = succeeded[-1].end * 3600 if succeeded else 0
            found[f"last_end_timestamp_seconds{label}"] = ended[-1].end * 3600 if ended else 0
            if ended:
                found[f"last_result{label}"] = ended[-1].succeeds
            if succeeded and type_:
                found[f"last_size_bytes{label}"] = succeeded[-1].size
            found["running"] = max(found["running"], any(run.start <= hour < run.end for run in runs))
        times = next((self.schedule[since] for since in sorted(self.schedule, reverse=True) if since <= hour), None)
        if times is not None:
            label = '|,schedule="default"'
            found[f"schedule_enabled{label}"] = bool(times)
            found[f"next_run_timestamp_seconds{label}"] = next((time * 3600 for time in times if time > hour), 0)
        return found
