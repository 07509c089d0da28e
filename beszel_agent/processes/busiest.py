"""Which of many processes are worth telling of. Pure."""

from collections.abc import Callable, Iterable
from heapq import nlargest
from operator import attrgetter

from beszel_agent.processes.owners import Owner
from beszel_agent.processes.scanner import Process
from beszel_agent.processes.stat import name_of
from beszel_protocol.sample import ProcessCounts, ProcessMetrics


def busiest(processes: list[Process], count: int) -> list[Process]:
    """The first `count` by processor time, by memory and by I/O, each once, in this order."""
    by_cpu = nlargest(count, [process for process in processes if process.cpu_percent], key=attrgetter("cpu_percent"))
    by_memory = nlargest(
        count, [process for process in processes if process.memory_bytes], key=attrgetter("memory_bytes")
    )
    by_io = nlargest(
        count, [process for process in processes if process.io_bytes_per_second], key=attrgetter("io_bytes_per_second")
    )
    return list({process.pid: process for process in (*by_cpu, *by_memory, *by_io)}.values())


def count_processes(processes: Iterable[Process]) -> ProcessCounts:
    total = threads = kernel_threads = zombies = 0
    for process in processes:
        stat = process.stat
        if stat.is_kernel_thread:
            kernel_threads += 1
            continue
        total += 1
        threads += stat.threads
        zombies += stat.is_zombie
    return ProcessCounts(total=total, threads=threads, kernel_threads=kernel_threads, zombies=zombies)


def describe_process(process: Process, owner: Callable[[int, int], Owner]) -> ProcessMetrics:
    user, place = owner(process.pid, process.stat.start)
    return ProcessMetrics(
        pid=process.pid,
        name=name_of(process.stat),
        user=user,
        cpu_percent=process.cpu_percent,
        memory_bytes=process.memory_bytes or None,
        read_bytes_per_second=process.read_bytes_per_second,
        write_bytes_per_second=process.write_bytes_per_second,
        container=place.container,
        unit=place.unit,
    )
