"""Regions and their hosts."""

import pytest

from gate.codearts.regions import REGIONS
from gate.errors import UsageProblem
from gate.settings import check_endpoint
from tests.tables import each_row


def test_vendors_own_table_gives_the_same_hosts() -> None:
    """The hosts are those of the vendor's SDK; only EU-Dublin is added."""
    from huaweicloudsdkcodeartsbuild.v3.region.codeartsbuild_region import CodeArtsBuildRegion

    theirs = {name: region.endpoints[0] for name, region in CodeArtsBuildRegion.static_fields.items()}
    ours = {name: found.build for name, found in REGIONS.items()}
    assert ours.pop("eu-west-101") == "https://build-backend.eu-west-101.myhuaweicloud.eu"
    assert ours == theirs


@each_row("region", REGIONS)
def test_every_region_has_two_endpoints_that_may_be_given_by_hand_too(region: str) -> None:
    """Both are https base URLs of that region."""
    for url in REGIONS[region]:
        check_endpoint(url, "--endpoint")
        assert url.startswith("https://")
        assert f".{region}." in url


@each_row(
    "url",
    [
        "https://a..example.com", "https://.com", f"https://{'a' * 64}.com", "https://a b.com", "https://*.example.com",
        "http://[::1]evil.example", "http://[::1%evil.example]", "https://x.example:99999", "https://x.example?",
        "https://x.example#", "https://bob:S3CRET@x.example", "https://bob:S3C/RET@x.example",
        "https://bob:pa\u2100S3CRET@x.example", "x.example", "https://", "https://x.example/\n", "https://b\u00fccher.example",
    ],
)  # fmt: skip
def test_endpoint_that_cannot_be_asked_is_refused_and_not_quoted(url: str) -> None:
    """It may contain a password, and the HTTP library would fail with errors of its own."""
    with pytest.raises(UsageProblem, match=r"--endpoint .*https://cloudbuild-ext") as caught:
        check_endpoint(url, "--endpoint")
    assert "S3C" not in str(caught.value)


@each_row("url", ["https://x.example:8443/base/", "https://x.example.", "http://[::1]:80", "https://a_b.x"])
def test_endpoint_with_port_path_or_address_is_taken(url: str) -> None:
    """A base URL may have a path."""
    check_endpoint(url, "--endpoint")
