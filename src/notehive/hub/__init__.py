"""JupyterHub for Notehive: its configuration, accounts, form and spawner."""
