"""What `make demo` does before it starts anything."""

import stat
from pathlib import Path

import pytest

from crm import demo


def test_secrets_are_made_once_in_a_folder_that_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "DATA", tmp_path / "fresh" / "data")
    made = demo.secrets_of_this_demo()
    assert all(len(value) >= 32 for value in made.values())
    assert set(made) == {"SECRET_KEY", "JWT_SECRET"}
    assert demo.secrets_of_this_demo() == made
    mode = (tmp_path / "fresh" / "data" / "demo.env").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
