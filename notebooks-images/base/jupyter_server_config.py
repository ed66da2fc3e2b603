"""What differs from the defaults of Jupyter Server, JupyterLab and their extensions."""

c = get_config()  # noqa: F821

# Deleting frees the space: a container has no desktop on which to empty a trash.
c.FileContentsManager.delete_to_trash = False

# The container's environment is that of a login already; a login shell would reset its PATH.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

# Packages land in the home, where the server by intent does not look for its own.
c.LabApp.extension_manager = "readonly"

# The status bar shows the server against MEM_LIMIT and CPU_LIMIT, which JupyterHub sets.
c.ResourceUseDisplay.track_cpu_percent = True
c.ResourceUseDisplay.show_host_usage = False
# It would warn from 0.9 % of a CPU on, as it takes CPU_LIMIT's CPUs for percents. Nor is a busy CPU
# anything to warn of; full memory, which ends kernels, is.
c.ResourceUseDisplay.cpu_warning_threshold = 0
# Measuring once a second for metrics that nobody collects keeps idle servers busy.
c.ResourceUseDisplay.enable_prometheus_metrics = False

# notehive.lab tells the hub when the server was last used: this would count an open page as use.
c.JupyterHubSingleUser.hub_activity_interval = 0
# A panel that shows a kernel's memory asks for it as long as it is open.
c.MappingKernelManager.untracked_message_types.extend(["usage_request", "usage_reply"])
