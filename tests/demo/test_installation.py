"""A demo's folder belongs to one demo at a time."""

from pathlib import Path

import pytest

from app.demo import installation
from app.domain.errors import Busy


def test_a_second_demo_on_the_same_folder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with installation.alone(tmp_path):
        with pytest.raises(Busy) as refused, installation.alone(tmp_path):
            pass
        assert "已经在运行" in refused.value.detail
    with installation.alone(tmp_path):
        assert (tmp_path / "demo.lock").exists()
