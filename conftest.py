"""The documentation runs: every shell and Python block of README and docs is executed by the tests."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent
NOT_OURS = ("make ", "pip ", "#", "git ")


def run_shell(example: Example) -> str | None:
    """Run the `joulebook` lines of a block in a fresh home; each must end with 0, or with the code its comment says."""
    from joulebook.faces.cli.main import build_group, run_command

    for line in example.parsed.replace("\\\n", " ").splitlines():
        command, _hash, comment = line.partition("  # exit ")
        if not command.strip() or command.startswith(NOT_OURS):
            continue
        words = shlex.split(command)
        assert words[0] == "joulebook", f"a block runs something else: {line}"
        outcome = CliRunner().invoke(build_group(), words[1:], standalone_mode=False)
        code = outcome.return_value if outcome.exception is None else run_command(words[1:])
        assert (code or 0) == int(comment or 0), f"{line}\n{outcome.output}\n{outcome.exception!r}"
    return None


@pytest.fixture(scope="module")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home with a small file of usage, as the documentation has it."""
    from joulebook.faces.sample import write_sample

    home = tmp_path_factory.mktemp("home")
    write_sample(home / "usage.csv", requests=200)
    kept, here = dict(os.environ), Path.cwd()
    os.environ.update(HOME=str(home), XDG_DATA_HOME=str(home / "data"), LANG="C.UTF-8", LANGUAGE="en")
    os.chdir(home)
    yield home
    os.chdir(here)
    os.environ.clear()
    os.environ.update(kept)


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser(language="sh", evaluator=run_shell), PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/how-to/*.md"],
    fixtures=["fresh_home"],
).pytest()
