"""Jenkins, as other parts of the platform ask it for releases."""
