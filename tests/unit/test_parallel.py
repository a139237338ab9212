"""Tasks are done in their order, here, in processes or on a cluster; a killed worker loses its running task alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from snnlab.zoo.parallel import Task, run

Work = Callable[..., Any]

pytestmark = pytest.mark.slow


def _work(folder: Path) -> Work:
    """A task that writes down each time it runs. Made inside a function, so that it travels to a worker by value."""

    def work(name: str, deadly: bool) -> str:
        import os
        import signal
        import time

        with (folder / name).open("a") as log:
            log.write("run\n")
        if deadly and (folder / name).read_text().count("run") == 1:
            time.sleep(1)  # what this worker has finished before is kept by then
            os.kill(os.getpid(), signal.SIGKILL)
        return name.upper()

    return work


def _tasks(folder: Path, kept: list[str], deadly: str = "") -> list[Task]:
    """Four tasks: ``c`` after ``a`` and ``b``, ``d`` alone."""
    after = {"a": (), "b": (), "c": ("a", "b"), "d": ()}

    def prepare(name: str) -> Callable[[], tuple[Any, ...]]:
        def arguments() -> tuple[Any, ...]:
            assert all(n.upper() in kept for n in after[name])  # what it waits for has been kept
            return _work(folder), name, name == deadly

        return arguments

    return [Task(name, prepare(name), kept.append, after[name], cost=ord(name)) for name in after]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50) as found:
        yield found


def test_every_task_is_done_once_after_those_it_waits_for(tmp_path: Path) -> None:
    kept: list[str] = []
    run(_tasks(tmp_path, kept), progress=False)
    assert kept == ["D", "B", "A", "C"]  # of those that are ready, the costliest first


@pytest.mark.parametrize("deadly", ["", "a", "c"])
def test_a_killed_worker_loses_its_running_task_alone(deadly: str, tmp_path: Path, cluster: LocalCluster) -> None:
    kept: list[str] = []
    run(_tasks(tmp_path, kept, deadly), scheduler=cluster.scheduler_address, progress=False)
    assert sorted(kept) == ["A", "B", "C", "D"]
    assert kept.index("C") > max(kept.index("A"), kept.index("B"))
    runs = {path.name: path.read_text().count("run") for path in tmp_path.iterdir()}
    assert runs == {name: 2 if name == deadly else 1 for name in "abcd"}


def test_processes_of_this_machine_do_the_same(tmp_path: Path) -> None:
    kept: list[str] = []
    run(_tasks(tmp_path, kept), jobs=2, progress=False)
    assert sorted(kept) == ["A", "B", "C", "D"]


def test_an_error_of_a_task_reaches_the_caller(tmp_path: Path) -> None:
    def fails() -> None:
        raise ValueError("the loss is not finite")

    for options in ({"jobs": 1}, {"jobs": 2}):
        with pytest.raises(ValueError, match="the loss is not finite"):
            run([Task("t", lambda: (fails,), print)], progress=False, **options)


def test_a_scheduler_that_does_not_answer_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.zoo.parallel.PATIENCE", "1s")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ValueError, match="no Dask scheduler answers at tcp"):
        run([Task("t", lambda: (print,), print)], scheduler=address, progress=False)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="jobs must be at least 1"):
        run([Task("t", lambda: (print,), print)], jobs=0, progress=False)
    circle = [Task(a, lambda: (print,), print, (b,)) for a, b in (("x", "y"), ("y", "x"))]
    with pytest.raises(ValueError, match="wait for each other: x, y"):
        run(circle, progress=False)
    run([], jobs=2, progress=False)  # nothing to do, nothing started
