"""``python -m tests.adversary --runs 20000`` prints the table of many runs, ``--seed N`` repeats one and shows it."""

import argparse
import multiprocessing

from tests.adversary.oracle import violations
from tests.adversary.play import Record, play
from tests.adversary.scenario import scenario
from tests.adversary.tally import Tally, run_seed


def show(record: Record) -> None:
    """Print all that there is to know of a run."""
    told = record.scenario
    print(f"seed {told.seed}: {' '.join(told.words)} -o {told.output}")  # noqa: T201 - this is what it is for
    print(*(f"  {each}" for each in (told.habits, *told.faults, *told.others)), sep="\n")  # noqa: T201
    skew = f"skew {told.skew:g}, jump {told.jump:g} at {told.jump_at:g}, ids in {told.id_zone}, signal {told.signal_at}"
    print(f"  job {told.job_seconds:g} s {told.outcome}, {skew}")  # noqa: T201
    for seen in record.server.wire.seen:
        fault = f" !{seen.fault.name} ({seen.fault.works})" if seen.fault else ""
        done = f" ids {', '.join(seen.ids)}" if seen.ids else " started a job" if seen.began else ""
        line = f"  {seen.at:8.1f} s  {seen.request.method} {seen.request.path} -> {seen.status}{fault}{done}"
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
        record = play(scenario(given.seed))
        show(record)
        return 1 if violations(record) else 0
    tally = Tally()
    seeds = range(given.first, given.first + given.runs)
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for line in pool.imap(run_seed, seeds, chunksize=10):
            tally.add(line)
    print(*tally.table(), "", *tally.wrong, sep="\n")  # noqa: T201
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
