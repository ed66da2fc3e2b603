"""The versions of a model in MLflow's registry: which is champion, who made it that, and why."""

from datetime import UTC, datetime
from typing import Any

from notehive.models.rest import Mlflow, Refused
from notehive.models.step.failure import Failed

CHAMPION, CHALLENGER = "champion", "challenger"
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
BEFORE = "notehive.champion_before"  # the version that was champion before this one


class Versions:
    """The versions of one model."""

    def __init__(self, mlflow: Mlflow, name: str) -> None:
        self._mlflow, self.name = mlflow, name

    def holder(self, alias: str) -> str | None:
        """Give the version that has an alias, if one does."""
        try:
            found = self._mlflow.get("registered-models/alias", name=self.name, alias=alias)
        except Refused as error:
            if error.code in NOT_THERE:
                return None
            raise
        return str(found["model_version"]["version"])

    def tags(self, version: str) -> dict[str, str]:
        """Give the tags of a version; raise Failed if there is no such version."""
        return {tag["key"]: tag["value"] for tag in self._get(version).get("tags", [])}

    def trained_by(self, version: str) -> str:
        """Give the run that a version is of; nothing if it is of none."""
        return str(self._get(version).get("run_id", ""))

    def crown(self, version: str, who: str, why: str) -> None:
        """Make a version the champion, and say on it who did so and why.

        If it was the challenger, it is that no more.
        """
        before = self.holder(CHAMPION)
        if before != version:
            told = {"champion_by": who, "champion_why": why, "champion_at": _now()}
            if before:
                told["champion_before"] = before
            self._tell(version, told)
            self._mlflow.post(
                "registered-models/alias", name=self.name, alias=CHAMPION, version=version
            )
        self.dismiss(version)

    def dismiss(self, version: str) -> None:
        """Take the alias `challenger` from a version that has it."""
        if self.holder(CHALLENGER) == version:
            self._mlflow.delete("registered-models/alias", name=self.name, alias=CHALLENGER)

    def roll_back(self, who: str, why: str) -> str:
        """Make the champion of before champion again; give its version.

        Raise Failed if there is none.
        """
        current = self.holder(CHAMPION)
        if current is None:
            raise Failed(f"model {self.name}: has no champion; promote a version")
        before = self.tags(current).get(BEFORE)
        if not before:
            raise Failed(f"model {self.name}: version {current} is its first champion")
        self.tags(before)  # it may have been deleted
        self._tell(
            current, {"rolled_back_by": who, "rolled_back_why": why, "rolled_back_at": _now()}
        )
        self._mlflow.post("registered-models/alias", name=self.name, alias=CHAMPION, version=before)
        return before

    def _get(self, version: str) -> dict[str, Any]:
        try:
            found = self._mlflow.get("model-versions/get", name=self.name, version=version)
        except Refused as error:
            raise Failed(f"model {self.name}, version {version}: {error}") from None
        known: dict[str, Any] = found["model_version"]
        return known

    def _tell(self, version: str, told: dict[str, str]) -> None:
        for key, value in told.items():
            self._mlflow.post(
                "model-versions/set-tag",
                name=self.name,
                version=version,
                key=f"notehive.{key}",
                value=value,
            )


def promote_by_hand(mlflow: Mlflow, name: str, version: str, who: str, why: str) -> None:
    """Make a version the champion because somebody wants it."""
    versions = Versions(mlflow, name)
    versions.tags(version)
    versions.crown(version, who, why)


def rollback(mlflow: Mlflow, name: str, who: str, why: str) -> str:
    """Take back the last promotion because somebody wants it; give the champion's version."""
    return Versions(mlflow, name).roll_back(who, why)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
