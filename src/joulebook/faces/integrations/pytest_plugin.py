"""pytest: energy per test, with ``pytest --joulebook``.

Without the option nothing is measured and nothing but this file is loaded.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from joulebook.measure.span import Span

SHOWN = 10
"""Tests that the summary lists."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("joulebook")
    group.addoption("--joulebook", action="store_true", help="measure the energy of every test")
    group.addoption("--joulebook-region", default=None, help="country or region, for CO2e")


def pytest_configure(config: pytest.Config) -> None:
    """Measure this session, where asked."""
    if config.getoption("--joulebook"):
        config.pluginmanager.register(SessionMeter(config.getoption("--joulebook-region")), "joulebook-session")


class SessionMeter:
    """Measures a session and each of its tests.

    Args:
        region: country or region of the machine; None is unknown.
    """

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._whole: Span | None = None

    def pytest_sessionstart(self) -> None:
        """Start."""
        import joulebook  # noqa: PLC0415  (only where asked)

        self._whole = joulebook.measure("pytest")
        self._whole.__enter__()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure one test, its fixtures included."""
        import joulebook  # noqa: PLC0415  (only where asked)

        with joulebook.measure(item.nodeid):
            return (yield)

    def pytest_sessionfinish(self) -> None:
        """End."""
        if self._whole is not None:
            self._whole.__exit__(None, None, None)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the tests that took most."""
        from joulebook.faces.integrations.figures import account_of  # noqa: PLC0415  (only where asked)
        from joulebook.terms.display import range_text  # noqa: PLC0415

        if self._whole is None:
            return
        account = account_of(self._whole, region=self._region)
        terminalreporter.section("joulebook: energy per test")
        for energy, name in energy_per_test(account.summary)[:SHOWN]:
            terminalreporter.write_line(f"{range_text(energy, 'kWh'):>28}  {name}")
        total, co2e = account.it_energy_kwh, account.metrics["co2e_operational_location_g"]
        if total is not None:
            terminalreporter.write_line(f"{range_text(total, 'kWh'):>28}  whole session, tier {account.tier}")
        if co2e is not None:
            terminalreporter.write_line(f"{range_text(co2e, 'g'):>28}  CO2e, zone {account.place.zone}")


def energy_per_test(summary: Any) -> list[tuple[Any, str]]:  # noqa: ANN401  (loaded only where asked)
    """Energy range [kWh] and name of every test, the largest first; spans inside a test are left to it."""
    from joulebook.factors.read import read_edition  # noqa: PLC0415  (only where asked)
    from joulebook.runs import account_span  # noqa: PLC0415
    from joulebook.terms.range import Range  # noqa: PLC0415

    edition, machine = read_edition(), summary.hosts[0].machine
    found = []
    for span in summary.spans:
        above, _slash, name = span.name.partition("/")
        if above != "pytest" or "::" not in name:
            continue
        rows = account_span(span, machine, summary.started_at.date(), edition)
        ends = zip(*(row.energy_kwh for row in rows), strict=True)
        found.append((Range(*(sum(end) for end in ends)) if rows else Range.exact(0), name))
    return sorted(found, key=lambda pair: -pair[0].mid)
