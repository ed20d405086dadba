"""The serving factors as the estimator takes them."""

from datetime import date
from importlib.resources import files

import pytest
import yaml

from joulebook.terms.range import Range


def serving_ranges(at: date) -> dict[str, Range]:
    """Ranges of the shipped serving factors that hold on a day."""
    ranges = {}
    folder = files("joulebook.factors").joinpath("data", "serving")
    for name in ("text.yaml", "hosted.yaml"):
        document = yaml.safe_load(folder.joinpath(name).read_text(encoding="utf-8"))
        for subject in document["factors"]:
            if subject["subject"] == "serving/unfitted-accelerator":
                continue
            for given in subject["values"]:
                row = document["defaults"] | given
                if row["valid_from"] <= at < row.get("valid_to", date.max):
                    ranges[row["quantity"]] = Range.checked(row["low"], row["value"], row["high"])
    return ranges


@pytest.fixture(scope="session")
def serving() -> dict[str, Range]:
    """The shipped factors for a hosted service in 2025."""
    return serving_ranges(date(2025, 6, 1))
