"""Results of the benchmarks of the model factory, as tables in Markdown for bench/README.md."""

from bench.report import JSON, ratio_words, seconds, table

WAYS = {
    "job": "a job of the Swarm",
    "tracked job": "the same, tracked in MLflow",
    "docker run": "its command by `docker run`",
    "papermill": "plain `papermill` by `docker run`",
}
AIRFLOWS = {"notehive": "Notehive", "stock": "stock Airflow, PapermillOperator"}


def batch(result: JSON) -> str:
    """Give the tables of bench/batch.py."""
    runs, chains = result["figures"]["runs"], result["figures"]["chains"]
    above = runs["job_above_docker_run"]
    return "\n\n".join(
        (
            table(
                ["21 cells, of their own", "median", "p95", "of it inside, median"],
                [
                    [
                        WAYS[name],
                        seconds(found["total"], "median"),
                        seconds(found["total"], "p95"),
                        seconds(found["inside"], "median"),
                    ]
                    for name, found in runs["seconds"].items()
                ],
            ),
            f"A job takes {above['median']:.2f} s above `docker run` (median of the pairs; p95 "
            f"{above['p95']:.2f} s), and {ratio_words(runs['job_to_papermill'])} of what plain "
            "`papermill` takes; its command alone takes "
            f"{ratio_words(runs['docker_run_to_papermill'])}.",
            table(
                ["21 cells, by Airflow", "notebook starts after", "p95", "run ends after", "p95"],
                [
                    [
                        AIRFLOWS[name],
                        seconds(found["to_start"], "median"),
                        seconds(found["to_start"], "p95"),
                        seconds(found["total"], "median"),
                        seconds(found["total"], "p95"),
                    ]
                    for name, found in chains["seconds"].items()
                ],
            ),
            f"Notehive's part of the whole: {ratio_words(chains['notehive_to_stock'])}.",
            circumstances(result),
        )
    )


def dags(result: JSON) -> str:
    """Give the tables of bench/dags.py."""
    making, stock, ours = (result["figures"][key] for key in ("making", "stock", "notehive"))
    rows = [
        [
            f"{making['dags'][kind]} of {making['dags']['all']} DAGs",
            seconds(making["seconds"][kind], "median"),
            seconds(making["importing_seconds"][kind], "median"),
            f"{making['mib'][kind]:.1f} MiB",
        ]
        for kind in ("one", "all")
    ]
    grown = ours["growth_mib"]["all"]
    return "\n\n".join(
        (
            table(["to make", "median", "of it imports", "memory"], rows),
            f"One takes {ratio_words(making['one_to_all']['seconds'])} of the time of all.",
            table(
                ["memory of Airflow's services", "idle", f"{ours['steps']} steps run", "more"],
                [
                    [
                        name if name != "all" else "all together",
                        f"{ours['idle_mib'][name]:.0f} MiB",
                        f"{ours['running_mib'][name]:.0f} MiB",
                        f"{ours['growth_mib'][name]:.0f} MiB",
                    ]
                    for name in ours["idle_mib"]
                ],
            ),
            f"That is {grown / ours['steps']:.2f} MiB for each step. Stock Airflow takes "
            f"{stock['idle_mib']:.0f} MiB idle, and for each notebook that runs "
            f"{stock['for_each_step_mib']['airflow']:.0f} MiB more, without its kernel.",
            circumstances(result),
        )
    )


def circumstances(result: JSON) -> str:
    """Say where a result comes from."""
    machine = result["machine"]
    return (
        f"`{result['command']}` at commit {result['commit']}, {result['at']}, on "
        f"{machine['cores']} cores, load {result['load_before']:.2f} before; "
        f"Docker {machine['docker']}."
    )
