"""Settings of files: what wins, what is refused, and that the meter looks there, too."""

import json
import os
from pathlib import Path

import pytest

import joulebook
from joulebook.config import read_config
from joulebook.errors import ConfigBroken
from joulebook.faces.cli import statusline
from joulebook.faces.cli.main import run_command
from joulebook.faces.text import choose_language
from joulebook.measure.replay import read_run

SETTLED = """
lang = "en"
book = "accounts"
policy = "kets"

[place]
provider = "aws"
region = "ap-northeast-2"

[run]
project = "search"
tag = "stage=test"

[estimate]
tokens-per-second = 40
strict = true
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a file of settings, seen from a folder within; nothing of the user's own holds."""
    (tmp_path / "joulebook.toml").write_text(SETTLED, encoding="utf-8")
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("BOOK", "POLICY", "FACTORS", "REGION", "PROVIDER", "PROJECT", "TEAM", "JOURNALS", "CONFIG", "RUN"):
        monkeypatch.delenv(f"JOULEBOOK_{name}", raising=False)
    return tmp_path


def runs_of(project):
    """The runs whose journals stand beside the settled book; `open` holds marks, not a run."""
    return [read_run(path) for path in (project / "accounts" / "journals").iterdir() if path.name != "open"]


def settled(capsys, *arguments):
    """Name -> (value, what settles it), as `joulebook config` tells it."""
    capsys.readouterr()
    assert run_command([*arguments, "config", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["settings"]
    return {one["name"]: (one["value"], one["from"]) for one in told}


def test_a_flag_wins_over_the_environment_and_that_over_the_file(project, capsys, monkeypatch):
    """Each setting comes from the first of flag, environment, project's file, own file and default."""
    file = os.path.relpath(project / "joulebook.toml", Path.cwd())
    (project / "own" / "joulebook").mkdir(parents=True)
    own = project / "own" / "joulebook" / "config.toml"
    own.write_text('policy = "sci"\nfactors = ["mine"]\n', encoding="utf-8")
    (own.parent / "mine").mkdir()
    found = settled(capsys)
    assert found["policy"] == ("kets", file)
    assert found["factors"] == (str(own.parent / "mine"), str(own))
    assert found["[place] region"] == ("ap-northeast-2", file)
    assert found["quiet"] == ("false", "default")
    monkeypatch.setenv("JOULEBOOK_POLICY", "esrs")
    monkeypatch.setenv("JOULEBOOK_REGION", "KOR")
    assert settled(capsys)["policy"] == ("esrs", "JOULEBOOK_POLICY")
    assert settled(capsys)["[place] region"] == ("KOR", "JOULEBOOK_REGION")
    assert settled(capsys, "--policy", "sci")["policy"] == ("sci", "--policy")


def test_a_run_takes_place_project_and_book_from_the_file(project, capfd):
    """A measured command is booked in the settled book, with the settled place, project and tags."""
    assert run_command(["run", "--json", "--", "true"]) == 0
    [found] = runs_of(project)
    assert (found.provider, found.region, found.project) == ("aws", "ap-northeast-2", "search")
    assert dict(found.tags) == {"stage": "test"}
    assert (project / "accounts" / "usage").exists() or (project / "accounts" / "energy").exists()
    assert json.loads(capfd.readouterr().err)["place"]["zone"] == "KOR"


def test_a_span_takes_place_and_book_from_the_file(project, monkeypatch):
    """`joulebook.measure` in a program keeps its journal beside the settled book, with the settled place."""
    with joulebook.measure("train", readers=[]):
        pass
    [found] = runs_of(project)
    assert (found.provider, found.region) == ("aws", "ap-northeast-2")
    monkeypatch.setenv("JOULEBOOK_REGION", "us-east-1")
    with joulebook.measure("again", readers=[], provider="own"):
        pass
    assert ("own", "us-east-1") in {(run.provider, run.region) for run in runs_of(project)}


def test_where_the_machine_stands_is_not_where_a_model_is_hosted(project, capsys):
    """The place of this machine is no default of an estimate of a hosted model; other settings of it are."""
    capsys.readouterr()
    assert run_command(["estimate", "--model", "gpt-4o", "--output", "100", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["place"]["zone"] == "unknown"


def test_pyproject_settles_the_same(project, capsys):
    """The table [tool.joulebook] of a pyproject.toml is read like a file of our own."""
    inner = project / "deep" / "pyproject.toml"
    inner.write_text('[tool.joulebook]\npolicy = "sci"\n[tool.joulebook.run]\nteam = "web"\n', encoding="utf-8")
    found = settled(capsys)
    assert found["policy"][0] == "sci"
    assert found["[run] team"][0] == "web"
    assert "[place] region" not in found  # the nearest file alone speaks for the project


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x = = 1", "line 1"),
        ("\xff".encode("latin-1"), "cannot be read"),
        ('proejct = "x"', "no setting proejct"),
        ('region = "KOR"', "Nearest: [place] region"),
        ('[rnu]\nname = "x"', "no setting [rnu]"),
        ('[place]\ncity = "Seoul"', "no setting [place] city"),
        ('[config]\nbye = "team"', "no setting [config] bye"),
        ('[config]\njson = "yes"', "[config] json cannot be 'yes'"),
        ("[config]\njson = [true]", "[config] json cannot be [True]"),
        ("policy = 3", "policy"),
        ('lang = "fr"', "lang cannot be 'fr'"),
        ("[run.deeper]\nx = 1", "within a table"),
        ("[place]\nregion = 7", "[place] region cannot be 7"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_file(project, capsys, content, told):
    """A setting that is misspelt, of another kind or no TOML ends with 2 and one message that names the file."""
    file = project / "joulebook.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run_command(["--lang", "en", "config"]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "Next: " in message
    assert str(file) in message


def test_no_file_is_read_where_the_environment_says_so(project, monkeypatch, capsys):
    """JOULEBOOK_CONFIG names the one file to read; empty, none is read; a missing one is refused."""
    other = project / "other.toml"
    other.write_text('policy = "esrs"\n', encoding="utf-8")
    monkeypatch.setenv("JOULEBOOK_CONFIG", str(other))
    assert settled(capsys)["policy"][0] == "esrs"
    monkeypatch.setenv("JOULEBOOK_CONFIG", "")
    assert read_config().files == []
    monkeypatch.setenv("JOULEBOOK_CONFIG", str(project / "none.toml"))
    with pytest.raises(ConfigBroken):
        read_config()


def test_the_example_is_a_file_of_settings(project, capsys):
    """What `--example` prints is read without fault once its comment signs are gone."""
    assert run_command(["config", "--example"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    content = "\n".join(line.removeprefix("# ") for line in lines)
    (project / "deep" / "down" / "factors").mkdir()
    (project / "deep" / "down" / "joulebook.toml").write_text(content, encoding="utf-8")
    found = settled(capsys)
    assert found["[run] team"][0] == "platform"
    assert found["[place] provider"][0] == "aws"
    assert found["lang"][0] == "ko"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_joulebook(capsys, shell):
    """The script of each shell calls joulebook back by Click's variable."""
    assert run_command(["completion", shell]) == 0
    assert f"_JOULEBOOK_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "wanted"), [("joulebook re", "report"), ("joulebook report --sig", "--signal")])
def test_completion_offers_commands_and_options(monkeypatch, capsys, words, wanted):
    """What a shell asks for is answered with the names that begin so."""
    monkeypatch.setenv("_JOULEBOOK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        run_command([])
    assert f"plain,{wanted}" in capsys.readouterr().out.splitlines()


def test_the_status_line_speaks_the_settled_language(project, capsys, monkeypatch):
    """A status line is in the language that the file settles, and never fails for what else the file says."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    (project / "joulebook.toml").write_text('lang = "ko"\nproejct = "x"\n', encoding="utf-8")
    assert statusline.main([]) == 0
    assert "아직" in capsys.readouterr().out
    choose_language(None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; see the next test")
def test_a_file_that_may_not_be_read_is_told(project):
    """A file of settings that is there and cannot be read is refused, not passed over."""
    (project / "joulebook.toml").chmod(0)
    with pytest.raises(ConfigBroken):
        read_config()


def test_a_file_that_the_disk_refuses_is_told(project, monkeypatch):
    """The same where reading fails for another reason."""

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigBroken, match="Permission denied"):
        read_config()
