"""Notices: rows written in the ticket's transaction. Their delivery comes with the clockwork."""
