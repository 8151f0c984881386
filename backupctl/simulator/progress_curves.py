"""Progress curves: from a fraction of the duration of a run to a percent."""

from collections.abc import Mapping
from dataclasses import dataclass

from backupctl.errors import UsageError


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of (fraction, percent), joined by straight lines; two points with one fraction are a jump."""

    points: tuple[tuple[float, float], ...]

    def percent_at(self, fraction: float) -> int:
        """Return the percent at a fraction of the duration; it never decreases."""
        shown = self.points[0][1]
        for (left, low), (right, high) in zip(self.points, self.points[1:], strict=False):
            if fraction >= right:
                shown = high
            elif fraction > left:
                shown = low + (high - low) * (fraction - left) / (right - left)
        return int(shown + 1e-9)

    def first_time_of(self, percent: float) -> float:
        """Return the first fraction of the duration at which ``percent`` is reached."""
        for (left, low), (right, high) in zip(self.points, self.points[1:], strict=False):
            if percent <= low:
                return left
            if percent <= high:
                return left + (right - left) * (percent - low) / (high - low)
        return 1.0


CURVES: Mapping[str, Curve] = {
    "linear": Curve(((0, 0), (1, 100))),
    "stepped": Curve(
        (
            (0, 0),
            (0.1, 0),
            (0.1, 10),
            (0.3, 10),
            (0.3, 30),
            (0.6, 30),
            (0.6, 65),
            (0.85, 65),
            (0.85, 90),
            (1, 90),
            (1, 100),
        )
    ),
    "stalling": Curve(((0, 0), (0.35, 60), (0.6, 60), (0.75, 97), (1, 97), (1, 100))),
}


def curve_named(name: str) -> Curve:
    """Return the curve with this name. Raises ``UsageError``: for an unknown name."""
    if name not in CURVES:
        raise UsageError(f"unknown progress {name!r}", hint=f"choose from {', '.join(CURVES)}")
    return CURVES[name]
