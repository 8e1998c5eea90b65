"""The regions of CodeArts Build and their hosts.

Source: the region table of the vendor's SDK, huaweicloudsdkcodeartsbuild 3.1.219. EU-Dublin is not in that table; its
hosts are from the page "Endpoints" of the EU documentation (cloudbuild_03_0003, 2023-11-28).
"""

from gate.value_types import NamedTuple


class Endpoints(NamedTuple):
    """The base URLs of CodeArts Build and of IAM in one region."""

    build: str
    iam: str


_REGULAR = (
    "ap-southeast-3",
    "cn-east-2",
    "cn-east-3",
    "cn-north-1",
    "cn-north-4",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "la-north-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
)

REGIONS = {
    name: Endpoints(f"https://cloudbuild-ext.{name}.myhuaweicloud.com", f"https://iam.{name}.myhuaweicloud.com")
    for name in _REGULAR
} | {
    "eu-west-101": Endpoints(
        "https://build-backend.eu-west-101.myhuaweicloud.eu", "https://iam.eu-west-101.myhuaweicloud.eu"
    ),
}
