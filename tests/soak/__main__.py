"""Run many rounds and print the table of their results: ``python -m tests.soak --rounds 10000``."""

import argparse

from tests.soak.rounds import Soak

parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Create and watch backups under faults.")
parser.add_argument("--rounds", type=int, default=10_000)
parser.add_argument("--seed", type=int, default=0)
given = parser.parse_args()
soak = Soak(given.seed)
soak.run(given.rounds)
print(*soak.lines(), sep="\n")  # noqa: T201 - the table is the result
soak.counts.check()
