"""The documents that are made of the code's tables say what the code does, and so do the manual's figures."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.base.secrets import secret_key
from app.people.queries import ADDRESS_WINDOW, FAILURES_OF_ADDRESS, FREE_FAILURES
from app.settings import Settings
from docs.tables import documents

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", documents())
def test_a_document_is_as_the_tables_are(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == documents()[name], "make docs"


def test_the_manual_says_how_often_one_may_fail_to_sign_in() -> None:
    minutes = int(ADDRESS_WINDOW.total_seconds() / 60)
    (row,) = (line for line in (DOCS / "operations.md").read_text("utf-8").splitlines() if "有人登录不了" in line)
    assert f"同一账号从同一地址连错 {FREE_FAILURES} 次" in row
    assert f"{minutes} 分钟里错满 {FAILURES_OF_ADDRESS} 次" in row


def test_the_manuals_example_of_settings_is_refused_where_it_is_pasted(tmp_path: Path) -> None:
    text = (DOCS / "operations.md").read_text("utf-8")
    example = dict(re.findall(r"^ +O2O_([A-Z_]+)=(.+)$", text, re.MULTILINE))
    for name in ("BASE_URL", "METRICS_TOKEN"):
        with pytest.raises(ValidationError):
            Settings(**{name.lower(): example[name]})
    with pytest.raises(ValueError, match="O2O_SECRET_KEY"):
        secret_key(Settings(data_dir=tmp_path, secret_key=SecretStr(example["SECRET_KEY"])))


@pytest.mark.parametrize(("given", "used"), [("C", "C.UTF-8"), ("POSIX", "C.UTF-8"), ("zh_CN.UTF-8", "zh_CN.UTF-8")])
def test_make_gives_python_a_locale_that_can_read_a_chinese_path(given: str, used: str) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    command = ["make", "--no-print-directory", "--eval", "show: ; @echo $$LC_ALL", "show"]
    ran = subprocess.run(command, cwd=DOCS.parent, env=os.environ | {"LC_ALL": given}, capture_output=True, check=True)
    assert ran.stdout.decode().strip() == used
