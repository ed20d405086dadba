"""What the registry says of models beside their size."""

import re

from joulebook.factors.read import read_edition

FORM = re.compile(
    r"^(text|image|audio|video|pdf)(\+(image|audio|video|pdf))*->(text|image|audio|video|embedding|score)(\+(image|audio|video))*$"
)
DAY = re.compile(r"^20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?$")
VENDORS = {
    "openai", "anthropic", "google", "mistral", "meta", "deepseek", "qwen", "xai", "cohere", "amazon", "naver", "lg",
    "upstage", "kakao",
}  # fmt: skip


def test_every_vendor_is_there() -> None:
    """The registry has at least 300 models, some of each vendor."""
    models = {row.subject for row in read_edition().factors if row.kind == "model" and "/" in row.subject}
    assert len(models) > 300
    assert {subject.partition("/")[0] for subject in models} >= VENDORS


def test_modalities_are_written_in_one_form() -> None:
    """What a model takes and gives is one text per model, of known words."""
    links = [link for link in read_edition().links if link.relation == "modality"]
    assert len(links) > 500
    assert len({link.subject for link in links}) == len(links)
    assert [link.subject for link in links if not FORM.match(link.object)] == []


def test_no_model_ends_before_it_begins() -> None:
    """Days of release and retirement are ISO 8601, and no service ends before the model was released."""
    links = read_edition().links
    released = {link.subject: link.object for link in links if link.relation == "released"}
    assert len(released) > 350
    for link in links:
        if link.relation == "released" or link.relation.startswith("retired"):
            assert DAY.match(link.object), link.subject
        if link.relation.startswith("retired") and link.subject in released:
            assert link.object[:7] >= released[link.subject][:7], link.subject


def test_a_size_in_a_name_is_the_size() -> None:
    """An open model called 70b has 70 billion parameters, a quarter either way, unless it mixes experts."""
    for row in read_edition().factors_for("parameters_total_billion"):
        told = re.search(r"(?<![a-z\d.])(\d+(?:\.\d+)?)b(?![a-z\d])", row.subject)
        if told and not re.search(r"\dx\d|\d+e(?:-|$)", row.subject):
            assert 0.75 < row.value / float(told[1]) < 1.35, row.subject
