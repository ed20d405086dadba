"""The ladder of `choose`, places and models, on the shipped library."""

from datetime import date

import pytest

from joulebook.errors import FactorAmbiguous, FactorMissing, UnknownName
from joulebook.factors.choose import choose, choose_each, resolve_model, resolve_place
from joulebook.factors.edition import Edition, Factor
from joulebook.factors.read import read_edition

EDITION = read_edition()
DAY = date(2026, 11, 1)


def make(value: float, **changes: object) -> Factor:
    """A factor with one thing changed."""
    facts = {
        "kind": "grid",
        "subject": "AAA",
        "quantity": "intensity_g_per_kwh",
        "low": value,
        "high": value,
        "unit": "g/kWh",
        "basis": {"signal": "average", "stage": "direct", "method": "location", "purpose": "inventory"},
        "valid_from": date(2024, 1, 1),
        "valid_to": date(2025, 1, 1),
        "known_from": date(2025, 1, 1),
        "tier": "derived",
        "source": "s",
        "cell": "c",
    }
    return Factor(value=value, **(facts | changes))


def edition(*factors: Factor) -> Edition:
    """An edition of a few factors."""
    return Edition("test", factors, (), {})


@pytest.mark.parametrize(("policy", "value"), [("ghgp-location", 417.3), ("kets", 454.1)])
def test_korea_2023_by_policy(policy: str, value: float) -> None:
    """Korea 2023 is 0.4173 t/MWh for an inventory and 0.4541 t/MWh in emissions trading."""
    choice = choose(EDITION, "intensity_g_per_kwh", "KOR", date(2023, 6, 1), policy)
    assert choice.factor.value == value
    assert choice.chosen_because == "exact"


def test_unknown_place_is_the_world() -> None:
    """A place that is not given is the range over the world, flagged, never a country."""
    choice = choose(EDITION, "intensity_g_per_kwh", None, DAY)
    assert choice.is_unknown
    assert choice.factor.low < 120
    assert choice.factor.high > 600
    assert choice.hint is not None


def test_earlier_period_is_named() -> None:
    """A day after the last known year takes that year and says so."""
    choice = choose(edition(make(100)), "intensity_g_per_kwh", "AAA", date(2025, 6, 1))
    assert choice.steps == ("latest earlier period",)


def test_too_old_is_flagged_and_still_better_than_the_world() -> None:
    """A factor older than the policy wants answers only with that step and a hint."""
    choice = choose(edition(make(100)), "intensity_g_per_kwh", "AAA", date(2031, 6, 1))
    assert choice.steps == ("latest earlier period", "older than the policy wants")
    assert choice.hint is not None


def test_user_factor_wins() -> None:
    """A user's factor wins over a shipped one on a better basis, and the choice says so."""
    own = make(50, basis={}, source="mine", is_user=True)
    choice = choose(edition(make(100), own), "intensity_g_per_kwh", "AAA", date(2024, 6, 1))
    assert (choice.factor.value, choice.chosen_because) == (50, "user factor")


def test_restated_value_counts_from_its_publication() -> None:
    """Of two statements about the same year the one known last counts, and as_known gives the earlier one back."""
    whole = edition(make(100), make(90, known_from=date(2026, 1, 1)))
    ask = ("intensity_g_per_kwh", "AAA", date(2024, 6, 1))
    assert choose(whole, *ask).factor.value == 90
    assert choose(whole.as_known(date(2025, 6, 1)), *ask).factor.value == 100


def test_equal_rank_is_an_error() -> None:
    """Two sources the policy does not rank, with different values, are an error and not a guess."""
    with pytest.raises(FactorAmbiguous, match="2 factors"):
        choose(edition(make(100), make(90, source="t")), "intensity_g_per_kwh", "AAA", date(2024, 6, 1))


def test_nothing_at_all_is_an_error() -> None:
    """Without a factor for the subject and without a world range there is no answer."""
    with pytest.raises(FactorMissing, match="AAB"):
        choose(edition(make(100)), "intensity_g_per_kwh", "AAB", date(2024, 6, 1))


def test_unknown_policy_is_an_error() -> None:
    """A policy that does not exist is refused with the list."""
    with pytest.raises(UnknownName, match="kets"):
        choose(EDITION, "intensity_g_per_kwh", "KOR", DAY, "ets")


def test_market_falls_back_in_the_open() -> None:
    """Without an instrument or residual mix the market-based policy says that it took a location-based factor."""
    steps = choose(EDITION, "intensity_g_per_kwh", "KOR", date(2023, 6, 1), "ghgp-market-2015").steps
    assert steps == ("location-based: no market-based factor",)


def test_site_falls_back_to_the_fleet() -> None:
    """A region without a PUE of its own takes its provider's fleet and says so."""
    choice = choose(EDITION, "pue_ratio", "gcp:us-west1", date(2024, 6, 1))
    assert choice.chosen_because == "provider fleet"


def test_each_pair_is_resolved_in_order() -> None:
    """Many pairs give the same answers as one by one, in their order."""
    pairs = [("KOR", DAY), (None, DAY), ("KOR", DAY), ("FRA", DAY)]
    many = [choice.factor.subject for choice in choose_each(EDITION, "intensity_g_per_kwh", pairs)]
    assert many == ["KOR", "unknown", "KOR", "FRA"]


@pytest.mark.parametrize(
    ("provider", "region", "zone", "site", "country"),
    [
        ("aws.bedrock", "us-east-1", "US-SRVC", "aws:us-east-1", "USA"),
        ("azure", "koreacentral", "KOR", "azure:koreacentral", "KOR"),
        ("gcp.vertex_ai", "europe-west9", "FRA", "gcp:europe-west9", "FRA"),
        (None, "KOR", "KOR", "unknown", "KOR"),
    ],
)
def test_places(provider: str | None, region: str, zone: str, site: str, country: str) -> None:
    """A cloud region or a zone is found under the provider names that telemetry writes."""
    place = resolve_place(EDITION, provider, region, DAY)
    assert (place.zone, place.site, place.country) == (zone, site, country)


def test_unknown_region_keeps_the_fleet_and_hints() -> None:
    """A region nobody knows is unknown with the nearest names; what is known of the provider stays."""
    place = resolve_place(EDITION, "aws", "us-east-9", DAY)
    assert place.is_unknown
    assert place.site == "aws"
    assert "aws:us-east-1" in str(place.hint)


def test_model_names() -> None:
    """A dated name, a reseller's name and a renamed repository lead to one subject."""
    names = ["claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"]
    found = {resolve_model(EDITION, "aws.bedrock", name, DAY).model for name in names}
    assert found == {"anthropic/claude-sonnet-4-5-20250929"}
    llama = resolve_model(EDITION, "together", "meta-llama/Llama-3.1-8B-Instruct", DAY)
    assert llama.model == "meta/meta-llama-3.1-8b-instruct"
    assert llama.ranges["parameters_total_billion"].mid == pytest.approx(8.03)


@pytest.mark.parametrize(
    ("provider", "name", "model"),
    [
        ("deepseek", "deepseek-chat", "deepseek/deepseek-v4-flash"),
        ("aws.bedrock", "us.meta.llama3-1-70b-instruct-v1:0", "meta/meta-llama-3.1-70b-instruct"),
        ("aws.bedrock", "meta.llama4-scout-17b-instruct-v1:0", "meta/llama-4-scout-17b-16e-instruct"),
        ("azure.ai.openai", "gpt-35-turbo", "openai/gpt-3.5-turbo"),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5-20250929"),
        ("naver", "HCX-005", "naver/hcx-005"),
        (None, "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct", "lg/exaone-3.5-7.8b-instruct"),
        (None, "kakaocorp/kanana-1.5-8b-instruct-2505", "kakao/kanana-1.5-8b-instruct-2505"),
    ],
)
def test_names_as_resellers_write_them(provider: str | None, name: str, model: str) -> None:
    """Names of clouds, resellers and repositories lead to the developer's model."""
    assert resolve_model(EDITION, provider, name, DAY).model == model


def test_alias_resolves_by_day() -> None:
    """An alias that was pointed to another model means on each day what it meant then."""
    early = resolve_model(EDITION, "mistral", "mistral-large-latest", date(2025, 6, 1))
    late = resolve_model(EDITION, "mistral", "mistral-large-latest", date(2026, 6, 1))
    assert (early.model, late.model) == ("mistral/mistral-large-2411", "mistral/mistral-large-2512")
    assert early.ranges["parameters_total_billion"].mid == 123
    assert late.ranges["parameters_active_billion"].mid == 41


def test_unknown_model_is_the_registry() -> None:
    """A model nobody knows, or none at all, has the wide range over the registry and a hint."""
    for name in ("no-such-model", None):
        facts = resolve_model(EDITION, "openai", name, DAY)
        total = facts.ranges["parameters_total_billion"]
        assert facts.is_unknown
        assert facts.hint is not None
        assert total.high / total.low > 50


@pytest.mark.parametrize(
    ("company", "at", "metric", "known", "tonnes"),
    [
        ("amazon", date(2023, 6, 1), "total-s123-market", date(2024, 7, 10), 68.82e6),
        ("amazon", date(2023, 6, 1), "total-s123-market", date(2025, 7, 16), 64.38e6),
        ("microsoft", date(2020, 1, 1), "scope2-market", date(2022, 3, 31), 228_194),
        ("microsoft", date(2020, 1, 1), "scope2-market", date(2024, 5, 31), 456_119),
    ],
)
def test_what_companies_said_by_the_day_they_said_it(
    company: str, at: date, metric: str, known: date, tonnes: float
) -> None:
    """A restated figure answers from the day it was published; before that day the first one does."""
    words = {"metric": metric}
    choice = choose(EDITION.as_known(known), "company_co2e_g", f"company/{company}", at, **words)
    assert choice.factor.value == pytest.approx(tonnes * 1e6)


@pytest.mark.parametrize(
    ("provider", "region", "zone"),
    [
        ("dashscope", "ap-southeast-1", "SGP"),
        ("aliyun", "cn-beijing", "CHN"),
        ("aws", "eusc-de-east-1", "DEU"),
        ("kt cloud", "", "KOR"),
        ("kakaocloud", "", "KOR"),
    ],
)
def test_places_of_further_clouds(provider: str, region: str, zone: str) -> None:
    """Regions of Alibaba Cloud, AWS's sovereign partition and operators in Korea lead to their grid."""
    assert resolve_place(EDITION, provider, region, DAY).zone == zone


def test_every_shipped_number_answers_for_itself() -> None:
    """No two sources of equal rank say different things about a place, a machine or a site, on any basis."""
    edition = read_edition()
    asked = {
        (row.quantity, row.subject, tuple(sorted(row.basis.items())))
        for row in edition.factors
        if row.kind not in {"company", "model", "equivalence", "gwp"}
    }
    for quantity, subject, words in sorted(asked):
        assert (
            not choose(edition, quantity, subject, date(2026, 11, 1), **dict(words)).is_unknown or subject == "unknown"
        )
