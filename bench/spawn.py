"""How long a user waits for a server: Notehive's spawner against stock SwarmSpawner.

usage: python -m bench.spawn [--help]      (on a machine that does nothing else)

Brings up a Notehive and two peers beside each other, measures them in turn, and removes them.
Writes bench/results/spawn.json. What is measured, and how: bench/README.md.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import ClientSession, TCPConnector

from bench import figures, measures, report
from bench.floor import floor
from bench.result import RESULTS, Begun, circumstances, write
from bench.setting import ROWS, set_up, versions

MEASURES = ("serial", "storm", "restart", "floor")
OURS = "notehive"
say = partial(print, flush=True)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.spawn", description=__doc__)
    parser.add_argument("--pairs", type=int, default=30, help="serial starts of each row")
    parser.add_argument("--storms", type=int, default=5, help="storms of each row")
    parser.add_argument("--restarts", type=int, default=3, help="restarts of each user")
    parser.add_argument("--floors", type=int, default=10, help="single services of the floor")
    parser.add_argument("--users", type=int, default=10, help="users of a storm")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    return parser.parse_args(given)


async def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Do what is asked for; give figures and versions."""
    found: dict[str, Any] = {}
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        say("bringing up", ", ".join(asked.rows))
        with set_up(asked.rows, session) as rows:
            used = versions(rows)
            warm_up = await measures.serial(rows, "warmup", 1, say)
            found["warm_up"] = figures.of_rows(warm_up, OURS)
            if "serial" in asked.only:
                attempts = await measures.serial(rows, "serial", asked.pairs, say)
                found["serial"] = figures.of_rows(attempts, OURS)
            if "storm" in asked.only:
                attempts = await measures.storms(rows, asked.storms, asked.users, say)
                found["storm"] = figures.of_rows(attempts, OURS, asked.users)
            if "restart" in asked.only:
                attempts = await measures.restarts(rows, asked.restarts, asked.users, say)
                found["restart"] = figures.of_rows(attempts, OURS, asked.users)
            if "floor" in asked.only and OURS in rows:
                times = await floor(rows[OURS], asked.floors, asked.users, say)
                found["floor"] = figures.of_floor(times)
    return {"versions": used, "figures": found}


def main() -> None:
    """Measure, write the result, show it."""
    asked = arguments(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is removed then as well
    begun = Begun.now()
    measured = asyncio.run(measure(asked))
    result = {
        **circumstances(" ".join(["python -m bench.spawn", *sys.argv[1:]]), begun),
        "asked": vars(asked),
        "rows": {key: ROWS[key] for key in ROWS if key in asked.rows},
        **measured,
    }
    write(RESULTS / "spawn.json", result)
    print("\n" + report.markdown(result))


if __name__ == "__main__":
    main()
