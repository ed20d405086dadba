"""Energy to footprint: pure formulas, ranges, explanations."""
