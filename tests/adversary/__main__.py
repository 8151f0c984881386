"""Run many seeds and print a table (``--runs 20000``), or repeat one run and print it (``--seed N``)."""

import argparse
import multiprocessing

from tests.adversary.oracle import violations
from tests.adversary.play import Record, run_scenario
from tests.adversary.scenario import scenario
from tests.adversary.tally import RunCounts, run_seed


def show(record: Record) -> None:
    """Print everything about a run."""
    case = record.scenario
    print(f"seed {case.seed}: {' '.join(case.words)} -o {case.output}")  # noqa: T201 - this program prints
    print(*(f"  {each}" for each in (case.habits, *case.faults, *case.others)), sep="\n")  # noqa: T201
    skew = f"skew {case.skew:g}, jump {case.jump:g} at {case.jump_at:g}, ids in {case.id_zone}, signal {case.signal_at}"
    print(f"  job {case.job_seconds:g} s {case.outcome}, {skew}")  # noqa: T201
    for each in record.server.wire.requests:
        fault = f" !{each.fault.name} ({each.fault.works})" if each.fault else ""
        done = f" ids {', '.join(each.ids)}" if each.ids else " started a job" if each.started_job else ""
        line = f"  {each.at:8.1f} s  {each.request.method} {each.request.path} -> {each.status}{fault}{done}"
        print(line)  # noqa: T201
    for job in record.truth.jobs:
        whose = "ours" if job.ours else f"of {job.user}"
        print(f"  job {job.id} at {job.start:.1f} s {whose}, {job.state(record.seconds)}")  # noqa: T201
    print(f"code {record.code} after {record.seconds:.1f} s ({record.real_seconds:.2f} s of real time)")  # noqa: T201
    print(record.out, record.err, sep="\n")  # noqa: T201
    print(*(f"{column}: {sentence}" for column, sentence in violations(record)), sep="\n")  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.adversary", description="An appliance that is an adversary.")
    parser.add_argument("--seed", type=int, help="repeat one run and show it")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first run")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    given = parser.parse_args()
    if given.seed is not None:
        record = run_scenario(scenario(given.seed))
        show(record)
        return 1 if violations(record) else 0
    counts = RunCounts()
    seeds = range(given.first, given.first + given.runs)
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for line in pool.imap(run_seed, seeds, chunksize=10):
            counts.add(line)
    print(*counts.table(), "", *counts.wrong, sep="\n")  # noqa: T201
    return 1 if counts.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
