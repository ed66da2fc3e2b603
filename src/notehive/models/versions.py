"""The versions of a model in MLflow's registry: which is champion, who made it that, and why."""

from typing import Any

from notehive.models import champions
from notehive.models.champions import Change
from notehive.models.rest import Mlflow, Refused
from notehive.models.step.failure import Failed

CHAMPION, CHALLENGER = "champion", "challenger"
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


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

    def require(self, version: str) -> None:
        """Raise Failed if there is no such version."""
        self._get(version)

    def trained_by(self, version: str) -> str:
        """Give the run that a version is of; nothing if it is of none."""
        return str(self._get(version).get("run_id", ""))

    def changes(self) -> list[Change]:
        """Give the changes of the champion, the oldest first; raise Refused for no such model."""
        found = self._mlflow.get("registered-models/get", name=self.name)["registered_model"]
        return champions.changes({tag["key"]: tag["value"] for tag in found.get("tags", [])})

    def crown(self, version: str, who: str, why: str) -> None:
        """Make a version the champion, and say on it who did so and why.

        If it was the challenger, it is that no more.
        """
        before = self.holder(CHAMPION) or ""
        if before != version:
            change = Change(champions.PROMOTED, version, before, who, why, champions.now())
            told = {"by": who, "why": why, "at": change.at, "before": before or "none"}
            self._tell(version, "champion", told)
            self._move(change)
        self.dismiss(version)

    def dismiss(self, version: str) -> None:
        """Take the alias `challenger` from a version that has it."""
        if self.holder(CHALLENGER) == version:
            self._mlflow.delete("registered-models/alias", name=self.name, alias=CHALLENGER)

    def roll_back(self, who: str, why: str) -> str:
        """Make the champion of before champion again; give its version.

        A version that is not there any more is passed over. Raise Failed if none is left.
        """
        current = self.holder(CHAMPION) or ""
        before = next(filter(self._is_there, champions.earlier(self.changes(), current)), "")
        if not before:
            said = f"has had no champion before version {current}" if current else "has no champion"
            raise Failed(f"model {self.name}: {said}; promote a version")
        change = Change(champions.ROLLED_BACK, before, current, who, why, champions.now())
        if current:
            self._tell(current, "rolled_back", {"by": who, "why": why, "at": change.at})
        self._move(change)
        return before

    def _move(self, change: Change) -> None:
        """Write a change down, and make it: in this order none is ever made that nobody knows."""
        key, value = champions.tag(change)
        self._mlflow.post("registered-models/set-tag", name=self.name, key=key, value=value)
        self._mlflow.post(
            "registered-models/alias", name=self.name, alias=CHAMPION, version=change.version
        )

    def _is_there(self, version: str) -> bool:
        try:
            self.require(version)
        except Failed:
            return False
        return True

    def _get(self, version: str) -> dict[str, Any]:
        try:
            found = self._mlflow.get("model-versions/get", name=self.name, version=version)
        except Refused as error:
            raise Failed(f"model {self.name}, version {version}: {error}") from None
        known: dict[str, Any] = found["model_version"]
        return known

    def _tell(self, version: str, about: str, told: dict[str, str]) -> None:
        for key, value in told.items():
            self._mlflow.post(
                "model-versions/set-tag",
                name=self.name,
                version=version,
                key=f"notehive.{about}_{key}",
                value=value,
            )
