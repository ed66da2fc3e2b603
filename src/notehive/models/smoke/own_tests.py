"""The project's own tests, by pytest."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from notehive.models.smoke.clock import Clock
from notehive.models.step import memory
from notehive.models.step.failure import Failed
from notehive.models.step.log import Log

FOLDER = Path("tests")
NONE_FOUND = 5  # exit code of pytest
LONGEST = 400  # characters of an error in the reason


def run(report: Path, clock: Clock, log: Log) -> None:
    """Run the tests of the working directory; raise Failed with the first that fails.

    ``report``: where pytest writes what became of them.
    """
    if not FOLDER.is_dir():
        log.say(f"{FOLDER}: there are none")
        return
    log.say(str(FOLDER))
    command = [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider"]
    # This form has the file of each test.
    told = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
    try:
        code = subprocess.run([*command, *told, FOLDER], check=False, timeout=clock.left).returncode
    except subprocess.TimeoutExpired:
        log.interrupted()
        raise Failed(f"{FOLDER}: {clock.over}") from None
    if code not in (0, NONE_FOUND):
        raise Failed(first_failure(report) or f"{FOLDER}: {_ending(code, log)}")


def _ending(code: int, log: Log) -> str:
    if code < 0:  # a signal has ended it
        log.interrupted()
        if why := memory.reached():
            return why
    return f"pytest ended with {code}"


def first_failure(report: Path) -> str:
    """Give place, name and error of the first test that failed; nothing if there is none."""
    try:
        cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 - the test itself is worse
    except (OSError, ElementTree.ParseError):
        return ""  # pytest did not get so far
    for case in cases:
        for kind in ("failure", "error"):
            if (found := case.find(kind)) is not None:
                return _words(case, found)
    return ""


def _words(case: ElementTree.Element, found: ElementTree.Element) -> str:
    place, said = f"{case.get('file')}, {case.get('name')}", found.get("message", "")
    if said == "collection failure":  # the file itself is wrong, and what is wrong is shown only
        shown = (found.text or "").splitlines()
        errors = [line[1:].strip() for line in shown if line.startswith("E ")]
        place, said = str(case.get("file")), (errors or [said])[-1]
    return f"{place}: {said.partition(chr(10))[0][:LONGEST]}"
