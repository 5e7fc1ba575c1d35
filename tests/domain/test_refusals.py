"""A refusal is the same wherever it is caught: in another process too."""

import copy
import pickle

import pytest

from app.demo.office import Astray
from app.domain.errors import Busy, Conflict, Fault, Forbidden, Invalid, Missing, Refusal, TooMany, Unknown

REFUSALS = (
    Refusal("a.code", "说明"),
    Invalid("a.code", "说明", faults=(Fault("第 3 行", "不对"),)),
    Invalid.field("a.code", "/name", "说明"),
    Unknown("a.code", "说明"),
    Forbidden("a.code", "说明"),
    Missing("a.code", "说明"),
    Conflict("a.code", "说明", state="completed", version=7),
    Busy("a.code", "说明", retry_after=9),
    TooMany("a.code", "说明", retry_after=11),
    Astray("说明"),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: type(one).__name__)
def test_a_refusal_comes_whole_out_of_another_process(refusal: Refusal) -> None:
    for again in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert type(again) is type(refusal)
        assert (str(again), again.__dict__) == ("说明", refusal.__dict__)


def test_every_kind_of_refusal_is_tried() -> None:
    ours = {kind for kind in Refusal.__subclasses__() if kind.__module__ == Refusal.__module__}
    assert ours <= {type(one) for one in REFUSALS}
