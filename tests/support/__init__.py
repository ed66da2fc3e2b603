"""What the tests on a real Swarm share."""
