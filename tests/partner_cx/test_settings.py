from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest

from partner_cx.errors import Invalid
from partner_cx.settings import Settings, signing_secret

SECRET = "correct horse battery staple"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}


def test_nothing_needs_to_be_set(home: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.read(home)
    assert settings.database_url == f"sqlite:///{tmp_path}/data/partner-cx/partner-cx.sqlite3"
    assert (settings.time_zone, settings.currency) == ("Europe/Paris", "EUR")
    assert settings.zone.key == "Europe/Paris"
    assert settings.otif_under_tolerance == 0
    assert settings.otif_over_tolerance is None
    assert sum(settings.dsi_weights.values()) == 100
    assert settings.secret is None
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "issuer",
    ["http://id.brand.example", "id.brand.example", "https://u:p@id.brand.example", "ftp://x", ""],
)
def test_a_provider_is_reached_safely_or_not_at_all(home: dict[str, str], issuer: str) -> None:
    with pytest.raises(Invalid, match="PARTNER_CX_OIDC_ISSUER"):
        Settings.read(home | {"PARTNER_CX_OIDC_ISSUER": issuer})


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.brand.example/realms/cx",
        "http://127.0.0.1:8080",
        "http://[::1]:1",
        "http://localhost",
    ],
)
def test_a_provider_may_be_on_this_machine(home: dict[str, str], issuer: str) -> None:
    assert Settings.read(home | {"PARTNER_CX_OIDC_ISSUER": f"{issuer}/"}).oidc_issuer == issuer


def test_what_the_provider_knows_us_by_isnt_printed(home: dict[str, str]) -> None:
    settings = Settings.read(home | {"PARTNER_CX_OIDC_CLIENT_SECRET": SECRET})
    assert SECRET not in repr(settings)


def test_without_a_data_home_data_lies_in_the_home(tmp_path: Path) -> None:
    settings = Settings.read({"HOME": str(tmp_path), "XDG_DATA_HOME": "not/absolute"})
    assert settings.data_folder == tmp_path / ".local" / "share" / "partner-cx"


def test_the_database_follows_the_data_folder(home: dict[str, str]) -> None:
    settings = Settings.read(home | {"PARTNER_CX_DATA_FOLDER": "/srv/partner-cx"})
    assert settings.database_url == "sqlite:////srv/partner-cx/partner-cx.sqlite3"


def test_the_environment_is_read(home: dict[str, str]) -> None:
    settings = Settings.read(
        home
        | {
            "PARTNER_CX_DATABASE_URL": "postgresql://cx@db/cx",
            "PARTNER_CX_TIME_ZONE": "Europe/Berlin",
            "PARTNER_CX_CURRENCY": "chf",
            "PARTNER_CX_OTIF_UNDER_TOLERANCE": "5 %",
            "PARTNER_CX_OTIF_OVER_TOLERANCE": "none",
            "PARTNER_CX_DSI_ANSWERS_MIN": "7",
            "PARTNER_CX_CXI_WEIGHTS": "effective=50, easy=50",
            "PARTNER_CX_SECRET": SECRET,
        }
    )
    assert settings.database_url == "postgresql://cx@db/cx"
    assert settings.time_zone == "Europe/Berlin"
    assert settings.currency == "CHF"
    assert settings.otif_under_tolerance == Fraction(1, 20)
    assert settings.otif_over_tolerance is None
    assert settings.dsi_answers_min == 7
    assert settings.cxi_weights == {"effective": 50, "easy": 50}
    assert settings.secret == SECRET


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    home: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'language = "fr"\nftfr_window_days = 30\notif_over_tolerance = 0.1\n'
        "[dsi_weights]\nlogistics = 1\nproduct = 2\n"
    )
    named = home | {"PARTNER_CX_SETTINGS": str(file), "PARTNER_CX_FTFR_WINDOW_DAYS": "7"}
    settings = Settings.read(named)
    assert settings == Settings.read(home | {"PARTNER_CX_FTFR_WINDOW_DAYS": "7"}, file)
    assert settings.language == "fr"
    assert settings.ftfr_window_days == 7
    assert settings.otif_over_tolerance == Fraction(1, 10)  # exactly: no float came near it
    assert settings.dsi_weights == {"logistics": 1, "product": 2}


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PARTNER_CX_TIMEZONE", "Europe/Paris", "Did you mean PARTNER_CX_TIME_ZONE?"),
        ("PARTNER_CX_DATABASE", "x", "Did you mean PARTNER_CX_DATABASE_URL?"),
        ("PARTNER_CX_ZZZ", "x", "There are: data_folder, database_url"),
        ("PARTNER_CX_TIME_ZONE", "Europe/Pari", "Did you mean Europe/Paris?"),
        ("PARTNER_CX_CURRENCY", "euro", "ISO 4217"),
        ("PARTNER_CX_LANGUAGE", "de", "fr, en"),
        ("PARTNER_CX_DSI_ANSWERS_MIN", "five", "isn't a whole number"),
        ("PARTNER_CX_DSI_ANSWERS_MIN", "0", "0 is less than 1"),
        ("PARTNER_CX_DSI_WEIGHTS", "logistics", "write logistics=30"),
        ("PARTNER_CX_DSI_WEIGHTS", "logistics=0", "above 0"),
        ("PARTNER_CX_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("PARTNER_CX_DATA_FOLDER", "here", "must begin at the root"),
        ("PARTNER_CX_SECRET", "short", "at least 16 characters"),
        ("PARTNER_CX_DATABASE_URL", "mysql://db/cx", "sqlite:///path/to/file or postgresql://"),
        ("PARTNER_CX_SETTINGS", "/nowhere.toml", "Check PARTNER_CX_SETTINGS, which names it"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_expected(
    home: dict[str, str], variable: str, value: str, expected: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.read(home | {variable: value})
    assert expected in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('time-zone = "Europe/Paris"', "Did you mean time_zone?"),
        ("dsi_answers_min = true", "dsi_answers_min: “True” isn't a whole number"),
        ("dsi_answers_min = 1.5", "isn't a whole number"),
        ("otif_under_tolerance = [5]", "write it as 5 % or 0.05"),
        ("time_zone = 1", "a text is expected"),
        ("time_zone = Europe/Paris", "isn't TOML"),
    ],
)
def test_a_file_is_held_to_the_same(
    home: dict[str, str], tmp_path: Path, text: str, expected: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(Invalid) as refusal:
        Settings.read(home, file)
    assert expected in str(refusal.value)


def test_all_mistakes_are_told_at_once(home: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.read(home | {"PARTNER_CX_LANGUAGE": "de", "PARTNER_CX_LANGAUGE": "fr"})
    assert str(refusal.value).splitlines() == [
        "2 settings can't be meant:",
        "PARTNER_CX_LANGAUGE isn't a setting. Did you mean PARTNER_CX_LANGUAGE?",
        "PARTNER_CX_LANGUAGE: “de” isn't one of fr, en.",
    ]


def test_what_steers_a_test_run_is_left_alone(home: dict[str, str]) -> None:
    steered = home | {"PARTNER_CX_TEST_DATABASE_URL": "x", "PARTNER_CX_TRIALS": "50"}
    assert Settings.read(steered) == Settings.read(home)


@pytest.mark.parametrize(
    "url", ["postgresql://cx:hunter2@db/cx", "postgresql://cx@db/cx?password=hunter2"]
)
def test_secrets_are_never_printed(home: dict[str, str], url: str) -> None:
    settings = Settings.read(home | {"PARTNER_CX_DATABASE_URL": url, "PARTNER_CX_SECRET": SECRET})
    for text in (repr(settings), str(settings), f"{settings}"):
        assert "hunter2" not in text
        assert SECRET not in text
        assert "***" in text


@pytest.mark.parametrize(
    "url", ["mysql://cx:hunter2@db/cx", "cx:hunter2@db", "postgresql://cx:hunter2@db:port/cx"]
)
def test_a_refused_database_url_is_not_repeated(home: dict[str, str], url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.read(home | {"PARTNER_CX_DATABASE_URL": url})
    assert "hunter2" not in str(refusal.value)


def test_another_database_can_be_named_at_the_door(home: dict[str, str]) -> None:
    settings = Settings.read(home)
    assert settings.with_database("sqlite:///other.sqlite3").database_url.endswith("other.sqlite3")
    with pytest.raises(Invalid, match="a URL is expected"):
        settings.with_database("other.sqlite3")


def test_the_secret_is_made_once_and_for_its_owner_alone(home: dict[str, str]) -> None:
    settings = Settings.read(home)
    with ThreadPoolExecutor(8) as several:
        made = set(several.map(signing_secret, [settings] * 8))
    assert len(made) == 1
    assert len(made.pop()) >= 32
    kept = settings.data_folder / "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data_folder.stat().st_mode) == 0o700
    assert [file.name for file in settings.data_folder.iterdir()] == ["secret"]


def test_a_given_secret_is_used_and_nothing_is_kept(home: dict[str, str]) -> None:
    settings = Settings.read(home | {"PARTNER_CX_SECRET": SECRET})
    assert signing_secret(settings) == SECRET
    assert not settings.data_folder.exists()
