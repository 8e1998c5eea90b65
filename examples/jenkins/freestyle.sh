# A freestyle job's "Execute shell" step for branches and merge requests; publish gate-report.xml as JUnit test results.
# Set GATE_IAM_USER, GATE_IAM_PASSWORD by "Use secret text(s)"; below account, job id, region, OWNER, sum. Needs curl.
export GATE_TARGETS="${GATE_TARGETS:-0123456789abcdef0123456789abcdef}"
export GATE_REGION="${GATE_REGION:-cn-north-4}"
export GATE_IAM_DOMAIN="${GATE_IAM_DOMAIN:-my-account}"
# The commit that the GitLab, pull request or Git plugin names; without one, the job's newest build counts.
export GATE_COMMIT="${gitlabMergeRequestLastCommit:-${ghprbActualCommit:-${GIT_COMMIT:-}}}"
file_url="${CODEARTS_GATE_URL:-https://github.com/OWNER/codearts-gate/releases/download/v0.1.0/codearts-gate.pyz}"
file_sum="${CODEARTS_GATE_SHA256:-0000000000000000000000000000000000000000000000000000000000000000}"

rm -f gate-report.xml # that of a former run
curl -fsSL -o codearts-gate.pyz "$file_url" || exit 5
echo "$file_sum  codearts-gate.pyz" | sha256sum -c - || exit 5
python3 codearts-gate.pyz wait
