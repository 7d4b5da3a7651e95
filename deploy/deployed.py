"""The deployed shape on one machine without Docker: `up` and `down` beside this file run it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import click
from keys import Keys, digest, keys_of, write_access
from processes import Failed, Processes

HERE = Path(__file__).resolve().parent
LOOKTHROUGH = Path(sys.executable).with_name("lookthrough")
PORTS = {"kafka": 9092, "controller": 9093, "clickhouse": 9000, "ingest": 8001, "metrics": 9101, "api": 8000}


@dataclass(frozen=True)
class Shape:
    """What runs where. metrics: the first worker's port; each further one has the next."""

    folder: Path
    workers: int
    kafka: int
    controller: int
    clickhouse: int
    ingest: int
    metrics: int
    api: int


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str | Path, ...]
    environment: dict[str, str]
    ports: tuple[int, ...]
    ready: Callable[[str], bool]
    where: str


def servers(shape: Shape, keys: Keys) -> Iterator[Service]:
    data = shape.folder / "data"
    yield Service(
        "kafka",
        (HERE / "kafka" / "run", data / "kafka", str(shape.kafka), str(shape.controller)),
        {},
        (shape.kafka, shape.controller),
        lambda _: _listens(shape.kafka),
        f"127.0.0.1:{shape.kafka}",
    )
    yield Service(
        "clickhouse",
        (HERE / "clickhouse" / "run", data / "clickhouse", str(shape.clickhouse), shape.folder / "logs"),
        {"CLICKHOUSE_PASSWORD": keys.store},
        (shape.clickhouse,),
        lambda _: _listens(shape.clickhouse),
        f"127.0.0.1:{shape.clickhouse}",
    )


def services(shape: Shape, keys: Keys) -> Iterator[Service]:
    kafka = {"LOOKTHROUGH_KAFKA_BOOTSTRAP": f"127.0.0.1:{shape.kafka}"}
    store = {"LOOKTHROUGH_STORE_URL": _store_url(shape, keys)}
    spool = shape.folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    yield _service("recorder", "recorder", kafka | store, (), lambda said: "recording" in said, "no port")
    for number in range(shape.workers):
        port = shape.metrics + number
        metrics = {"LOOKTHROUGH_DETECTOR_METRICS_PORT": str(port)}
        yield _service(
            f"detector-{number + 1}",
            "detector",
            kafka | metrics,
            (port,),
            _answers(port, "/metrics"),
            f"http://127.0.0.1:{port}/metrics",
        )
    ingest = {
        "LOOKTHROUGH_TOKEN_KEY": keys.token,
        "LOOKTHROUGH_OPERATOR_KEY_SHA256": digest(keys.operator),
        "LOOKTHROUGH_SPOOL_FOLDER": str(spool),
        "LOOKTHROUGH_INGEST_PORT": str(shape.ingest),
    }
    ready = _answers(shape.ingest, "/ready")
    where = f"http://127.0.0.1:{shape.ingest}"
    yield _service("ingest", "ingest", kafka | ingest, (shape.ingest,), ready, where)
    access = {
        "LOOKTHROUGH_API_KEYS": str(write_access(shape.folder, keys)),
        "LOOKTHROUGH_API_PORT": str(shape.api),
    }
    ready = _answers(shape.api, "/ready")
    where = f"http://127.0.0.1:{shape.api}/docs"
    yield _service("api", "api", store | access, (shape.api,), ready, where)


def up(shape: Shape) -> None:
    """Start what does not run yet, in order, each when the one before is ready."""
    _require_servers()
    shape.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = keys_of(shape.folder)
    processes = Processes(shape.folder)
    _require_ports(processes, [*servers(shape, keys), *services(shape, keys)])
    _warm()
    for service in servers(shape, keys):
        _start(processes, service)
    _prepare(shape, keys)
    for service in services(shape, keys):
        _start(processes, service)
    click.echo(f"Keys: {shape.folder}/keys.json   logs: {shape.folder}/logs   stop: make down")


def down(folder: Path) -> None:
    if folder.is_dir():
        Processes(folder).stop_all(click.echo)


def _require_ports(processes: Processes, wanted: Iterable[Service]) -> None:
    for service in wanted:
        for port in () if processes.pid(service.name) else service.ports:
            if _listens(port):
                raise Failed(
                    f"port {port}, which {service.name} needs, is taken by another program; "
                    "deploy/up --help says how to choose another"
                )


def _start(processes: Processes, service: Service) -> None:
    if processes.pid(service.name) is None:
        processes.start(service.name, service.command, _inherited() | service.environment, service.ready)
    click.echo(f"{service.name:<12} {service.where:<34} pid {processes.pid(service.name)}")


def _warm() -> None:
    """Compile what has changed, which takes longer than a worker may until it is ready."""
    if _lookthrough("warm", environment={}).returncode:
        raise Failed("the detector's kernels could not be compiled")


def _prepare(shape: Shape, keys: Keys) -> None:
    environment = {
        "LOOKTHROUGH_KAFKA_BOOTSTRAP": f"127.0.0.1:{shape.kafka}",
        "LOOKTHROUGH_STORE_URL": _store_url(shape, keys),
    }
    done = _lookthrough("prepare", "--partitions", str(shape.workers), environment=environment, quiet=True)
    if done.returncode:
        raise Failed(f"topics and tables could not be made:\n{done.stdout}{done.stderr}")


def _lookthrough(
    *words: str, environment: dict[str, str], quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """The command run to its end. `quiet`: what it says is kept, not shown."""
    return subprocess.run(  # noqa: S603  # our own program
        [LOOKTHROUGH, *words],
        env=_inherited() | environment,
        capture_output=quiet,
        text=True,
    )


def _service(
    name: str,
    serve: str,
    environment: dict[str, str],
    ports: tuple[int, ...],
    ready: Callable[[str], bool],
    where: str,
) -> Service:
    return Service(name, (LOOKTHROUGH, "serve", serve), environment, ports, ready, where)


def _store_url(shape: Shape, keys: Keys) -> str:
    return f"clickhouse://default:{keys.store}@127.0.0.1:{shape.clickhouse}/default"


def _inherited() -> dict[str, str]:
    """This process's environment without settings of ours: what runs is what is written here."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOOKTHROUGH_")}


def _require_servers() -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    missing = [name for name in ("java", "clickhouse-server") if shutil.which(name, path=path) is None]
    if not (HERE / "kafka" / "target" / "fetched").exists():
        missing.append("Kafka's jars")
    if missing:
        raise Failed(f"{', '.join(missing)} missing here: run deploy/install-servers (or `make servers`)")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int, path: str) -> Callable[[str], bool]:
    def ready(_: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    return ready


@click.group()
def main() -> None:
    """The deployed shape on this machine: Kafka, ClickHouse, recorder, detector, ingest, api."""


FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default=Path("var/deployed"),
    show_default=True,
    help="Data, logs, pids and keys.",
)


def _port_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, port in reversed(PORTS.items()):
        command = click.option(f"--{name}", type=click.IntRange(1, 65535), default=port, show_default=True)(
            command
        )
    return command


@main.command("up")
@FOLDER
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Of the detector.")
@_port_options
def up_command(folder: Path, workers: int, **ports: int) -> None:
    """Start what does not run yet. Each waits for the one before it to be ready."""
    try:
        up(Shape(folder, workers, **ports))
    except Failed as failure:
        raise click.ClickException(str(failure)) from None


@main.command("down")
@FOLDER
def down_command(folder: Path) -> None:
    """Stop what `up` started in this folder, last first, and nothing else."""
    try:
        down(folder)
    except Failed as failure:
        raise click.ClickException(str(failure)) from None


if __name__ == "__main__":
    main()
