"""The verbs of `notehive model`: one module each, which imports what is heavy when it is run."""
