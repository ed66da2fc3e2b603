"""What the services of one client may hold, beside what `notehive.guard.body` lets everybody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notehive.guard import own
from notehive.guard.body import Service
from notehive.guard.container import Mount, SecretReference
from notehive.guard.most import Most
from notehive.guard.refused import RefusedError
from notehive.settings import OwnConfig

LabelSet = Mapping[str, str]
RESERVED = ("notehive.", "com.docker.")  # beginnings of labels by which the platform finds things


@dataclass(frozen=True)
class Rules:
    """What one client's services may hold."""

    labels: LabelSet  # that each has
    known: frozenset[str]  # those of the platform's labels that a client may set
    name: Callable[[LabelSet], str]  # of a service, by its labels
    may_run: Callable[[LabelSet, str], bool]  # an image, by a service's labels
    network: str
    constraints: frozenset[str]  # that each has
    command: Sequence[str]  # of each, before its own arguments
    sysctls: Mapping[str, str]  # that each has, and no others
    configs: Sequence[tuple[str, str, str]]  # that it may have: id, name, and the file's
    most: Most
    mounts: Callable[[LabelSet], Sequence[Mount]]  # by labels; to be written or read only
    token: LabelSet  # labels of the secrets that are one service's own
    same: Sequence[str]  # labels that a service and its own secrets have alike
    own_config: OwnConfig

    def check(self, service: Service) -> None:
        """Raise RefusedError for a service that may not be, but for its secrets."""
        task = service.TaskTemplate
        container = task.ContainerSpec
        self.check_labels("Labels", service.Labels, self.labels)
        self.check_labels("TaskTemplate.ContainerSpec.Labels", container.Labels, self.labels)
        for key in self.known:
            if service.Labels.get(key) != container.Labels.get(key):
                raise RefusedError(f"Labels: {key} is not the same in ContainerSpec.")
        if service.Name != self.name(service.Labels):
            raise RefusedError(f"Name: {service.Name!r} is not the name that the labels make.")
        if not self.may_run(service.Labels, container.Image):
            raise RefusedError(f"Image: {container.Image!r} is none that this service may run.")
        self._check_networks([network.Target for network in task.Networks])
        if container.Command != self.command:
            raise RefusedError(f"Command: it is {' '.join(self.command)}, and no other.")
        for config in container.Configs:
            if (config.ConfigID, config.ConfigName, config.File.Name) not in self.configs:
                raise RefusedError(f"Configs: {config.ConfigName} is not for users' servers.")
        if container.Sysctls != self.sysctls:
            raise RefusedError(f"Sysctls: these are set, and no others: {dict(self.sysctls)}.")
        if missing := self.constraints - set(task.Placement.Constraints):
            raise RefusedError(f"Placement.Constraints: without {min(missing)}.")
        self.most.check(task.Resources)
        stored = self.mounts(service.Labels)
        for mount in container.Mounts:
            self._check_mount(mount, stored)

    def check_labels(self, place: str, labels: LabelSet, wanted: LabelSet) -> None:
        """Raise RefusedError unless these labels are there, and none that is not ours to set."""
        for key, value in wanted.items():
            if labels.get(key) != value:
                raise RefusedError(f"{place}: without {key}={value}.")
        for key in self.known:
            if key not in labels:
                raise RefusedError(f"{place}: without {key}.")
        for key in labels:
            if key not in self.known and key.lower().startswith(RESERVED):
                raise RefusedError(f"{place}: {key} is the platform's own.")

    def check_secret(
        self, service: Service, reference: SecretReference, found: Mapping[str, Any]
    ) -> None:
        """Raise RefusedError for a secret, as the engine describes it, that is not for a service.

        It is by its labels the service's own, or one that the operator names.
        """
        name, labels = found["Spec"]["Name"], found["Spec"].get("Labels") or {}
        if (found["ID"], name) != (reference.SecretID, reference.SecretName):
            raise RefusedError(f"Secrets: {reference.SecretID} is not called that.")
        if own.names(self.own_config.secrets, name):
            return
        owned = {key: service.Labels[key] for key in self.same}
        if any(labels.get(key) != value for key, value in {**self.token, **owned}.items()):
            raise RefusedError(
                f"Secrets: {name} is not of this server; if your own configuration gives it, "
                "name it in settings.yml, own_config.secrets:"
            )

    def _check_networks(self, names: Sequence[str]) -> None:
        if self.network not in names:
            raise RefusedError(f"Networks: without {self.network}.")
        for name in names:
            if name != self.network and not own.names(self.own_config.networks, name):
                raise RefusedError(
                    f"Networks: {name} is not that of users' servers; if your own configuration "
                    "gives it, name it in settings.yml, own_config.networks:"
                )

    def _check_mount(self, mount: Mount, stored: Sequence[Mount]) -> None:
        if mount.Type == "tmpfs":
            if mount.Source or mount.VolumeOptions:
                raise RefusedError(f"Mounts: {mount.Target}: a tmpfs has no source.")
            return
        if mount.model_copy(update={"ReadOnly": False}) in stored:
            return
        if not own.names_mount(self.own_config, mount):
            raise RefusedError(
                f"Mounts: {mount.Source} at {mount.Target} is not of this server's user; if your "
                "own configuration gives it, name it in settings.yml, own_config.mounts:"
            )
