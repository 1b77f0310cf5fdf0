"""What the folder of backups keeps, throws away and refuses."""

import os
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from breadmate.backup import age, keeper, place, restoring
from breadmate.backup.__main__ import restore
from breadmate.backup.place import Place
from breadmate.backup.vault import STAMP, BackupError, Vault, last_night

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    folder = tmp_path / "backups"
    folder.mkdir()
    made = Vault(folder)
    made.make()
    return made


def add_base(vault: Vault, days_ago: float, segment: int) -> Path:
    at = NOW - timedelta(days=days_ago)
    (vault.folder / "files" / f"{at:{STAMP}}.tar.gz.age").touch()
    path = vault.folder / "base" / f"{at:{STAMP}}-0000000100000000{segment:08X}.tar.gz.age"
    path.touch()
    return path


def add_log(vault: Vault, *segments: int, timeline: int = 1, ending: str = "") -> None:
    for segment in segments:
        (vault.folder / "wal" / f"{timeline:08X}00000000{segment:08X}{ending}.gz.age").touch()


def names(vault: Vault, folder: str) -> list[str]:
    return sorted(path.name for path in (vault.folder / folder).iterdir())


def test_old_copies_go_with_the_log_only_they_need(vault: Vault) -> None:
    for days_ago, segment in ((30, 1), (20, 3), (3, 5), (1, 8)):
        add_base(vault, days_ago, segment)
    add_log(vault, *range(1, 11))

    vault.forget_old(days=14, now=NOW)

    assert [base.first_segment[-1] for base in vault.bases()] == ["5", "8"]
    assert len(names(vault, "files")) == 2
    assert [int(name[8:24], 16) for name in names(vault, "wal")] == [5, 6, 7, 8, 9, 10]


def test_two_newest_stay_however_old(vault: Vault) -> None:
    for days_ago, segment in ((50, 1), (40, 3), (30, 5)):
        add_base(vault, days_ago, segment)

    vault.forget_old(days=14, now=NOW)

    assert [base.first_segment[-1] for base in vault.bases()] == ["3", "5"]


def test_log_goes_on_over_a_restore_and_the_piece_under_way_counts(vault: Vault) -> None:
    add_base(vault, 1, 0xFE)
    add_log(vault, 0xFD, 0xFE, 0xFF)
    (vault.folder / "wal" / "000000010000000100000000.partial.gz.age").touch()
    (vault.folder / "wal" / "000000020000000100000000.gz.age").touch()

    log = vault.log_since(vault.bases()[0])

    assert ([*log.files], log.gap) == (
        [
            "0000000100000000000000FE",
            "0000000100000000000000FF",
            "000000010000000100000000",
            "000000020000000100000000",
        ],
        False,
    )


@pytest.mark.parametrize("segments", [(5, 7), (6, 7), (5, 6, 8)])
def test_missing_piece_of_the_log_is_seen_and_asks_for_a_new_copy(vault: Vault, segments: tuple[int, ...]) -> None:
    add_base(vault, 0, 5)
    add_log(vault, *segments)

    assert vault.log_since(vault.bases()[0]).gap
    assert keeper.is_copy_due(vault, NOW)


def test_copy_is_due_once_a_night(vault: Vault) -> None:
    assert keeper.is_copy_due(vault, NOW)
    add_base(vault, 0, 5)
    assert not keeper.is_copy_due(vault, NOW)
    assert keeper.is_copy_due(vault, NOW + timedelta(days=1))
    assert last_night(NOW, 4) <= NOW < last_night(NOW, 4) + timedelta(days=1)


def test_another_key_and_a_spoiled_file_are_refused_in_words(tmp_path: Path) -> None:
    for name in ("right", "wrong"):
        age.make_key(tmp_path / name)
    right, wrong = age.read_key(tmp_path / "right"), age.read_key(tmp_path / "wrong")
    sealed = tmp_path / "000000010000000000000005.gz.age"
    age.seal_packed(b"CPF 111.444.777-35" * 1000, sealed, right)

    assert age.unseal_packed(sealed, right) == b"CPF 111.444.777-35" * 1000
    assert b"CPF" not in sealed.read_bytes()
    assert (tmp_path / "right").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="Esta chave não abre"):
        age.unseal_packed(sealed, wrong)
    content = bytearray(sealed.read_bytes())
    content[-20] ^= 1
    sealed.write_bytes(content)
    with pytest.raises(BackupError, match="está estragado"):
        age.unseal_packed(sealed, right)
    with pytest.raises(BackupError, match="não tem uma chave"):
        age.read_key(sealed.with_name("000000010000000000000005.gz.age"))


def test_half_a_copy_is_refused(tmp_path: Path) -> None:
    age.make_key(tmp_path / "key")
    key = age.read_key(tmp_path / "key")
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tar:
        (tmp_path / "noise").write_bytes(os.urandom(200_000))
        tar.add(tmp_path / "noise", "noise")
    (tmp_path / "half.tar.gz").write_bytes((tmp_path / "whole.tar.gz").read_bytes()[:100_000])
    with (tmp_path / "half.tar.gz").open("rb") as half:
        age.seal(half, tmp_path / "half.age", key)

    with pytest.raises(BackupError, match="não pôde ser aberto"):
        restoring.unpack(tmp_path / "half.age", tmp_path / "there", key)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.uid, info.uname = kind, link, 0o4777, 12345, "somebody"
    return info


@pytest.mark.parametrize(
    "strange",
    [
        member("../outside"),
        member("/tmp/outside"),
        member("media/../../outside"),
        member("link", tarfile.SYMTYPE, "/etc"),
        member("hard", tarfile.LNKTYPE, "../key"),
        member("pipe", tarfile.FIFOTYPE),
        member("disk", tarfile.BLKTYPE),
    ],
    ids=lambda info: info.name,
)
def test_what_no_backup_of_ours_holds_is_not_unpacked(strange: tarfile.TarInfo, tmp_path: Path) -> None:
    age.make_key(tmp_path / "key")
    key = age.read_key(tmp_path / "key")
    for name, members in (("good", [member("fine")]), ("bad", [member("fine"), strange])):
        with tarfile.open(tmp_path / name, "w:gz") as tar:
            for each in members:
                tar.addfile(each)
        with (tmp_path / name).open("rb") as packed:
            age.seal(packed, tmp_path / f"{name}.age", key)

    restoring.unpack(tmp_path / "good.age", tmp_path / "there", key)
    with pytest.raises(BackupError, match="não pertence a um backup"):
        restoring.unpack(tmp_path / "bad.age", tmp_path / "nowhere", key)

    found = (tmp_path / "there" / "fine").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o755, os.geteuid())
    assert not (tmp_path / "outside").exists()


def test_settings_and_photos_come_back_and_replace_nothing(tmp_path: Path, vault: Vault) -> None:
    run_dir = tmp_path / "run"
    shop = place.find({"BACKUP_DIR": str(vault.folder), "RUN_DIR": str(run_dir)})
    (run_dir / "media").mkdir(parents=True)
    (run_dir / "media" / "photo.webp").write_text("a photo")
    (run_dir / "secret_key").write_text("the old secret")
    age.make_key(run_dir / "backup.key")
    key = age.read_key(run_dir / "backup.key")
    keeper.copy_files(shop, key, NOW)
    assert b"secret" not in (vault.folder / "files" / f"{NOW:{STAMP}}.tar.gz.age").read_bytes()
    (run_dir / "media" / "photo.webp").unlink()
    (run_dir / "secret_key").write_text("another one")

    restoring.bring_files_back(shop, key)

    assert (run_dir / "media" / "photo.webp").read_text() == "a photo"
    assert (run_dir / "secret_key").read_text() == "another one"
    assert not (run_dir / "files.restored").exists()


def test_restore_asks_the_settings_that_came_back_whose_the_server_is(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir, key = tmp_path / "run", tmp_path / "backup.key"
    run_dir.mkdir()
    monkeypatch.delenv("DATABASE_URL")
    for name, value in (("BACKUP_DIR", vault.folder), ("RUN_DIR", run_dir), ("BACKUP_KEY", key)):
        monkeypatch.setenv(name, str(value))
    age.make_key(key)
    (run_dir / "shop.env").write_text("DATABASE_URL=postgres://loja@db.example/padaria\n")
    keeper.copy_files(place.find(), age.read_key(key), NOW)
    (run_dir / "shop.env").unlink()  # a new computer

    with pytest.raises(BackupError, match="diga uma pasta nova"):
        restore(place.find(), None, replace=False)
    with pytest.raises(BackupError, match=f"Não há backup em {vault.folder}"):
        restore(place.find(), tmp_path / "new", replace=False)
    with pytest.raises(BackupError, match="nowhere não existe"):
        restore(place.find(), tmp_path / "nowhere" / "new", replace=False)
    assert (run_dir / "shop.env").exists()


def test_wrong_key_leaves_the_data_that_are_there(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / "run"
    shop = place.find({"BACKUP_DIR": str(vault.folder), "RUN_DIR": str(run_dir)})
    for name in ("right", "wrong"):
        age.make_key(tmp_path / name)
    run_dir.mkdir()
    (run_dir / "secret_key").write_text("a secret")
    keeper.copy_files(shop, age.read_key(tmp_path / "right"), NOW)
    for name, value in (("BACKUP_DIR", vault.folder), ("RUN_DIR", run_dir), ("BACKUP_KEY", tmp_path / "wrong")):
        monkeypatch.setenv(name, str(value))
    data = tmp_path / "data"
    data.mkdir()

    with pytest.raises(BackupError, match="Esta chave não abre"):
        restore(place.find(), data, replace=True)

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("data")] == ["data"]


def test_folder_that_is_not_there_is_an_unplugged_disk(tmp_path: Path) -> None:
    shop: Place = place.find({"BACKUP_DIR": str(tmp_path / "away"), "RUN_DIR": str(tmp_path / "run")})

    with pytest.raises(BackupError, match="não existe: ligue o disco"):
        shop.vault.make()
    with pytest.raises(BackupError, match="Falta BACKUP_DIR"):
        place.find({"RUN_DIR": str(tmp_path / "run")})
