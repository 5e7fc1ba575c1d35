"""The demo: a generated county, and programs that play its people over the public interfaces only."""
