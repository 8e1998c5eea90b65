"""Regions and their hosts."""

import pytest

from gate.codearts.regions import REGIONS, endpoints
from gate.errors import UsageProblem
from gate.settings import check_endpoint


def test_vendors_own_table_gives_the_same_hosts() -> None:
    """Every region that the vendor's SDK knows leads to the host that it names; only EU-Dublin is added."""
    from huaweicloudsdkcodeartsbuild.v3.region.codeartsbuild_region import CodeArtsBuildRegion

    theirs = {name: region.endpoints[0] for name, region in CodeArtsBuildRegion.static_fields.items()}
    ours = {name: found.build for name, found in REGIONS.items()}
    assert ours.pop("eu-west-101") == "https://build-backend.eu-west-101.myhuaweicloud.eu"
    assert ours == theirs


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_two_endpoints_that_may_be_given_by_hand_too(region: str) -> None:
    """Both are https base URLs of that region."""
    for url in endpoints(region):
        check_endpoint(url, "--endpoint")
        assert url.startswith("https://")
        assert f".{region}." in url


def test_unknown_region_is_answered_with_the_list_and_the_way_out() -> None:
    """The sentence names every region, and the options that make the table needless."""
    with pytest.raises(UsageProblem) as caught:
        endpoints("me-east-1")
    assert all(region in str(caught.value) for region in REGIONS)
    assert "--endpoint and --iam-endpoint" in caught.value.hint
