"""Only media addresses open, and no secret of one is ever shown."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capture.address import FORMS, check_address
from capture.source import AddressRefused
from config.secrets import redact, scrub, secrets_of

SECRET = st.text(string.ascii_letters + string.digits + "!$&'()*+,;=-._~%@:/?#", min_size=6)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("rtsp://10.0.0.5/stream1", "10.0.0.5", 554),
        ("RTSP://cam-a:8554/live?profile=1", "cam-a", 8554),
        ("rtsps://cam/x", "cam", 322),
        ("udp://239.1.1.1:5004", "239.1.1.1", 5004),
        ("udp://@:5004", "", 5004),
        ("udp://@239.1.1.1:5004", "239.1.1.1", 5004),
        ("tcp://[fe80::1]:9000", "fe80::1", 9000),
        ("  rtsp://cam/x  ", "cam", 554),
        ("rtmp://server/live/cam-a", "server", 1935),
        ("rtmps://server/live/cam-a", "server", 443),
        ("rtp://239.1.1.1:5004", "239.1.1.1", 5004),
        ("http://cam/live.m3u8", "cam", 80),
        ("https://cam:8443/video.mjpg?fps=25", "cam", 8443),
    ],
)
def test_media_addresses_are_allowed(text: str, host: str, port: int) -> None:
    address = check_address(text)
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:a|b",
        "concat:rtsp://a/b|file:///etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "pipe:0",
        "fd:",
        "data:text/plain,x",
        "crypto:rtsp://a/b",
        "async:rtsp://a/b",
        "cache:rtsp://a/b",
        "tee:rtsp://a/b",
        "unix:///run/x",
        "ftp://a/b",
        "gopher://a/b",
        "hls+file:///x.m3u8",
        "lavfi://testsrc",
        "rtsp:/one-slash",
        "rtsp://",
        "udp://239.1.1.1",
        "tcp://host",
        "udp://host:99999",
        "rtsp://host:port/x",
        "rtsp://a b/c",
        "rtsp://a/b\nrtsp://c",
        "",
        "rtsp://" + "a" * 3_000,
    ],
)
def test_everything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_address(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("rtps://cam/x", "did you mean rtsps"),
        ("file:///a.mov", "takewatch check"),
        ("srt://cam", "no port"),
        ("cam.local:554/x", "no scheme"),
        ("udp://239.1.1.1", "no port"),
    ],
)
def test_a_refusal_says_what_to_write_instead(text: str, advice: str) -> None:
    with pytest.raises(AddressRefused, match=advice):
        check_address(text)


@settings(max_examples=50)
@given(st.text(string.printable, max_size=80))
def test_any_text_is_either_an_allowed_scheme_or_refused(text: str) -> None:
    try:
        address = check_address(text)
    except AddressRefused:
        return
    assert address.scheme in FORMS
    assert 0 < address.port <= 65_535


@given(SECRET, SECRET)
@example(":00000", "00000:")
def test_no_password_is_ever_shown(user: str, password: str) -> None:
    address = f"rtsp://{user}:{password}@camera.local:554/live"
    shown = redact(address)
    assert shown == "rtsp://***@camera.local:554/live"
    text = f"Error opening '{address}': 401 for {password} at {address}"
    assert password not in scrub(text, address).replace("rtsp://***@camera.local:554/live", "")


@given(SECRET)
def test_a_refused_address_does_not_show_its_password_either(password: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_address(f"ftp://admin:{password}@camera.local/live")
    message = str(caught.value)
    assert message.startswith("ftp://***@camera.local/live: ftp:")


def test_a_path_with_an_at_sign_is_rather_hidden_than_a_password_shown() -> None:
    assert redact("rtsp://cam:554/camera@2") == "rtsp://***@2"
    assert redact("rtsp://admin:1234/5@cam/x") == "rtsp://***@cam/x"
    assert check_address("rtsp://cam:554/camera@2").host == "cam"


def test_secrets_in_parameters_are_hidden_and_plain_ones_stay() -> None:
    shown = redact("rtsp://cam/live?profile=2&token=abc123&fifo_size=1000&Password=x")
    assert shown == "rtsp://cam/live?profile=2&token=***&fifo_size=1000&Password=***"


def test_an_address_without_secrets_is_shown_as_it_is() -> None:
    for text in ("rtsp://cam:554/camera", "udp://239.1.1.1:5004", "rtsp://cam/a?b=c"):
        assert redact(text) == text
        assert secrets_of(text) == ()


def test_a_password_decoded_by_a_library_is_scrubbed_too() -> None:
    address = "rtsp://admin:p%40ss%2Fword@cam/x"
    assert "p@ss/word" not in scrub("authentication with p@ss/word failed", address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtmp://server/live/abcd-1234", "rtmp://server/live/***"),
        ("rtmps://server:443/app/room/abcd?x=1", "rtmps://server:443/app/***"),
        ("rtpm://server/live/abcd-1234", "rtpm://server/live/***"),
        ("http://cam/v.cgi?usr=a&pw=b&size=2", "http://cam/v.cgi?usr=***&pw=***&size=***"),
        ("https://a:b@cam/live.m3u8?hdnts=c", "https://***@cam/live.m3u8?hdnts=***"),
        ("rtsp://cam/user=admin_password=x_channel=1", "rtsp://cam/user=***"),
        ("rtsp://cam/user=a&password=b&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("srt://cam:9000?passphrase=x&latency=80", "srt://cam:9000?passphrase=***&latency=80"),
        ("srt://cam:9000?streamid=read:a:b", "srt://cam:9000?streamid=***"),
        ("udp://239.1.1.1:5004?localaddr=10.0.0.2", "udp://239.1.1.1:5004?localaddr=10.0.0.2"),
    ],
)
def test_every_form_is_shown_without_what_is_secret_in_it(address: str, shown: str) -> None:
    assert redact(address) == shown


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("rtmp://server/live/abcd-1234", "abcd-1234"),
        ("rtsp://cam/live?token=s3cr%20et", "s3cr et"),
        ("http://cam/v.cgi?usr=admin77", "admin77"),
    ],
)
def test_a_library_that_quotes_a_part_of_an_address_gives_nothing_away(
    address: str, secret: str
) -> None:
    assert secret in secrets_of(address)
    assert secret not in scrub(f"stream {secret} is not published", address)
