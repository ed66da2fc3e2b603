"""Notehive: a data-science workbench for a team, on Docker Swarm."""

__version__ = "0.1.0"
