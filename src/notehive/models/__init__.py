"""A model project: what its model.yml says, what is wrong with it, and what happens to it.

Copied to the notebook images, where the start of a step imports it: nothing heavy at import.
"""
