"""What to do about a refused credential, as far as the gateway's text tells the cause."""

import re

_CAUSES = (
    (
        r"0307|token expires",
        (
            "The token has expired, or it is one of another region, or of the whole account and not of one project; "
            "get a fresh one with project scope in this region, or let the gate sign in as an IAM user."
        ),
    ),
    (
        r"decrypt token fail",
        "What was sent is no token of this region: give the whole X-Subject-Token that this region's IAM issued.",
    ),
    (r"signature expired", "Set this machine's clock: a signature holds for 15 minutes."),
    (
        r"verify aksk signature fail",
        (
            "HUAWEICLOUD_SDK_SK is not the key of HUAWEICLOUD_SDK_AK, or a temporary key lacks its "
            "HUAWEICLOUD_SDK_SECURITY_TOKEN, or something between changes the requests."
        ),
    ),
    (r"\bak\b.* not exist", "HUAWEICLOUD_SDK_AK is no access key of this cloud, or no longer one."),
    (r"reach the limit", "The access key is locked after too many refusals; wait five minutes, then mend the key."),
    (r"get token error", "HUAWEICLOUD_SDK_PROJECT_ID is not the id of the IAM project of this region."),
)


def hint(code: str, message: str) -> str:
    """Return advice for the code and the text of a 401; empty when they tell no cause (the signing guide's table)."""
    text = f"{code} {message}"
    return next((advice for pattern, advice in _CAUSES if re.search(pattern, text, re.IGNORECASE)), "")
