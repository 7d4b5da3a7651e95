"""The command line. Each command is thin: it reads its arguments, calls one function, prints.

Imports are inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from schemas.errors import LookthroughError
from schemas.registry import FeedFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.feed import Receipt

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
COLLECTED_EVERY: Final = (50_000, 20, 20)
"""New objects, then young, then middle-aged collections after which Python looks for cycles that nothing
reaches. A service drops nearly all it makes at once, or keeps it: at the default of 700, 10 and 10 the
search took 0.7 us of the 17 that the detector spent on a transfer; so it takes a tenth of that."""


class Commands(click.Group):
    """Deliberate errors become one line and exit status 1; anything else is a bug and keeps its trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LookthroughError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lookthrough")
def main() -> None:
    """Lookthrough 穿透: watch money, not paperwork."""
    gc.set_threshold(*COLLECTED_EVERY)


@main.command()
@click.option(
    "--data", type=FOLDER, default=Path("var/embedded"), show_default=True, help="Where all is kept."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Of the simulated world.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Days it lasts.")
def run(data: Path, port: int, seed: int, days: int) -> None:
    """Run everything in this process on a simulated custody-bank feed. No server is needed.

    \b
    Examples:
      lookthrough run
      lookthrough run --port 8080 --seed 3 --data /tmp/lookthrough
    """
    from lookthrough.embedded import run as run_embedded

    run_embedded(data, port=port, seed=seed, days=days, echo=click.echo)


@main.command()
@click.option("--seed", type=click.IntRange(0), required=True)
@click.option("--days", type=click.IntRange(1, 3660), required=True)
@click.option(
    "--size",
    type=click.Choice(["small", "large", "million"]),
    default="small",
    show_default=True,
    help="Of the world: 5,000 people, 100,000 or a million.",
)
@click.option("--out", type=FOLDER, required=True, help="A folder; made when absent.")
def simulate(seed: int, days: int, size: str, out: Path) -> None:
    """Write a labelled data set: transactions, labels, patterns, accounts, registry.

    \b
    Examples:
      lookthrough simulate --seed 1 --days 30 --out build/world
      lookthrough simulate --seed 1 --days 365 --size large --out build/year
    """
    from simulator.dataset import write
    from simulator.parameters import SIZES
    from simulator.world import simulate as build_world

    world = build_world(seed, days, size=SIZES[size])
    with click.progressbar(length=days, label="Simulating days") as bar:
        write(world, out, lambda _done, _all: bar.update(1))
    click.echo(
        f"Wrote {out}: transactions.csv, balances.csv, labels.csv, patterns.csv, accounts.csv, registry/"
    )


@main.command()
@click.option("--transactions", "files", type=FILE, required=True, multiple=True, help="May be given again.")
@click.option(
    "--registry", type=FOLDER, help="A folder of *.ndjson; without it only generic shapes are seen."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.argument("more", nargs=-1, type=FILE)
def detect(files: tuple[Path, ...], more: tuple[Path, ...], registry: Path | None, out: Path) -> None:
    """Run the detector over files, offline. The same input gives the same bytes.

    \b
    Examples:
      lookthrough detect --transactions build/world/transactions.csv \\
          --registry build/world/registry --out alerts.jsonl
      lookthrough detect --transactions january.csv.gz february.csv.gz --out alerts.jsonl
    """
    from lookthrough.detect import detect as detect_files
    from lookthrough.warming import warm_if_changed
    from schemas.law import load_law
    from services.detector.engine import Engine

    warm_if_changed(click.echo)
    files = (*files, *more)
    size = sum(file.stat().st_size for file in files)
    with click.progressbar(length=size, label="Reading") as bar:
        summary = detect_files(files, registry, out, Engine(load_law()), bar.update)
    read = f"{summary.transfers:,} transfers, {summary.balances:,} balances"
    click.echo(f"{read}, {summary.rejected:,} rejected → {out}")
    click.echo(f"{len(summary.alerts):,} alerts")
    for typology, count in summary.by_typology().items():
        click.echo(f"  {typology:<20} {count:>8,}")
    if summary.rejected:
        click.echo(f"What was rejected, and why: {out}.rejects")
    if registry is None:
        click.echo(
            "No registry was given: only shapes that need none were looked for, with lower confidence."
        )


@main.command()
@click.option("--data", "folders", type=FOLDER, required=True, multiple=True, help="May be given again.")
@click.option("--out", type=FOLDER, required=True, help="A folder; made when absent.")
@click.argument("more", nargs=-1, type=FOLDER)
def evaluate(folders: tuple[Path, ...], more: tuple[Path, ...], out: Path) -> None:
    """Say how well the detector does on labelled sets: what it finds, misses, and raises in error.

    \b
    Examples:
      lookthrough simulate --seed 1 --days 92 --out build/world-1
      lookthrough evaluate --data build/world-1 --out build/evaluation
      lookthrough evaluate --data build/world-1 build/world-2 build/world-3 --out build/evaluation
    """
    from lookthrough.evaluation.evaluate import evaluate as evaluate_sets
    from lookthrough.evaluation.evaluate import size_of, table
    from lookthrough.warming import warm_if_changed

    warm_if_changed(click.echo)
    folders = (*folders, *more)
    with click.progressbar(length=sum(map(size_of, folders)), label="Detecting") as bar:
        figures = evaluate_sets(folders, out, bar.update)
    for line in table(figures):
        click.echo(line)
    click.echo(f"Figures: {out}/evaluation.json; to read: {out}/evaluation.html")


def _service_options(command: Callable[..., None]) -> Callable[..., None]:
    """--url and --key of the commands that talk to a running service."""
    for option in (
        click.option(
            "--key", envvar="LOOKTHROUGH_KEY", help="The feed's or operator's key [LOOKTHROUGH_KEY]."
        ),
        click.option(
            "--url",
            envvar="LOOKTHROUGH_INGEST_URL",
            default="http://127.0.0.1:8000",
            show_default=True,
            help="The ingest service (after `make up`: http://127.0.0.1:8001).",
        ),
    ):
        command = option(command)
    return command


@main.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--feed", required=True, help="The feed's id, as registered.")
@click.option(
    "--format",
    "format_",
    type=click.Choice([f.value for f in FeedFormat]),
    help="Default: told from the file.",
)
@click.option("--sequence", type=click.IntRange(0), help="Of the first file; the others count on from it.")
@click.option("--control-count", type=click.IntRange(0), help="Records the file must hold (one file only).")
@click.option(
    "--control-sum", type=Decimal, help="What its amounts must add up to, major units (one file only)."
)
@_service_options
def ingest(
    files: tuple[Path, ...],
    feed: str,
    format_: str | None,
    sequence: int | None,
    control_count: int | None,
    control_sum: Decimal | None,
    url: str,
    key: str | None,
) -> None:
    """Push files to a running service as one batch each, and print the receipts. A file of balances
    (account,as_of,kind,balance,currency) is told by its header, and is no batch.

    \b
    Examples:
      lookthrough ingest statement.xml --feed bank_a
      lookthrough ingest balances.csv --feed bank_a
      lookthrough ingest day1.csv day2.csv --feed bank_a --sequence 41
    """
    from lookthrough.client import PushClient

    if len(files) > 1 and (control_count is not None or control_sum is not None):
        raise click.UsageError("control totals go with one file at a time")
    client = PushClient(url, key)
    refused = 0
    of_balances = [file for file in files if _holds_balances(file)]
    for file in of_balances:
        with click.progressbar(length=file.stat().st_size, label=file.name) as bar:
            answer = client.push_balances(file, feed, bar.update)
        click.echo(f"{file.name}: " + ", ".join(f"{name} {value}" for name, value in answer.items()))
    for position, file in enumerate(file for file in files if file not in of_balances):
        with click.progressbar(length=file.stat().st_size, label=file.name) as bar:
            receipt = client.push(
                file,
                feed,
                sequence=None if sequence is None else sequence + position,
                format=FeedFormat(format_) if format_ else None,
                control_count=control_count,
                control_sum=control_sum,
                progress=bar.update,
            )
        refused += receipt.status == "rejected"
        click.echo(_receipt_line(receipt))
    if refused:
        raise click.ClickException(f"{refused} of {len(files)} batches were rejected")


def _holds_balances(file: Path) -> bool:
    from services.ingest.statements import HEAD_BYTES, is_balances

    with file.open("rb") as stream:
        return is_balances(stream.read(HEAD_BYTES))


def _receipt_line(receipt: Receipt) -> str:
    line = (
        f"{receipt.status}{' (seen before)' if receipt.duplicate else ''}: {receipt.accepted:,} accepted, "
        f"{receipt.rejected:,} rejected of {receipt.records:,}; batch {receipt.batch_id}"
    )
    if receipt.reason:
        line += f"\n  {receipt.reason}"
    if receipt.rejects:
        line += f"\n  rejects: {', '.join(receipt.rejects[:5])}{' …' if receipt.rejected > 5 else ''}"
    return line


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@_service_options
def register(paths: tuple[Path, ...], url: str, key: str | None) -> None:
    """Send registry records: *.ndjson files, or folders of them.

    \b
    Example:
      lookthrough register build/world/registry
    """
    from lookthrough.client import PushClient

    client = PushClient(url, key)
    for path in paths:
        for file in sorted(path.glob("*.ndjson")) if path.is_dir() else [path]:
            answer = client.push_registry(file)
            click.echo(f"{file.name}: " + ", ".join(f"{name} {value}" for name, value in answer.items()))


@main.command()
@click.argument("reject_id")
@click.argument("record", type=FILE)
@_service_options
def resend(reject_id: str, record: Path, url: str, key: str | None) -> None:
    """Send the repaired record (a JSON file) of a reject.

    \b
    Example:
      lookthrough resend 0b9d4e7f21c84a63b5e0f1d2c3a4958b repaired.json
    """
    from lookthrough.client import PushClient

    answer = PushClient(url, key).resend(reject_id, record.read_bytes())
    click.echo(", ".join(f"{name} {value}" for name, value in answer.items()))


@main.group()
def serve() -> None:
    """The deployed services, one process each. Settings come from the environment (deploy/README.md)."""


@serve.command("ingest")
def serve_ingest() -> None:
    """The push endpoint, and the readers of the topics that banks write to."""
    from services.ingest.service import run as run_ingest
    from services.ingest.settings import Settings

    run_ingest(Settings.from_environment(os.environ))


@serve.command("detector")
def serve_detector() -> None:
    """One worker of the detector's consumer group."""
    from lookthrough.warming import warm as warm_kernels
    from schemas.law import load_law
    from services.detector.engine import Engine
    from services.detector.settings import Settings
    from services.detector.worker import run as run_worker

    settings, law = Settings.from_environment(os.environ), load_law()
    warm_kernels(click.echo)
    run_worker(settings, lambda: Engine(law))


@serve.command("recorder")
def serve_recorder() -> None:
    """From the log to the store."""
    from store.service import run as run_recorder

    run_recorder(os.environ)


@serve.command("api")
def serve_api() -> None:
    """What supervisors and dashboards read."""
    from services.api.service import run as run_api
    from services.api.settings import from_environment
    from store.settings import from_environment as store_from_environment

    run_api(from_environment(os.environ), store_from_environment(os.environ))


@main.command()
@click.option(
    "--partitions",
    type=click.IntRange(1, 1024),
    help="Of the topic transactions, when it is made now: as many as detector workers. Default: the topic's.",
)
def prepare(partitions: int | None) -> None:
    """Make the topics and bring the store's tables up to date. Harmless when done before."""
    from eventlog.kafka import KafkaLog
    from schemas.environment import Environment
    from schemas.topics import TOPICS, TRANSACTIONS
    from store.migrations import migrate
    from store.opening import open_database
    from store.settings import from_environment

    database = open_database(from_environment(os.environ))
    migrate(database)
    database.close()
    with KafkaLog(Environment(os.environ).kafka_bootstrap()) as log:
        if partitions is not None:
            log.create([replace(TRANSACTIONS, partitions=partitions)])
        log.create(TOPICS)
    click.echo("Topics and tables are there.")


@main.command()
def warm() -> None:
    """Compile every kernel that is not compiled yet, so that the first start is as fast as any other."""
    from lookthrough.warming import warm_if_changed

    warm_if_changed(click.echo)


if __name__ == "__main__":
    main()
