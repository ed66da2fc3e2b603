"""Walls around users' servers: what one may reach is decided in its own network namespace.

Each node runs this as root on the node's network. The namespace of a server is known by the mark
that the hub gives it, gets its rules before its first program runs, and then carries a sign that
`walled` (in the notebook images) waits for. All that is known of a server stands in its namespace:
a wall that starts anew finds what there is, and one that ends leaves the rules standing.
"""

PORT = 8888  # of JupyterLab, in each server

# A kernel parameter of a server's namespace, by which it is known from the platform's own. It does
# no harm: the kernel does not give this port to a program that asks for any.
MARK = ("net.ipv4.ip_local_reserved_ports", str(PORT))

# Where the sign stands: the alias of the loopback interface. Every program can read it there, at
# /sys/class/net/lo/ifalias, and only root in the node's own user namespace can write it.
SIGN = "notehive-wall"
