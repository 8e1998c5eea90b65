# A freestyle job's "Execute shell" step for branches and merge requests; publish gate-report.xml as JUnit test results.
# Set GATE_TOKEN by "Use secret text(s)"; below job id, region, OWNER, sum (SHA256SUMS). Needs curl, Python 3.11+.
export GATE_TARGETS="${GATE_TARGETS:-0123456789abcdef0123456789abcdef}"
export GATE_REGION="${GATE_REGION:-cn-north-4}"
# The commit that the GitLab, pull request or Git plugin names; without one, the job's newest build counts.
export GATE_COMMIT="${gitlabMergeRequestLastCommit:-${ghprbActualCommit:-${GIT_COMMIT:-}}}"
file_url="${CODEARTS_GATE_URL:-https://github.com/OWNER/codearts-gate/releases/download/v0.1.0/codearts-gate.pyz}"
file_sum="${CODEARTS_GATE_SHA256:-0000000000000000000000000000000000000000000000000000000000000000}"

rm -f gate-report.xml # that of a former run
curl -fsSL -o codearts-gate.pyz "$file_url" || exit 5
echo "$file_sum  codearts-gate.pyz" | sha256sum -c - || exit 5
python3 codearts-gate.pyz wait
