"""Claims: verdicts from inputs, both languages, a user's own files."""

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from joulebook.disclose.claim_read import parse_claims, read_claims
from joulebook.disclose.reasons import TEMPLATES, Reason
from joulebook.disclose.verdict import Nearness, Word, judge, nearness
from joulebook.errors import FactorFileError
from joulebook.faces.cli.main import run_command
from joulebook.factors.read import read_edition
from joulebook.terms.range import Range

ROOT = Path(__file__).parents[2]

VERDICTS = {
    "S0-01": ("right", "right"),
    "S0-02": ("right", "right"),
    "S0-03": ("rounded", "simplified"),
    "S0-04": ("rounded", "rounded"),
    "S0-05": ("right", "right number"),
    "S0-06": ("rounded", "right after rounding"),
    "S0-07": ("right", "right"),
    "S0-08": ("right", "right for H100 SXM"),
    "S0-09": ("right", "plausible"),
    "S0-10": ("stale", "correctly quoted but stale"),
    "S1-00": ("wrong", "false"),
    "S1-01": ("right", "right"),
    "S1-02": ("misattributed", "mis-stated"),
    "S1-03": ("misattributed", "half right"),
    "S1-04": ("right", "right as quoted"),
    "S1-05": ("unsupported", "not checked"),
    "S1-06": ("right", "2022 value right"),
    "S2-01": ("misattributed", "offset claim, not removal"),
    "S2-02": ("rounded", "right order"),
    "S2-03": ("misattributed", "mis-stated"),
    "S2-04": ("misattributed", "mis-stated"),
    "S3-01": ("wrong", "wrong"),
    "S3-02": ("wrong", "arithmetic right; per-passenger factor undisclosed; numerator wrong"),
    "S3-03": ("wrong", "wrong"),
    "S3-04": ("right", "right"),
    "S3-05": ("misattributed", "misleading without volume"),
    "S4-01": ("right", "no number; direction supported"),
    "S4-02": ("unsupported", "unsupported"),
    "S4-03": ("right", "location dependent"),
}
"""Claim -> (our verdict, how the reviewed list of claims begins its own)."""

FURTHER = {
    "google-median-2025": "right",
    "openai-average-2025": "unsupported",
    "mistral-lca-2025": "right",
    "epoch-chatgpt-2025": "right",
    "php-meter-2024": "wrong",
    "llama-3.3-card": "wrong",
}


@pytest.fixture(scope="module")
def claims():
    """All shipped claims."""
    return read_claims(read_edition().sources)[0]


def reviewed(shared_data):
    """The reviewed list of the articles' claims."""
    with (shared_data / "papers" / "claims.csv").open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


def test_every_reviewed_claim_has_its_verdict(claims, shared_data):
    """All 29 claims of the articles are there, each with the verdict that the review came to."""
    rows = reviewed(shared_data)
    assert set(rows) == set(VERDICTS)
    for name, (word, theirs) in VERDICTS.items():
        assert rows[name]["verdict"].startswith(theirs), name
        assert judge(claims[name], claims).word == word, name


def test_further_claims_have_their_verdicts(claims):
    """Six later figures: right as published, unsupported, or wrong."""
    assert {name: str(judge(claims[name], claims).word) for name in FURTHER} == FURTHER
    assert len(claims) == len(VERDICTS) + len(FURTHER)


def test_no_verdict_is_stored(claims):
    """No claim file contains a verdict: the data has no key for it."""
    for path in (ROOT / "src/joulebook/disclose/data/claims").glob("*.yaml"):
        for claim in yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]:
            assert "verdict" not in claim


@pytest.mark.parametrize(
    ("name", "change", "becomes"),
    [
        ("S3-01", ("figure: 300,000 kg", "figure: 1,040 kg"), "right"),
        ("S3-03", ("figure: 244,500,000 interactions", "figure: 204,592,592 interactions"), "right"),
        ("S0-05", ("figure: 48 %", "figure: 60 %"), "wrong"),
        ("S0-01", ("pledge: {year: 2040, kind: zero}", "pledge: {year: 2050, kind: zero}"), "wrong"),
        ("S2-03", ("id: one-run-of-a-language-model", "id: nas-transformer-big"), "right"),
        ("llama-3.3-card", ("figure: 12.9 t", "figure: 2,040 t"), "right"),
        ("openai-average-2025", ("kind: remark", "kind: study"), "right"),
    ],
)
def test_verdicts_follow_their_inputs(claims, name, change, becomes):
    """Changing one input, figure, subject or kind of source in the file changes the verdict."""
    path = ROOT / "src/joulebook/disclose/data/claims" / claims[name].file
    text = path.read_text(encoding="utf-8")
    start = text.index(f"id: {name}\n")
    assert change[0] in text[start:]
    changed = text[:start] + text[start:].replace(change[0], change[1], 1)
    found = parse_claims(changed, "changed.yaml", read_claims(read_edition().sources)[1])[0]
    assert judge(found[name], {**claims, **found}).word == becomes


def test_a_claim_resting_on_a_wrong_one_is_wrong(claims):
    """125 flights are right arithmetic on a wrong number: the verdict falls with its premise."""
    found = judge(claims["S3-02"], claims)
    assert found.reasons[0].key == "premise"
    assert judge(claims["S3-02"], {**claims, "S3-01": claims["S0-05"]}).word == "right"


def test_figures_on_other_rungs_are_not_compared_in_silence(claims):
    """The 2.9 Wh of 2023 is stale by a figure on a wider rung; unknown boundaries and other products are named."""
    found = judge(claims["S0-10"], claims)
    assert [each.key for each in found.rungs] == ["stronger", "unknown-boundary", "other-subject"]
    assert all("Not compared" in TEMPLATES[key] for key in ("other-boundary", "unknown-boundary", "other-subject"))


def test_recomputations_are_those_of_the_review(claims):
    """Figures of the review: GPT-2 1,040 kg; parity 204.59 M; TV 6.0 to 11.9; water 10.5 to 70.4; Llama 158 times."""
    ours = {name: judge(claims[name], claims) for name in claims}
    assert ours["S3-01"].recomputed.value.mid == pytest.approx(1040, rel=0.002)
    assert ours["S3-03"].recomputed.value.mid == pytest.approx(204_592_592, rel=1e-8)
    assert ours["S0-09"].recomputed.value == pytest.approx((5.98, 8.45, 11.95), rel=0.001)
    assert ours["S1-04"].recomputed.value == pytest.approx((10.5, 29.6, 70.4), rel=0.003)
    assert ours["S1-00"].recomputed.value.mid == pytest.approx(0.005, rel=0.05)
    assert ours["S3-04"].also[0].value.mid == pytest.approx(2.046, rel=0.001)
    assert ours["llama-3.3-card"].also[0].value.mid == pytest.approx(158.1, rel=0.001)
    assert ours["mistral-lca-2025"].also[0].value.mid == pytest.approx(17.9e9, rel=0.001)
    assert [each.value.mid for each in ours["S1-01"].also] == pytest.approx([129.5, 86.4, 50.4, 80.1], rel=0.002)


def test_no_sentence_of_the_articles_is_copied(claims, shared_data):
    """Statements are in our own words: no run of six words of an article stands in ours."""
    for name, row in reviewed(shared_data).items():
        ours = claims[name].statement
        for theirs, own in ((row["korean"], ours["ko"]), (row["english"], ours["en"])):
            words = re.findall(r"\w+", theirs)
            runs = {" ".join(words[i : i + 6]) for i in range(len(words) - 5)}
            mine = " ".join(re.findall(r"\w+", own))
            assert not [run for run in runs if run in mine], name


def test_every_text_is_in_both_languages(claims):
    """Statements, subjects, chains and notes stand in Korean and English, and the Korean is Korean."""
    hangul = re.compile("[가-힣]")
    for claim in claims.values():
        texts = [claim.statement, claim.about.name, *(link.says for link in claim.chain), *(x.what for x in claim.also)]
        texts += [claim.note] if claim.note else []
        for text in texts:
            assert hangul.search(text["ko"]), text
            assert not hangul.search(text["en"]), text


def test_every_reason_can_be_said():
    """Every template is filled by the facts that its reasons carry (a missing one would raise at the user)."""
    for key, template in TEMPLATES.items():
        fields = set(re.findall(r"{(\w+)}", template))
        assert Reason(key, dict.fromkeys(fields, "x")).text(str, "en")


@pytest.mark.parametrize(
    ("said", "computed", "says", "near"),
    [
        (Range.exact(100), Range.exact(100.9), "equals", Nearness.EXACT),
        (Range.exact(100), Range.exact(104), "equals", Nearness.ROUNDED),
        (Range.exact(100), Range.exact(120), "equals", Nearness.OFF),
        (Range.exact(100), Range(50, 150, 300), "equals", Nearness.WITHIN),
        (Range(10, 22, 50), Range(40, 60, 70), "equals", Nearness.WITHIN),
        (Range(10, 22, 50), Range(51, 60, 70), "equals", Nearness.OFF),
        (Range.exact(50), Range.exact(59), "more-than", Nearness.EXACT),
        (Range.exact(50), Range(2, 59, 98), "more-than", Nearness.WITHIN),
        (Range.exact(50), Range(2, 40, 98), "more-than", Nearness.OFF),
        (Range.exact(50), Range.exact(40), "less-than", Nearness.EXACT),
    ],
)
def test_nearness(said, computed, says, near):
    """Exact to one per cent, rounded to five or to the last digit, within a range, or off."""
    assert nearness(said, computed, says, 0.5) is near


OWN = """
sources:
  my-report:
    title: "My report"
    publisher: "Me"
    url: "https://example.org/report"
    licence: "own"
    edition: "2026"
    date_seen: 2026-11-22
    ships: false
claims:
  - id: own-1
    statement: {en: "Our run took 100 kWh.", ko: "우리 실행은 100kWh를 썼다."}
    said_on: "2026"
    said_in: my-report
    about: {id: own-run, en: our run, ko: 우리 실행}
    figure: 100 kWh
    boundary: gpu
    inputs:
      n: {value: "8", source: my-report, cell: page 1}
      h: {value: 36 h, source: my-report, cell: page 1}
      w: {value: 120..140 W, source: my-report, cell: page 1, tier: measured}
    formula: device_energy_kwh(device_hours(n, h), w, 1)
    unit: kWh
"""


def test_a_user_can_add_a_claim_and_check_it(tmp_path):
    """A file of one's own, with its own source, is judged beside the shipped claims."""
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    claims, sources = read_claims(read_edition().sources, path)
    assert "my-report" in sources
    found = judge(claims["own-1"], claims)
    assert found.word is Word.WRONG
    assert found.recomputed.value.mid == pytest.approx(37.3, rel=0.01)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("figure: 100 kWh", "figure: 100 parsecs", "parsecs"),
        ("    unit: kWh", "    unit: kg", "energy"),
        ("source: my-report, cell: page 1}", "source: nobody, cell: page 1}", "nobody"),
        ("    boundary: gpu", "    boundary: planet", "planet"),
        ("    figure: 100 kWh", "    figur: 100 kWh", "figur"),
        ("    said_on:", "    said_on: x\n    said_on:", "said_on"),
        ("formula: device_energy_kwh(", "formula: device_energy(", "device_energy"),
        ("formula: device", "rests_on: [nothing]\n    formula: device", "nothing"),
    ],
)
def test_a_wrong_claim_file_is_refused(tmp_path, before, after, said):
    """Unknown units, sources, keys, boundaries, formulas and claims are refused, saying what is wrong."""
    from joulebook.errors import JoulebookError

    path = tmp_path / "own.yaml"
    assert before in OWN
    path.write_text(OWN.replace(before, after, 1), encoding="utf-8")

    def read_and_judge():
        found = read_claims(read_edition().sources, path)[0]
        return judge(found["own-1"], found)

    with pytest.raises(JoulebookError, match=said) as caught:
        read_and_judge()
    if isinstance(caught.value, FactorFileError):
        assert caught.value.line > 0


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_of_claims_is_the_generated_one(language, capsys):
    """docs/claims is what the command writes today, in both languages."""
    assert run_command(["--lang", language, "claims", "--markdown"]) == 0
    name = "claims.md" if language == "en" else "claims.ko.md"
    assert capsys.readouterr().out == (ROOT / "docs" / name).read_text(encoding="utf-8")
    run_command(["--lang", "en", "claims", "S0-08"])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_list_and_every_claim_fit_eighty_columns(language, claims, capsys):
    """Tables and texts fit a terminal of 80 columns, but for addresses and formulas that have no space."""
    from joulebook.faces.cli.show import width_of

    assert run_command(["--lang", language, "claims"]) == 0
    assert run_command(["--lang", language, "claims", *claims]) == 0
    long = [line for line in capsys.readouterr().out.splitlines() if width_of(line) > 80]
    assert all(" " not in line.strip() or "(" in line for line in long)
    run_command(["--lang", "en", "claims", "S0-08"])


def test_json_has_the_facts(capsys):
    """--json gives verdict, recomputation, inputs and sources for programs."""
    assert run_command(["claims", "s3-01", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    claim = document["claims"][0]
    assert (document["schema_version"], claim["claim"], claim["verdict"]) == (1, "S3-01", "wrong")
    assert claim["recomputed"]["mid"] == pytest.approx(1040, rel=0.002)
    assert claim["sources"]["strubell-2019"]["url"].startswith("https://")


def test_an_unknown_claim_names_the_nearest(capsys):
    """A name that does not exist ends with exit code 2 and names what is near."""
    assert run_command(["claims", "S9-01"]) == 2
    assert "S4-01" in capsys.readouterr().err


def test_only_one_verdict_can_be_listed(capsys):
    """--verdict lists only claims with that verdict."""
    assert run_command(["claims", "--verdict", "stale"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["S0-10", "stale"]


def test_every_source_of_claims_is_used(claims):
    """The bibliography of the claims has no entry that no claim cites, and none that the factors have already."""
    from joulebook.faces.claim_text import cited_names

    known, factors = read_claims(read_edition().sources)[1], read_edition().sources
    own = yaml.safe_load((ROOT / "src/joulebook/disclose/data/sources.yaml").read_text(encoding="utf-8"))
    cited = {name for claim in claims.values() for name in cited_names(claim)}
    assert set(own) <= cited <= set(known)
    assert not set(own) & set(factors)
