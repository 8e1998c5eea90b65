// Runs a composite action, or a workflow that uses it, as GitHub's runner does, and tells what the runner understood.
//
// stdin: {"action": FOLDER, "with": {INPUT: VALUE}, "env": {the job's variables}, "workspace": FOLDER, "temp": FOLDER}
// stdout: {"exit", "outputs", "summary", "log": [lines that are shown], "commands": [[name, properties, data]]}
// With "workflow": its text, and "contexts": {"github": {..}, "secrets": {..}, "inputs": {..}}, in place of "with",
// stdout has "runs": [{"exit", "outputs", "summary", "uses": [[other action, {INPUT: VALUE}]]}], one for each job.
// SIGINT is a cancelled job: it goes to the step's shell alone, then SIGTERM after 7.5 s and SIGKILL 2.5 s later.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { Evaluator, Lexer, Parser, data } from '@actions/expressions';
import YAML from 'yaml';

const COMMANDS = ['add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice',
  'remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning'];

function context(value) {
  return typeof value === 'object'
    ? new data.Dictionary(...Object.entries(value).map(([key, item]) => ({ key, value: context(item) })))
    : new data.StringData(String(value));
}

function evaluate(text, contexts) {
  return String(text).replace(/\$\{\{(.*?)\}\}/gs, (_, expression) => {
    const tree = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), []).parse();
    return new Evaluator(tree, context(contexts)).evaluate().coerceString();
  });
}

function parseCommand(line) {
  const text = line.trimStart();
  const end = text.indexOf('::', 2);
  if (text.startsWith('::') && end > 0) {
    const [name, ...rest] = text.slice(2, end).split(' ');
    return [name, rest.join(' '), text.slice(end + 2)];
  }
  const old = line.match(/##\[([^\] ]+) ?([^\]]*)\](.*)/); // the older form, anywhere in a line
  return old && [old[1], old[2], old[3]];
}

function unescape(text) {
  return text.replace(/%(0D|0A|3A|2C|25)/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

function parseFile(text) {
  const values = {};
  const lines = text.split('\n');
  while (lines.length) {
    const line = lines.shift();
    if (!line) continue;
    const [equals, heredoc] = [line.indexOf('='), line.indexOf('<<')];
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      values[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const end = lines.indexOf(line.slice(heredoc + 2));
      if (end < 0) throw new Error(`no end of ${line}`);
      values[line.slice(0, heredoc)] = lines.splice(0, end + 1).slice(0, -1).join('\n');
    } else {
      throw new Error(`invalid format '${line}'`);
    }
  }
  return values;
}

class Log {
  shown = [];
  commands = [];
  masks = [];
  stopped = null;

  take(line) {
    const [name, properties, rest] = parseCommand(line) ?? [];
    if (this.stopped !== null && name === this.stopped) {
      this.stopped = null;
    } else if (this.stopped === null && COMMANDS.includes(name)) {
      const pairs = properties.split(',').filter(Boolean).map((pair) => pair.split('='));
      this.commands.push([name, Object.fromEntries(pairs.map(([key, value]) => [key, unescape(value)])), unescape(rest)]);
      if (name === 'add-mask') this.masks.push(unescape(rest));
      if (name === 'stop-commands') this.stopped = rest;
    } else {
      this.shown.push(this.masks.reduce((text, mask) => text.replaceAll(mask, '***'), line));
    }
  }
}

async function runStep(step, contexts, request, log) {
  if (step.shell !== 'bash') throw new Error('only bash is known here');
  const folder = fs.mkdtempSync(path.join(request.temp, 'step-'));
  const files = { GITHUB_OUTPUT: 'output', GITHUB_STEP_SUMMARY: 'summary', GITHUB_ENV: 'env', GITHUB_PATH: 'path' };
  for (const [name, file] of Object.entries(files)) fs.writeFileSync(files[name] = path.join(folder, file), '');
  const env = Object.entries(step.env ?? {}).map(([name, value]) => [name, evaluate(value, contexts)]);
  const script = path.join(folder, 'script.sh');
  fs.writeFileSync(script, evaluate(step.run, contexts));
  const shell = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
    cwd: request.workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...request.env, ...Object.fromEntries(env), ...files, GITHUB_ACTIONS: 'true', CI: 'true',
      GITHUB_ACTION_PATH: request.action, GITHUB_WORKSPACE: request.workspace, RUNNER_TEMP: request.temp },
  });
  process.once('SIGINT', () => {
    shell.kill('SIGINT');
    setTimeout(() => shell.kill('SIGTERM'), 7500).unref();
    setTimeout(() => shell.kill('SIGKILL'), 10000).unref();
  });
  for (const stream of [shell.stdout, shell.stderr]) {
    readline.createInterface({ input: stream }).on('line', (line) => {
      log.take(line);
      process.stderr.write('.'); // somebody may wait for a sign of life
    });
  }
  const exit = await new Promise((resolve) => shell.on('close', (code, signal) => resolve(code ?? signal)));
  return { exit, outputs: parseFile(fs.readFileSync(files.GITHUB_OUTPUT, 'utf8')),
    summary: fs.readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8') };
}

async function runAction(given, contexts, request, log) {
  const action = YAML.parse(fs.readFileSync(path.join(request.action, 'action.yml'), 'utf8'));
  const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']));
  const inner = { inputs: { ...defaults, ...given }, env: contexts.env, steps: {}, github: {}, runner: {} };
  const result = { exit: 0, summary: '' };
  for (const step of action.runs.steps) {
    const done = await runStep(step, inner, request, log);
    inner.steps[step.id] = { outputs: done.outputs };
    result.summary += done.summary;
    result.exit = done.exit;
    if (done.exit !== 0) break;
  }
  result.outputs = Object.fromEntries(
    Object.entries(action.outputs).map(([name, output]) => [name, evaluate(output.value, inner)]));
  return result;
}

function evaluateAll(values, contexts) {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, evaluate(value, contexts)]));
}

// Of other actions, only what is given to them is noted; of a matrix, each entry of `include` is a job.
async function runJob(job, contexts, request, log) {
  const result = { exit: 0, summary: '', outputs: {}, uses: [] };
  if (job.if && evaluate(`\${{ ${job.if} }}`, contexts) !== 'true') return { ...result, exit: 'skipped' };
  for (const step of job.steps) {
    if (result.exit !== 0 && step.if !== 'always()') continue;
    let done = { exit: 0, summary: '', outputs: {} };
    if (step.run) {
      done = await runStep({ shell: 'bash', ...step }, contexts, request, log);
    } else if (step.uses.startsWith('OWNER/codearts-gate@')) {
      done = await runAction(evaluateAll(step.with, contexts), contexts, request, log);
      result.outputs = done.outputs;
    } else {
      result.uses.push([step.uses, evaluateAll(step.with, contexts)]);
    }
    if (step.id) contexts.steps[step.id] = { outputs: done.outputs };
    result.summary += done.summary;
    result.exit ||= done.exit;
  }
  return result;
}

const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const log = new Log();
const contexts = { github: {}, secrets: {}, inputs: {}, ...request.contexts, env: request.env ?? {} };
if (request.workflow) {
  const runs = [];
  for (const job of Object.values(YAML.parse(request.workflow).jobs)) {
    for (const matrix of job.strategy?.matrix.include ?? [{}]) {
      runs.push(await runJob(job, { ...contexts, matrix, steps: {} }, request, log));
    }
  }
  process.stdout.write(JSON.stringify({ runs, log: log.shown, commands: log.commands }));
} else {
  const result = await runAction(request.with, contexts, request, log);
  process.stdout.write(JSON.stringify({ ...result, log: log.shown, commands: log.commands }));
}
