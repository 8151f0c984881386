"""Render what stands below all results: how to follow the jobs that are still running, and the verdict."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import UNSET

from backupctl.errors import InterruptedRunError
from backupctl.formatting import duration
from backupctl.output.terminal.labels import verdict
from backupctl.output.terminal.styled_lines import BAD, GOOD, NOTE, StyledLine, line, with_commas
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import Envelope, Result


def follow_lines(commands: Mapping[str, str], selection: Sequence[str]) -> list[StyledLine]:
    """Return how to follow jobs later: the command of one, or one command for several.

    ``commands`` maps servers to theirs. ``selection`` are the words that select all appliances of the run.
    """
    if not commands:
        return []
    if len(commands) == 1:
        return [line(("Follow it with:", NOTE), f" {next(iter(commands.values()))}")]
    return [line(("Follow them with:", NOTE), f" {_one_for_all(commands, selection)}")]


def _one_for_all(commands: Mapping[str, str], selection: Sequence[str]) -> str:
    """Return ``backupctl watch latest`` for all of them, with the options that they have in common."""
    words = [shlex.split(command) for command in commands.values()]
    servers = [word for each in words for word in each[3:5]]
    options = words[0][5:]
    return shlex.join(["backupctl", "watch", "latest", *(selection or servers), *options])


def summary(envelope: Envelope) -> StyledLine:
    """Return the number of appliances by outcome: ``2 done, 1 refused, 1 failed``, and how far apart they started."""
    results = [result for result in envelope.results if result.server != DEFAULTS]
    counts = Counter(map(_outcome, results))
    pieces = [(f"{number} {word}", _STYLES.get(word, BAD)) for word, number in counts.most_common()]
    pieces.sort(key=lambda piece: piece[1] == BAD)
    skew = envelope.skew_seconds
    together = "" if skew is UNSET else f" (started within {duration(max(1, skew))} of each other)"
    return line(*with_commas(pieces), together)


def _outcome(result: Result) -> str:
    """Return the outcome of a result: only an ended job is done."""
    job = getattr(result, "job", None)
    running = job is not None and not job.ended
    if result.error is not None:
        return "detached" if running and isinstance(result.error, InterruptedRunError) else verdict(result.error.slug)
    return "started" if running else "done"


_STYLES = {"done": GOOD, "started": "cyan", "detached": "cyan", "still running": "cyan"}
"""Outcomes that are no failures, and their styles."""
