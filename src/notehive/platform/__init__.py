"""What `up`, `down` and `status` do: one module a step."""
