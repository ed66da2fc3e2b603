"""Groups' repositories over HTTP: who may fetch, push and look, and what git and cgit are told."""
