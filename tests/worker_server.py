"""Starts the workers of pytest-xdist without starting Python: a server that has collected the tests forks for each.

Otherwise each worker imports all test modules by itself, and compiles them, too, on a clean checkout. In place of
Python, execnet starts this file with an address: that process hands its streams to the server, and lives as long as the
worker that is forked for it. Where there is no server, as after an error at collection, it becomes the worker itself.
"""

import ast
import gc
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def running(arguments: Sequence[str]) -> Iterator[str]:
    """Run the server for a run of pytest with these arguments; yield what execnet has to start in place of Python."""
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address := f"{folder}/workers")
            listener.listen()
            number = listener.fileno()
            command = [sys.executable, "-P", __file__, str(number), *arguments]
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[number])
        with server:  # it ends when its standard input does
            yield f"'{sys.executable}' -S -E '{__file__}' '{address}'"


def connect(address: str, arguments: Sequence[str]) -> None:
    """Hand the streams of this process to the server and wait until the worker has ended, or become the worker."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"."], [0, 1, 2])
        if connection.recv(1):
            connection.recv(1)
            return
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - as execnet would


def serve(listener: socket.socket) -> socket.socket | None:
    """Fork for each process that connects; in each forked process, return the connection, which ends with it."""
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection = listener.accept()[0]
        streams = socket.recv_fds(connection, 1, 3)[1]
        if not os.fork():
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            listener.close()
            connection.sendall(b".")
            return connection
        for stream in streams:
            os.close(stream)
        connection.close()
    return None


def main() -> None:
    """Connect to a server, or be one."""
    first, *arguments = sys.argv[1:]
    if first.startswith("/"):
        connect(first, arguments)
        return
    import pytest

    if pytest.main([*arguments, "-n", "0", "--collect-only", "--quiet"]) != pytest.ExitCode.OK:
        return  # a module that could not be imported would be taken for an empty one
    gc.collect()
    gc.freeze()  # so that looking for garbage copies no pages
    if connection := serve(socket.socket(fileno=int(first))):
        become_worker()
        connection.close()


def become_worker() -> None:
    """Carry out what execnet sends as the first line of standard input, as the Python would that it starts."""
    sys.argv[:] = ["-c"]
    sys.stdin, sys.stdout, sys.stderr = [os.fdopen(number, mode) for number, mode in enumerate("rww")]
    exec(ast.literal_eval(sys.stdin.readline()), {"__name__": "__main__"})  # noqa: S102 - execnet's own


if __name__ == "__main__":
    main()
