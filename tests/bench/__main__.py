"""The benchmarks: `python -m tests.bench` runs all of them, `python -m tests.bench lag FOLDER` one."""

from pathlib import Path

import click


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Print tables of ratios, measured side by side in one run; without a command, all of them."""
    if context.invoked_subcommand is None:
        for command in (startup, lag, scale, fleet):
            context.invoke(command)


@main.command()
@click.option("--rounds", default=15, show_default=True, help="Rounds, each with every program once; 0 for none.")
@click.option("--older", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another checkout.")
def startup(rounds: int = 15, older: Path | None = None) -> None:
    """Instructions, time and memory from process start to the first request, and to the end."""
    from tests.bench import instructions
    from tests.bench import startup as bench

    instructions.report(older)
    if rounds:
        bench.report(rounds)


@main.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--builds", default=2000, show_default=True, help="Builds of a made-up trace.")
def lag(folder: Path | None = None, builds: int = 2000) -> None:
    """Lag and calls of schedules, on the traces in FOLDER or on made-up ones."""
    from tests.bench import lag as bench

    bench.report(folder, builds)


@main.command()
@click.option("--targets", "counts", multiple=True, type=int, default=(1, 10, 100, 500), show_default=True)
@click.option("--seconds", default=90.0, show_default=True, help="How long the longest build takes.")
@click.option("--real-time", is_flag=True, help="Wait for the limited service in real time too: half an hour.")
def scale(counts: tuple[int, ...], seconds: float, real_time: bool) -> None:
    """Many targets in one process, on the simulator in a process of its own."""
    from tests.bench import scale as bench

    bench.report(counts, seconds, real_time=real_time)


@main.command()
def lists() -> None:
    """Many targets at a limited service, with lists as hints and without, in virtual time."""
    from tests.bench import scale as bench

    bench.report_lists(bench.SETTINGS, bench.LONGEST_BUILD)


@main.command()
@click.option("--targets", "count", default=500, show_default=True)
@click.option("--seconds", default=150.0, show_default=True, help="How long the program runs.")
def memory(count: int, seconds: float) -> None:
    """Memory and processor time of one process that reads lists, in real time."""
    from tests.bench import scale as bench

    bench.report_memory(count, seconds)


@main.command()
@click.option("--gates", "fleets", multiple=True, type=(int, int), help="Small gates, and the targets of each.")
@click.option("--seconds", default=240.0, show_default=True, help="How long the longest build of small gates takes.")
@click.option("--on-paper", default=10_000, show_default=True, help="Gates of one build each on paper.")
def fleet(fleets: tuple[tuple[int, int], ...] = (), seconds: float = 240.0, on_paper: int = 10_000) -> None:
    """Small gates in one project, and thousands of gates on paper, under one account."""
    from tests.bench import fleet as bench
    from tests.bench import fleet_on_paper

    bench.report([bench.Fleet(*one) for one in fleets] or bench.FLEETS, seconds)
    fleet_on_paper.report(on_paper)


@main.command()
@click.option("--targets", "counts", multiple=True, type=int, default=(1, 10, 40), show_default=True)
@click.option("--seconds", default=6.0, show_default=True, help="How long the builds take.")
@click.option("--log", "logs", multiple=True, help="What the logs do, as the table says it; all that is known if none.")
def follow(counts: tuple[int, ...], seconds: float, logs: tuple[str, ...]) -> None:
    """Compare the moments of verdicts with `--follow` and without, whatever the logs do."""
    from tests.bench import follow as bench

    bench.report(counts, seconds, logs or tuple(bench.LOGS))


if __name__ == "__main__":
    main()
