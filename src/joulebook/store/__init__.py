"""Where tables live: the only package that knows an engine and a file format.

A book is a folder; each table in it is an append-only Delta table: Parquet segments and a log of commits.
"""
