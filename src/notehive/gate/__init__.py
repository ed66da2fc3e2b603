"""The gate: who is asking, and may they? One JupyterHub login for every page behind Nginx."""
