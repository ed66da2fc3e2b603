"""The guard: the Docker API as a part of the platform may use it, instead of the engine's socket.

What is not named here is refused. What is let through is written anew from what was checked, so
that the engine cannot read it in another way than the guard did.
"""
