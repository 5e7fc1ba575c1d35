"""Minsheng 民生快递: a county's civic service tickets. docs/architecture.md says where things are."""
