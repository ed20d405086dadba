"""People and programs meet joulebook here; no arithmetic."""
