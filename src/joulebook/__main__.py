"""``python -m joulebook`` and the ``joulebook`` command."""

import atexit
import os
import sys
import threading


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:2] == ["statusline"]:
        from joulebook.faces.cli import statusline  # noqa: PLC0415  (one line at every prompt: standard library only)

        sys.exit(statusline.main(sys.argv[2:]))
    from joulebook.faces.cli.main import run_command  # noqa: PLC0415  (keeps `import joulebook.__main__` light)

    _leave(run_command(sys.argv[1:], is_process=True))


def _leave(code: int) -> None:
    """End the process without taking apart all that it has, which would take up to 50 ms.

    What is registered for the end runs, and a command has closed its book. Where a thread still works, or nobody reads
    what was printed, the process ends as Python ends it.
    """
    if threading.active_count() > 1:
        sys.exit(code)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001  (what `sys.exit` leads to, and all of it that is not freeing memory)
    os._exit(code)


if __name__ == "__main__":
    main()
