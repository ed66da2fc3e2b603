"""What Notehive adds to each user's Jupyter server: its start, activity, notices.

All of it runs in the notebook images, where every import is paid for at each start.
"""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "notehive.lab.extension"}]
