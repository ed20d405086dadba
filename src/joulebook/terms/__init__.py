"""The words: columns, tables, units, periods, places, scopes, tiers, boundaries, ranges, findings."""
