"""``python3 -m notehive.hub``: what the hub's container runs."""

from notehive.hub.app import NotehiveHub

if __name__ == "__main__":
    NotehiveHub.launch_instance()
