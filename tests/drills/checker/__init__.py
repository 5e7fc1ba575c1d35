"""Judges a drill: every invariant of quality.md, 3, under the guarantee it belongs to; a module for each guarantee.

What is not built yet is said so (`NotBuilt`); a guarantee of which nobody says anything fails the drill.
"""

from tests.drills.checker.guarantees import SHOWN, Guarantee, Rules, State, Verdict, Violation
from tests.drills.checker.judging import LIKE, RULES, Act, Beside, Findings, check, judge

__all__ = [
    "LIKE",
    "RULES",
    "SHOWN",
    "Act",
    "Beside",
    "Findings",
    "Guarantee",
    "Rules",
    "State",
    "Verdict",
    "Violation",
    "check",
    "judge",
]
