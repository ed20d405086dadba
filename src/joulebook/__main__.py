"""``python -m joulebook`` and the ``joulebook`` command."""

import gc
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:2] == ["statusline"]:
        from joulebook.faces.cli import statusline  # noqa: PLC0415  (one line at every prompt: standard library only)

        sys.exit(statusline.main(sys.argv[2:]))
    from joulebook.faces.cli.main import run_command  # noqa: PLC0415  (keeps `import joulebook.__main__` light)

    code = run_command(sys.argv[1:])
    gc.freeze()  # at its end a process would look through all that it has for cycles, some for 40 ms
    sys.exit(code)


if __name__ == "__main__":
    main()
