"""What a change of a model's code costs until its image can be pulled, and what no change does.

usage: python -m bench.build [--rounds 5]    (on a machine that does nothing else)

A project on the image `base` that needs optuna, which comes with a dozen packages from the site's
index. In turn, A B C A B C: it is built and pushed without anything that was kept; then with
another line of code; then once more as it is. Writes bench/results/build.json.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import stats
from bench.result import RESULTS, Begun, circumstances, write
from tests.support.site import Site
from tests.support.workshop import Workshop

NAME = "bench-build"
SETTINGS: dict[str, Any] = {
    "name": NAME,
    "url": f"http://{NAME}.localhost:18291",
    "network": {"users": "10.93.0.0/16", "registry_port": 15212},
    "images": {"base": {}},
}
REQUIREMENTS = "optuna\n"


def timed(workshop: Workshop, commit: str, *options: str) -> float:
    """Build and push a commit; give the seconds of both."""
    began = time.monotonic()
    workshop.make("build", "bench", commit, *options)
    workshop.make("push", "bench", commit)
    return round(time.monotonic() - began, 3)


def measure(workshop: Workshop, rounds: int) -> dict[str, Any]:
    """Measure all in turn; give the figures, and the ratio of the medians."""
    found: dict[str, list[float]] = {"without_cache": [], "code_only": [], "nothing": []}
    for number in range(-1, rounds):  # the first is not counted: it has the base image pushed
        files = {"requirements.txt": REQUIREMENTS}
        commits = [
            workshop.commit("bench", {**files, "train.py": f"print({number}, {each!r})\n"})
            for each in ("before", "after")
        ]
        seconds = {
            "without_cache": timed(workshop, commits[0], "--fresh"),
            "code_only": timed(workshop, commits[1]),
            "nothing": timed(workshop, commits[1]),
        }
        print(f"{number + 1}/{rounds}", seconds, flush=True)
        if number >= 0:
            for key, value in seconds.items():
                found[key].append(value)
    ratio = stats.ratio(found["code_only"], found["without_cache"])
    return {
        "code_only_to_without_cache": ratio._asdict() if ratio else None,
        "seconds": {key: {"each": each, **stats.summary(each)} for key, each in found.items()},
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    begun = Begun.now()
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory), settings=SETTINGS)
        site.notehive("down", "--purge", "--yes", check=False)
        try:
            site.up()
            workshop = Workshop(site, Path(directory))
            figures = measure(workshop, rounds)
            workshop.remove_images()
        finally:
            site.notehive("down", "--purge", "--yes")
    command = f"python -m bench.build --rounds {rounds}"
    result = {**circumstances(command, begun), "figures": figures}
    write(RESULTS / "build.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
