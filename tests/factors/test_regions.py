"""Every region a large cloud names leads to a grid; what leads nowhere is unknown, with a hint."""

from datetime import date
from pathlib import Path

import pytest

from joulebook.factors.choose import choose, resolve_place
from joulebook.factors.read import read_edition

NAMED = (Path(__file__).parent / "regions.txt").read_text(encoding="utf-8").split()
"""Regions that AWS (botocore 1.44.8), Oracle (oci 2.189.0), Azure (its SDK for Rust) and Google (its pages) name."""

UNPUBLISHED = {"aws:eu-isoe-west-1"}
"""Regions of which not even the country is told."""

DAY = date(2026, 11, 1)
PUE = {"aws", "azure", "gcp", "oracle"}


@pytest.mark.parametrize("named", sorted(set(NAMED) - UNPUBLISHED))
def test_a_region_has_a_grid_and_a_site(named: str) -> None:
    """Its zone has an intensity of its own, and overhead is that of the region or of its provider's fleet."""
    edition = read_edition()
    provider, _colon, region = named.partition(":")
    place = resolve_place(edition, provider, region, DAY)
    assert not place.is_unknown
    assert not choose(edition, "intensity_g_per_kwh", place.zone, DAY).is_unknown
    assert not choose(edition, "pue_ratio", place.site, DAY).is_unknown


@pytest.mark.parametrize("named", sorted(UNPUBLISHED))
def test_a_region_without_a_published_country_is_unknown(named: str) -> None:
    """No country is guessed, and the hint says what to do."""
    provider, _colon, region = named.partition(":")
    place = resolve_place(read_edition(), provider, region, DAY)
    assert place.is_unknown
    assert place.hint


def test_places_of_one_provider_are_in_one_country_where_the_name_says_so() -> None:
    """A region whose name begins with a country's word lies there: no region leads to a grid of another country."""
    words = {
        "korea": "KOR", "japan": "JPN", "france": "FRA", "germany": "DEU", "sweden": "SWE", "norway": "NOR",
        "switzerland": "CHE", "brazil": "BRA", "australia": "AUS", "canada": "CAN", "uk": "GBR", "us": "USA",
    }  # fmt: skip
    edition = read_edition()
    links = [link for link in edition.links if link.relation == "country" and link.subject.startswith("azure:")]
    checked = 0
    for link in links:
        name = link.subject.removeprefix("azure:")
        for word, country in words.items():
            if name.startswith(word):
                assert link.object == country, link.subject
                checked += 1
    assert checked > 30


@pytest.mark.parametrize(
    ("name", "zone"), [("KR", "KOR"), ("kr", "KOR"), ("South Korea", "KOR"), ("CA", "CAN"), ("프랑스", "FRA")]
)
def test_two_letters_and_names_are_hints_never_places(name: str, zone: str) -> None:
    """CA may be Canada or California: the place stays unknown, and the hint gives the country's own code."""
    place = resolve_place(read_edition(), None, name, DAY)
    assert place.is_unknown
    assert place.nearest == zone
