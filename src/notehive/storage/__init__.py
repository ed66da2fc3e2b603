"""The keeper of the storage: it makes homes and shared folders, and measures them.

It has no rights but those of the user of notebook servers, to whom all of them belong, and knows
no users: directories are named by whoever asks.
"""
