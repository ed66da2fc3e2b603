"""The peer: JupyterHub with stock SwarmSpawner, as dockerspawner's example for a Swarm has it."""

import os

from docker.types import Mount

c = get_config()  # type: ignore[name-defined]  # noqa: F821
stack = os.environ["STACK"]

c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
c.JupyterHub.db_url = "sqlite:////home/hub/jupyterhub.sqlite"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy:8001"

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "benchmark", "api_token": os.environ["API_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "benchmark",
        "services": ["benchmark"],
        "scopes": ["admin:users", "admin:servers", "tokens"],
    }
]

c.JupyterHub.spawner_class = "dockerspawner.SwarmSpawner"
c.SwarmSpawner.network_name = f"{stack}_users"
c.SwarmSpawner.use_internal_ip = True
c.SwarmSpawner.prefix = stack
c.SwarmSpawner.image = os.environ["NOTEBOOK_IMAGE"]
c.SwarmSpawner.cmd = [os.environ["NOTEBOOK_COMMAND"]]
c.SwarmSpawner.default_url = "/lab"
c.SwarmSpawner.cpu_limit = float(os.environ["CPU_LIMIT"])
c.SwarmSpawner.cpu_guarantee = float(os.environ["CPU_GUARANTEE"])
c.SwarmSpawner.mem_limit = int(os.environ["MEMORY_LIMIT"])
c.SwarmSpawner.mem_guarantee = int(os.environ["MEMORY_GUARANTEE"])
# SwarmSpawner's own is `vip`; a kernel without IPVS has to do without.
c.SwarmSpawner.extra_endpoint_spec = {"mode": os.environ["ENDPOINT_MODE"]}
# The same patience as Notehive's.
c.SwarmSpawner.start_timeout = 300
c.SwarmSpawner.http_timeout = 60


def give_home(spawner):  # type: ignore[no-untyped-def]
    """Mount a volume as the home: SwarmSpawner's own `volumes` are directories of the host."""
    home = Mount("/home/jovyan", f"{stack}-home-{spawner.user.name}", type="volume")
    spawner.extra_container_spec = {"mounts": [home]}


c.SwarmSpawner.pre_spawn_hook = give_home
