"""The files of the smallest county, and the types of the fixtures that import them."""

from collections.abc import Awaitable, Callable

from app.imports.service import Result

Load = Callable[..., Awaitable[Result]]
Refusals = Callable[..., Awaitable[list[str]]]

DIVISIONS = """code,name,level,parent_code,short_name,aliases,lat,lon
430121,长沙县,county,,,,,
430121001,星沙街道,town,430121,,星沙镇|星沙开发区,28.25,113.08
430121001001,开元路社区居委会,village,430121001,,,,
430121001001001,第1网格,grid,430121001001,,,,
"""
UNITS = """code,name,short_name,division_code,aliases
U01,长沙县公安局,县公安局,430121,公安|警察
430121001S01,星沙街道派出所,,430121001,
"""
