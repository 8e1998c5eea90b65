# A freestyle job's "Execute shell" step; add "Publish JUnit test result report" for gate-report.xml as post-build action.
# Set: GATE_TOKEN by "Use secret text(s)", the job id and the region below; OWNER is where the gate lives.
export GATE_TARGETS="${GATE_TARGETS:-0123456789abcdef0123456789abcdef}"
export GATE_REGION="${GATE_REGION:-cn-north-4}"
package="${GATE_PACKAGE:-https://github.com/OWNER/codearts-gate/archive/refs/tags/v0.1.0.tar.gz}"

python3 -m venv .gate
.gate/bin/pip install --quiet "$package"
.gate/bin/codearts-gate wait
