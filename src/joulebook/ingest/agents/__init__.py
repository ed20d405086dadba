"""Session logs that coding agents leave on the disk."""
