"""``python -m joulebook`` and the ``joulebook`` command."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:2] == ["statusline"]:
        from joulebook.faces.cli import statusline  # noqa: PLC0415  (one line at every prompt: standard library only)

        sys.exit(statusline.main(sys.argv[2:]))
    from joulebook.faces.cli.main import run_command  # noqa: PLC0415  (keeps `import joulebook.__main__` light)

    sys.exit(run_command(sys.argv[1:], is_process=True))


if __name__ == "__main__":
    main()
