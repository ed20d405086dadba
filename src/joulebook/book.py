"""A Book: store + factor edition + ledger; the whole way of the data on one screen."""
