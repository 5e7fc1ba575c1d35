"""The heart: the county's rules as pure functions. No I/O, no clock, no database; `now` and data are arguments."""
