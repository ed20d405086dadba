"""Where tables live: the only package that knows an engine and a file format."""
