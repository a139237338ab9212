"""Run tasks in this process, in processes of this machine, or on a cluster, both by Dask.

A task is ready when those in its ``after`` are finished. Its input is made only then, and its result is stored at once, both in
this process: a worker that dies loses its running task alone, which another repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR
from typing import TYPE_CHECKING, Any

import torch
from tqdm.auto import tqdm

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Task", "run"]

PATIENCE = "10s"  # for a scheduler to answer


@dataclass(frozen=True)
class Task:
    """A piece of work.

    Args:
        name: unique, as the progress bar shows it.
        prepare: returns the function and its arguments, which must pickle.
        keep: takes the result.
        after: names of tasks that come first; one that is not in the list counts as finished.
        cost: ready tasks start in order of cost, the highest first.
    """

    name: str
    prepare: Callable[[], tuple[Any, ...]]
    keep: Callable[[Any], None]
    after: tuple[str, ...] = ()
    cost: float = 1.0


def run(tasks: Sequence[Task], *, jobs: int = 1, scheduler: str | None = None, progress: bool = True) -> None:
    """Run all tasks; arguments as in ``snnlab.zoo.build.build``.

    Raises:
        ValueError: fewer than one job, a scheduler that does not answer, tasks that wait for each other.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs!r}")
    waiting = list(tasks)
    with tqdm(total=len(tasks), unit="task", disable=not progress) as bar:
        for task, result in _here(waiting) if scheduler is None and jobs == 1 else _on_workers(waiting, jobs, scheduler):
            task.keep(result)
            waiting.remove(task)
            bar.set_postfix_str(f"finished {task.name}")
            bar.update()


def _ready(waiting: Sequence[Task]) -> list[Task]:
    """Return the tasks that wait for no other, costliest first."""
    unfinished = {task.name for task in waiting}
    ready = [task for task in waiting if not unfinished.intersection(task.after)]
    if not ready:
        raise ValueError(f"these tasks wait for each other: {', '.join(sorted(unfinished))}")
    return sorted(ready, key=lambda task: -task.cost)


def _here(waiting: list[Task]) -> Iterator[tuple[Task, Any]]:
    """Yield each task with its result; who takes them removes them from ``waiting``."""
    while waiting:
        task = _ready(waiting)[0]
        function, *arguments = task.prepare()
        yield task, function(*arguments)


def _on_workers(waiting: list[Task], jobs: int, scheduler: str | None) -> Iterator[tuple[Task, Any]]:
    if not waiting:
        return
    with _client(jobs, scheduler) as client:
        from distributed import KilledWorker, as_completed

        finished, running = as_completed(), dict[str, Task]()
        while waiting:
            # One task a worker: a queue in the scheduler can leave a worker idle. A cluster may grow.
            free = max(1, sum(client.nthreads().values())) - len(running)
            for task in [task for task in _ready(waiting) if task.name not in running][: max(0, free)]:
                function, *arguments = task.prepare()
                running[task.name] = task
                finished.add(client.submit(_alone, function, arguments, key=task.name, pure=False, priority=task.cost))
            future = next(finished)
            try:
                result = future.result()  # raises what the task raised
            except KilledWorker:
                raise ValueError(
                    f"{future.key!r} has killed its worker several times, perhaps for lack of memory; finished tasks are "
                    "stored, and the same command continues"
                ) from None
            yield running.pop(future.key), result
            future.release()


def _alone(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Run on one thread: as many processes as cores share the machine."""
    torch.set_num_threads(1)
    return function(*arguments)


@contextmanager
def _client(jobs: int, scheduler: str | None) -> Iterator[Client]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise ValueError("several processes need the package distributed; pip install 'snnlab[cluster]'") from None
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"no Dask scheduler answers at {scheduler} ({error}); start one with 'dask scheduler', or leave --scheduler "
                "out to work on this machine"
            ) from None
        with client:
            yield client
        return
    # A task that kills its worker each time must end as an error, not go round for ever.
    limits = {"distributed.scheduler.allowed-failures": 2, "distributed.worker.memory.terminate": False}
    workers = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": ERROR}
    with dask.config.set(limits), LocalCluster(**workers) as cluster, Client(cluster) as client:
        yield client
