"""One step of a model's pipeline, run in a job's container: a notebook, or a built-in."""
