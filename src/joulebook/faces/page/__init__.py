"""Pages: self-contained HTML, drawn on the server, without a single request to anywhere."""
