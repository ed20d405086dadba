"""Which postings a changed factor would touch."""

from joulebook.account.resolution import Part, Resolution
from joulebook.ledger.where_used import touched


def part(factor_id: str) -> Part:
    """A factor as it was used."""
    return Part(
        factor_id, "KOR", "intensity_g_per_kwh", 1, 1, 1, "g/kWh", "", "derived", "s", "c", None, None, None, ""
    )


def posting(model: str, place: str, requests: int) -> dict[str, object]:
    """A posting that stands on two resolutions."""
    return {"model_resolution_id": model, "place_resolution_id": place, "request_count": requests}


RESOLUTIONS = {
    "m": Resolution("gpt", {}, {"parameters_total_billion": (part("a"),)}, {}),
    "p": Resolution("KOR", {}, {"intensity_g_per_kwh": (part("b"),), "pue_ratio": (part("c"),)}, {}),
    "q": Resolution("FRA", {}, {"intensity_g_per_kwh": (part("d"),)}, {}),
}
POSTINGS = [posting("m", "p", 10), posting("m", "q", 5), posting("m", "p", 1)]


def test_postings_of_a_place_are_found() -> None:
    """A factor of a place touches the postings of that place and their requests, and nothing else."""
    found = touched(POSTINGS, RESOLUTIONS, {"b"})
    assert (found.postings, found.requests, found.factor_ids) == (2, 11, {"b"})


def test_a_factor_of_the_model_touches_all() -> None:
    """A factor behind the model touches every posting once, however many factors are asked about."""
    found = touched(POSTINGS, RESOLUTIONS, {"a", "b", "d"})
    assert (found.postings, found.requests, found.factor_ids) == (3, 16, {"a", "b", "d"})


def test_a_factor_nobody_used_touches_nothing() -> None:
    """A factor that no resolution holds touches no posting."""
    found = touched(POSTINGS, RESOLUTIONS, {"zz"})
    assert (found.postings, found.requests, found.factor_ids) == (0, 0, frozenset())
