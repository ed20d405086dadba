"""Other people's records: their formats, our usage table."""
