"""Render the verification of an archive."""

from collections.abc import Iterator, Sequence

from backupctl.formatting import plural, size, timestamp
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.result import Result
from backupctl.results.verification_results import PRESENT, READABLE, Verification


def verification_block(result: Result, found: Verification, options: RenderOptions) -> list[StyledLine]:
    """Return what the verification of an archive proves; of several, only what it does not, and others do.

    Damage is the error of the result, so that it is shown there.
    """
    if found.damages:
        return []
    proved = () if options.several else tuple(_proved(found, options))
    not_proved = [each for each in _not_proved(found) if each not in options.not_proved]
    said = {("proved", ""): proved, ("not proved", ""): not_proved, ("warning", ODD): found.warnings}
    rows = [(line("  ", label), line(), each) for label, sentences in said.items() for each in sentences]
    name = f"{found.system_name}/{found.archive}"
    subject = line((f"{options.symbols.good} ", GOOD), f"{result.server}: archive ", (name, STRONG))
    return [line(subject, f" verified ({found.level})"), *wrapped_table(rows, options.width)]


def not_proved_by_any(results: Sequence[Result]) -> list[str]:
    """Return what no verification of several results proves, to be shown once."""
    found = [each for each in map(_verification, results) if each is not None and not each.damages]
    if len(results) == 1 or not found:
        return []
    return [text for text in _not_proved(found[0]) if all(text in _not_proved(each) for each in found)]


def not_proved_lines(common: Sequence[str], width: int | None) -> list[StyledLine]:
    """Return the lines below several results."""
    return wrapped_table([(line("not proved"), line(), each) for each in common], width)


def _verification(result: Result) -> Verification | None:
    found = getattr(result, "verification", None)
    return found if isinstance(found, Verification) else None


def _proved(found: Verification, options: RenderOptions) -> Iterator[str]:
    sizes = "" if found.size_bytes is None else f" ({size(found.size_bytes)}), none empty"
    yield f"{plural(found.files, 'file')}{sizes}, valid metadata"
    if found.manifest is not None:
        recorded, checksums = found.manifest.recorded_at, found.manifest.checksums_at
        how = "after the backup" if found.manifest.recorded_by == "create" else "by the first `archive verify`"
        yield f"names and sizes match the manifest of {timestamp(recorded, options.zone)}, recorded {how}"
        if found.compared == "checksums" and checksums is not None:
            yield f"contents match its checksums of {timestamp(checksums, options.zone)}"
    if found.unpacked:
        yield f"{plural(len(found.unpacked), 'gzip file')} can be decompressed to the end"


def _not_proved(found: Verification) -> list[str]:
    texts = []
    if found.level == PRESENT:
        texts.append("contents: not read (use --level readable)")
    elif found.compared != "checksums":
        texts.append("contents unchanged: no checksums were recorded before")
    if found.level == READABLE and found.not_unpacked:
        texts.append(f"contents of {', '.join(found.not_unpacked)}: encrypted or not gzip")
    return [*texts, "a restore: only `backupctl restore validate` can say more"]
