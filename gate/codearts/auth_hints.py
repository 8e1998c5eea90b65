"""Advice for a refused credential, chosen by the code and the text of the gateway's answer."""

import re

_CAUSES = (
    (
        r"0307|token expires",
        (
            "The token has expired, belongs to another region, or is scoped to the account instead of a project. "
            "Get a new token with project scope in this region, or set GATE_IAM_USER so that the gate signs in itself."
        ),
    ),
    (
        r"decrypt token fail",
        "The value is not a token of this region. Use the complete X-Subject-Token header of this region's IAM.",
    ),
    (r"signature expired", "Set the clock of this machine: a signature is valid for 15 minutes."),
    (
        r"verify aksk signature fail",
        (
            "HUAWEICLOUD_SDK_SK does not belong to HUAWEICLOUD_SDK_AK, or a temporary key is used without "
            "HUAWEICLOUD_SDK_SECURITY_TOKEN, or a proxy changes the requests."
        ),
    ),
    (r"\bak\b.* not exist", "HUAWEICLOUD_SDK_AK does not exist (or no longer exists) in this cloud."),
    (r"reach the limit", "The access key is locked after too many refusals. Wait five minutes, then correct the key."),
    (r"get token error", "HUAWEICLOUD_SDK_PROJECT_ID is not the id of this region's IAM project."),
)


def hint(code: str, message: str) -> str:
    """Return advice for the code and the text of a 401, empty when neither is in the signing guide's table."""
    text = f"{code} {message}"
    return next((advice for pattern, advice in _CAUSES if re.search(pattern, text, re.IGNORECASE)), "")
