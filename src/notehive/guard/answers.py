"""What of the engine's answers is passed on: never an environment, a command or a secret."""

from collections.abc import Mapping
from typing import Any

# The keys of an object that are passed on, each with the shape of its value; None is all of it.
# The shape of a list is that of each of its items.
Shape = Mapping[str, Any] | None

VERSION: Shape = {"Version": None, "ApiVersion": None, "MinAPIVersion": None}
TASK: Mapping[str, Any] = {
    "ID": None,
    "ServiceID": None,
    "NodeID": None,
    "CreatedAt": None,
    "DesiredState": None,
    "Status": {"State": None, "Err": None, "ContainerStatus": {"ExitCode": None}},
    "Spec": {"Resources": None},
    "NetworksAttachments": {
        "Network": {"ID": None, "Spec": {"Name": None}},
        "Addresses": None,
    },
}
TASK_IN_CONTAINER: Shape = {
    **TASK,
    "Status": {
        "State": None,
        "Err": None,
        "ContainerStatus": {"ExitCode": None, "ContainerID": None},
    },
}
NODE: Shape = {
    "ID": None,
    "Spec": {"Role": None, "Availability": None, "Labels": None},
    "Description": {
        "Hostname": None,
        "Platform": None,
        "Resources": None,
        "Engine": {"Labels": None},
    },
    "Status": {"State": None},
}
NETWORK: Shape = {"Id": None, "Name": None, "IPAM": {"Config": {"Subnet": None}}}
OBJECT: Mapping[str, Any] = {"ID": None, "CreatedAt": None, "Spec": {"Name": None, "Labels": None}}
SERVICE: Shape = {**OBJECT, "Spec": {**OBJECT["Spec"], "Mode": None}}
CREATED: Shape = {"ID": None, "Warnings": None}


def reduce(data: Any, shape: Shape) -> Any:
    """Give of an answer what its shape has."""
    if shape is None:
        return data
    if isinstance(data, list):
        return [reduce(each, shape) for each in data]
    if isinstance(data, dict):
        return {key: reduce(data[key], inner) for key, inner in shape.items() if key in data}
    return None
