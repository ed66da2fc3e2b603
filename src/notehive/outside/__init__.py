"""Repositories that a server outside serves: told of by its webhook, fetched, and answered."""
