"""The key file. DESIGN 5 "Keys"; issue text: mode 0600, made on first start, never printed; GDPR Art. 32."""

import os
import shutil
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from security.kms.local import FIRST_LINE, KeyFileError, LocalKms, add_master_key, open_key_file, read_key_file
from security.kms.protocol import KmsError

SECRET = b"k" * 32


async def test_a_wrapped_key_unwraps_in_its_context(kms: LocalKms) -> None:
    """DESIGN 5: KMS key → data key, wrapped."""
    wrapped = await kms.wrap(SECRET, b"patient-1")
    assert SECRET not in wrapped
    assert await kms.unwrap(wrapped, b"patient-1") == SECRET


async def test_a_wrapped_key_does_not_unwrap_for_somebody_else(kms: LocalKms) -> None:
    """NIST SP 800-38D 7.2: the context is authenticated, so one patient's key cannot be put in place of another's."""
    wrapped = await kms.wrap(SECRET, b"patient-1")
    with pytest.raises(KmsError):
        await kms.unwrap(wrapped, b"patient-2")


async def test_no_flipped_bit_of_a_wrapped_key_goes_unnoticed(kms: LocalKms) -> None:
    """NIST SP 800-38D 7.2; format and version of the master key are covered too."""
    wrapped = await kms.wrap(SECRET, b"c")
    for bit in range(len(wrapped) * 8):
        altered = bytearray(wrapped)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KmsError):
            await kms.unwrap(bytes(altered), b"c")


@pytest.mark.parametrize("length", range(0, 40, 3))
async def test_a_wrapped_key_that_is_cut_off_does_not_unwrap(kms: LocalKms, length: int) -> None:
    """STYLE 7.7: whatever lies in the database, the answer is the one error."""
    with pytest.raises(KmsError):
        await kms.unwrap((await kms.wrap(SECRET, b"c"))[:length], b"c")


async def test_the_same_file_gives_the_same_master_key(key_file: Path) -> None:
    """DESIGN 2.5: what was sealed before a restart is readable after it."""
    wrapped = await open_key_file(key_file).wrap(SECRET, b"c")
    assert await open_key_file(key_file).unwrap(wrapped, b"c") == SECRET


async def test_another_file_does_not_unwrap(key_file: Path, tmp_path: Path) -> None:
    """GDPR Art. 32(1)(a): the database without the key file is unreadable."""
    wrapped = await open_key_file(key_file).wrap(SECRET, b"c")
    with pytest.raises(KmsError):
        await open_key_file(tmp_path / "other").unwrap(wrapped, b"c")


def test_the_file_is_made_for_its_owner_alone(key_file: Path) -> None:
    """DESIGN 4: its credentials lie in a 0600 file; whatever the umask says."""
    before = os.umask(0)
    try:
        open_key_file(key_file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_processes_that_start_together_end_with_one_master_key(key_file: Path) -> None:
    """DESIGN 2.5: a key that wrapped something is never overwritten by a neighbour's."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: (open_key_file(key_file), read_key_file(key_file))[1], range(16)))
    assert all(keys == made[0] for keys in made)
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_start_that_was_killed_half_way_leaves_no_file_that_stops_the_next(key_file: Path) -> None:
    """Issue text: kill -9, and the next start needs no help. The name appears only with its whole content."""

    def killed(_: int) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_key_file(key_file, random=killed)
    assert not key_file.exists()
    open_key_file(key_file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o777])
def test_a_file_that_others_may_use_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    """GDPR Art. 32: the master key is for the hub's user alone."""
    open_key_file(key_file)
    key_file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_key_file(key_file)


def test_a_file_of_another_user_is_refused(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDPR Art. 32: who owns the file may open it to others at any time."""
    open_key_file(key_file)
    monkeypatch.setattr(os, "geteuid", lambda: key_file.stat().st_uid + 1)
    with pytest.raises(KeyFileError, match="another user"):
        open_key_file(key_file)


def test_what_is_not_a_file_is_refused(key_file: Path) -> None:
    """STYLE 7.7: a folder in the place of the file is an error, not an empty key."""
    key_file.mkdir(parents=True)
    with pytest.raises(KeyFileError, match="not a file"):
        open_key_file(key_file)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: FIRST_LINE + "\n",
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(FIRST_LINE, "something else"),
        lambda text: text.replace("\n1 ", "\n2 "),
        lambda text: text + text.splitlines()[1] + "\n",
        lambda text: text[:30] + ("0" if text[30] != "0" else "1") + text[31:],
        lambda text: text.replace(text.splitlines()[1].split()[1], "zz" * 32),
        lambda text: text.replace(text.splitlines()[1].split()[1], "00" * 16),
        lambda text: text + "é\n",
    ],
)
def test_a_damaged_file_is_refused_and_shows_nothing(key_file: Path, damage: object) -> None:
    """DESIGN 2.4: sealing with a damaged master key would lose data; the error quotes no part of the file."""
    open_key_file(key_file)
    whole = key_file.read_text()
    key_file.write_text(damage(whole))
    with pytest.raises(KeyFileError) as raised:
        open_key_file(key_file)
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert "backup" in str(raised.value)
    assert whole.splitlines()[1].split()[1][:8] not in shown


def test_the_kms_shows_nothing_of_its_keys(kms: LocalKms) -> None:
    """Issue text: never printed."""
    assert repr(kms) == "LocalKms(…)"
    assert kms.key_id == "local/1"


async def test_after_a_rotation_the_newest_wraps_and_older_ones_unwrap(key_file: Path) -> None:
    """DESIGN 5: keys are versioned; SECURITY 4.4: rotating the master key needs no re-encryption."""
    before = open_key_file(key_file)
    old = await before.wrap(SECRET, b"c")
    assert add_master_key(key_file) == 2
    after = open_key_file(key_file)
    assert (before.key_id, after.key_id) == ("local/1", "local/2")
    assert await after.unwrap(old, b"c") == SECRET
    assert (await after.wrap(SECRET, b"c"))[:5] != old[:5]


async def test_a_running_process_learns_of_a_rotation(key_file: Path) -> None:
    """SECURITY 4.4: rotate under load: no error, no downtime."""
    running = open_key_file(key_file)
    add_master_key(key_file)
    wrapped = await open_key_file(key_file).wrap(SECRET, b"c")
    assert await running.unwrap(wrapped, b"c") == SECRET
    assert running.key_id == "local/2"


async def test_a_version_that_is_nowhere_is_an_error(key_file: Path, tmp_path: Path) -> None:
    """STYLE 7.7: the text names the version that the operator has to bring back."""
    open_key_file(key_file)
    older = LocalKms(key_file, read_key_file(key_file))
    restored = shutil.copy2(key_file, tmp_path / "backup")
    add_master_key(key_file)
    wrapped = await open_key_file(key_file).wrap(SECRET, b"c")
    shutil.copy2(restored, key_file)
    with pytest.raises(KmsError, match="version 2"):
        await older.unwrap(wrapped, b"c")


def test_rotations_at_the_same_time_lose_no_key(key_file: Path) -> None:
    """DESIGN 2.5: what a lost version wrapped would be lost with it."""
    open_key_file(key_file)
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda _: add_master_key(key_file), range(8)))
    assert sorted(versions) == list(range(2, 10))
    assert set(read_key_file(key_file)) == set(range(1, 10))
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
