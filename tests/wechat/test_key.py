"""With a wrong O2O_SECRET_KEY nothing starts: every message would be turned away as from an unknown account."""

import pytest

from app.base.secrets import Vault
from app.base.work import Work
from app.domain.errors import Invalid
from app.wechat.accounts import require_key


async def test_the_key_that_sealed_the_accounts_opens_them(work: Work, vault: Vault) -> None:
    await require_key(work, vault)


async def test_another_key_is_told_before_anything_starts(work: Work) -> None:
    with pytest.raises(Invalid) as refused:
        await require_key(work, Vault("another key, as long as the first one was"))
    assert refused.value.code == "secret_key.other"
