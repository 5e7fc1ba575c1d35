"""One module a kind of file (service.KINDS)."""
