import json
from pathlib import Path

import pytest

from api.pairing import (
    FILE_NAME,
    INVITATION_S,
    SESSION_S,
    TRIES_A_MINUTE_PEER,
    Device,
    Devices,
    PairingRefused,
    RateLimit,
    TooManyTries,
)

S = 1_000_000_000


def admit(devices: Devices, token: str, *, t_ns: int = 0, peer: str = "p") -> tuple[Device, str]:
    return devices.exchange(token, "Ada's tablet", "sound", peer=peer, t_ns=t_ns, utc_ns=1000)


def test_a_token_admits_one_device_once(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    token = devices.invite("log", 0)
    device, cookie = admit(devices, token)
    identity = devices.identify(cookie, 2000)
    assert identity is not None
    assert (identity.role, identity.who, identity.device) == ("log", "Ada's tablet", device.id)
    with pytest.raises(PairingRefused, match="used"):
        admit(devices, token)


def test_a_token_lives_five_minutes(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    token = devices.invite("log", 0)
    with pytest.raises(PairingRefused, match="too old"):
        admit(devices, token, t_ns=INVITATION_S * S + 1)


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    token = devices.invite("log", 0)
    for _ in range(TRIES_A_MINUTE_PEER):
        with pytest.raises(PairingRefused, match="ask for a new one"):
            admit(devices, "guess", t_ns=S)
    with pytest.raises(TooManyTries):
        admit(devices, token, t_ns=2 * S)
    assert admit(devices, token, t_ns=2 * S, peer="another")


def test_the_limit_passes_after_a_minute_and_forgets_old_peers() -> None:
    limit = RateLimit()
    assert [limit.admit("p", 0) for _ in range(6)] == [True] * 5 + [False]
    assert limit.admit("p", 60 * S)
    assert not all(limit.admit(f"peer {n}", 61 * S) for n in range(100))


def test_devices_survive_a_restart_and_no_secret_is_on_disk(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    token = devices.invite("operate", 0)
    device, cookie = admit(devices, token)
    on_disk = (tmp_path / FILE_NAME).read_text()
    secret = cookie.partition(".")[2]
    assert secret not in on_disk
    assert token not in on_disk
    again = Devices(tmp_path)
    identity = again.identify(cookie, 2000)
    assert identity is not None
    assert identity.role == "operate"
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0
    assert again.list() == [device]


def test_a_revoked_device_is_a_stranger_at_once_and_after_a_restart(tmp_path: Path) -> None:
    gone: list[str] = []
    devices = Devices(tmp_path, gone.append)
    device, cookie = admit(devices, devices.invite("log", 0))
    devices.revoke(device.id)
    assert gone == [device.id]
    assert devices.identify(cookie, 2000) is None
    assert Devices(tmp_path).identify(cookie, 2000) is None
    with pytest.raises(KeyError):
        devices.revoke(device.id)


@pytest.mark.parametrize("cookie", ["", ".", "x.y", "a" * 5000, "\x00.\x00"])
def test_a_made_up_cookie_is_nobody(tmp_path: Path, cookie: str) -> None:
    devices = Devices(tmp_path)
    device, _ = admit(devices, devices.invite("log", 0))
    assert devices.identify(cookie, 2000) is None
    assert devices.identify(f"{device.id}.{cookie}", 2000) is None


def test_a_session_ends_after_the_longest_shoot(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    _, cookie = admit(devices, devices.invite("log", 0))
    assert devices.identify(cookie, 1000 + SESSION_S * S) is not None
    assert devices.identify(cookie, 1001 + SESSION_S * S) is None


@pytest.mark.parametrize("text", ["not json", json.dumps([{"id": 1}]), json.dumps({"a": 1})])
def test_a_damaged_file_admits_nobody_and_is_set_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    devices = Devices(tmp_path)
    assert devices.list() == []
    assert (tmp_path / "devices.damaged").read_text() == text
