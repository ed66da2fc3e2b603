"""Measurements of what is promised to operators and users; results in bench/results/."""
