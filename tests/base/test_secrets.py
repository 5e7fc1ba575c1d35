"""Keyed digests: equal values are told, and by nobody without the key."""

import hashlib

from app.base.secrets import Vault
from tests.conftest import SECRET_KEY


def test_equal_values_have_equal_digests_in_every_process_with_the_key() -> None:
    one, other = Vault(SECRET_KEY), Vault(SECRET_KEY)
    assert one.digest("14200000001", "household.phone") == other.digest("14200000001", "household.phone")
    assert one.digest("14200000001", "household.phone") != one.digest("14200000002", "household.phone")


def test_a_digest_is_of_one_purpose_and_one_key() -> None:
    vault = Vault(SECRET_KEY)
    made = {
        vault.digest("14200000001", "household.phone"),
        vault.digest("14200000001", "citizen.phone"),
        Vault("another key of another installation").digest("14200000001", "household.phone"),
        hashlib.sha256(b"14200000001").hexdigest(),
    }
    assert len(made) == 4


def test_a_digest_stays_the_same_between_versions() -> None:
    """It lies in databases: with another way of making it no household would be known again."""
    vault = Vault("a key that is written down in a test")
    assert vault.digest("值", "test") == "15e75ec903dc03119412425eda76ce1ff1dafb49a473ecb5a4504f31a3bd5170"
