"""The Dockerfiles of models' images. A project's own is never used.

What is fetched stands in the build's context, and no step has a network.
"""

PLACE = "/opt/model"  # of a project's files, in its image
USER = "jovyan"

INSTALL_PACKAGES = """\
RUN --mount=type=bind,source=packages,target=/tmp/packages \\
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\
      /tmp/packages/*.deb \\
    && rm -rf /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old /var/lib/dpkg/*-old
"""
# Byte-compiled: a step's start would spend seconds on it each time. Wheels run nothing.
INSTALL_WHEELS = """\
RUN --mount=type=bind,source=wheels,target=/tmp/wheels \\
    uv pip install --system --offline --no-index --no-deps --no-cache --link-mode=copy \\
      --compile-bytecode /tmp/wheels/*.whl
# With these a container waits for its walls; a wheel may bring files of any name.
COPY --from=platform /usr/local/bin/walled /usr/local/bin/docker-entrypoint /usr/local/bin/
"""


def dependencies(base: str, *, packages: bool, wheels: bool) -> str:
    """Give that of the image with what a project needs, and nothing of the project.

    ``packages`` and ``wheels``: whether there are some in the context's folder of that name.
    """
    steps = (INSTALL_PACKAGES if packages else "") + (INSTALL_WHEELS if wheels else "")
    return f"FROM {base} AS platform\n\nFROM {base}\nUSER root\n{steps}USER {USER}\n"


def model(base: str, time: int) -> str:
    """Give that of a model's image, from the project's files in the context's folder `project`.

    They are root's, in one layer that equal files make equal: ``time`` (Unix) is all that it tells
    of when, which what Python compiles repeats. It compiles without what the project has installed
    (-IS), as that could have code that every start of Python runs; a file that is no Python stays
    as it is.
    """
    return f"""\
FROM {base} AS files
USER root
COPY project/ /files{PLACE}/
RUN find /files -exec touch --no-dereference --date=@{time} {{}} + ; \\
    python3 -IS -m compileall -qq -s /files -p / /files || true; \\
    find /files -exec touch --no-dereference --date=@{time} {{}} +

FROM {base}
COPY --from=files /files/ /
WORKDIR {PLACE}
USER {USER}
"""


def notebook_image(base: str) -> str:
    """Give that of a notebook image: what it is made for are its dependencies."""
    return f"FROM {base}\nUSER {USER}\n"
