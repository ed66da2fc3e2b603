"""What happens to a model: its project, its steps, its versions."""
