"""Smoke: what a release tries in its new image, before anything is released.

Each notebook of each pipeline is run as a step of a run is, and then the project's own tests.
MLflow is a store of the container's own meanwhile, which goes with it.
"""
