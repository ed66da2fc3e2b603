"""Schedules that no calendar has. They are Airflow's to follow, and it asks croniter as well."""

from collections.abc import Iterator
from datetime import UTC, datetime

from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem, key
from notehive.models.project import FILE

WRITE = "write minute, hour, day of the month, month, day of the week, like 0 6 * * 1-5"


def check(subject: Subject) -> Iterator[Problem]:
    """Give the schedules whose cron expression is wrong, or has no next time."""
    from croniter import CroniterBadDateError, CroniterError, croniter

    pipelines = subject.project.pipelines if subject.project else {}
    for name, pipeline in pipelines.items():
        written = pipeline.schedule
        if not written or written.startswith("@"):
            continue
        place = key(("pipelines", name, "schedule"))
        try:
            croniter(written, datetime.now(UTC)).get_next(datetime)
        except CroniterBadDateError:
            what = f"{written} is a day that never comes"
            yield Problem(FILE, place, what, "correct the day or the month")
        except (CroniterError, ValueError, OverflowError):
            yield Problem(FILE, place, f"{written} is no schedule of cron", WRITE)
