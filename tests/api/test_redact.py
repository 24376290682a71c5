import pytest

from api.redact import redacted


def test_credentials_in_addresses_and_secret_keys_are_left_out() -> None:
    settings = {
        "source": [
            {"address": "rtsp://ada:pw@cam.local/live?token=abc&channel=1", "name": "A camera"},
            {"address": "udp://239.0.0.1:5000", "passphrase": "sesame"},
        ],
        "network": {"port": 8400},
    }
    shown = str(redacted(settings))
    for secret in ("ada", "pw@", "abc", "sesame"):
        assert secret not in shown
    assert "cam.local/live" in shown
    assert "channel=1" in shown
    assert "udp://239.0.0.1:5000" in shown
    assert "8400" in shown


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://ada:pass@word@cam.local/live",
        "rtsp://ada:12/word@cam.local/live",
        "rtsp://ada:12?word@cam.local/live",
        "rtsp://cam.local/live?pwd=word",
        "rtsp://cam.local/live;user=ada",
    ],
)
def test_passwords_with_signs_of_addresses_in_them_are_left_out_too(address: str) -> None:
    shown = redacted({"address": address})["address"]
    assert "cam.local/live" in shown
    assert "word" not in shown
    assert "ada" not in shown
