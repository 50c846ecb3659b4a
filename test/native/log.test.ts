import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DatagramListener } from '../support/datagrams.ts';
import { requires } from '../support/requires.ts';
import { HELPER, type PlanRecord, run, type ScratchBox, withBox } from './scratch-box.ts';

const test = suite('the container log');
const inBox = requires(test, 'userns');

const ATTACH: PlanRecord = ['attach', 'stdout,stderr'];

async function logOf(box: ScratchBox, format: string, command: string): Promise<string> {
  const plan = box.boxPlan(command, ['log', format, box.log, '0', '1'], ATTACH);
  const { stderr } = await run(HELPER, ['box', plan]);
  assert.is(stderr, '');
  return readFileSync(box.log, 'utf8');
}

inBox('k8s-file gives each line its time, stream and F, and P to what has no end', () =>
  withBox(async (box) => {
    const text = await logOf(box, 'k8s-file', 'echo one; printf "two\\nthree"');

    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}[+-]\\d\\d:\\d\\d';
    const lines = text.trimEnd().split('\n');
    assert.match(lines[0] ?? '', new RegExp(`^${time} stdout F one$`));
    assert.match(lines.at(-1) ?? '', new RegExp(`^${time} stdout P three$`));
    const stamp = new Date(lines[0]?.slice(0, 35) ?? '').getTime();
    assert.ok(Math.abs(Date.now() - stamp) < 60_000, 'the time is now');
  }),
);

inBox('json-file writes JSON whatever the bytes are', () =>
  withBox(async (box) => {
    const text = await logOf(
      box,
      'json-file',
      String.raw`printf 'q"\\\001\t\n\377\303\251\355\240\200\n\342\202'; sleep 0.1; printf '\254\n\360\237'`,
    );

    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const joined = entries.map((entry) => entry.log).join('');
    assert.is(joined, 'q"\\\u0001\t\n\ufffd\u00e9\ufffd\ufffd\ufffd\n\u20ac\n\ufffd');
    assert.match(entries[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    assert.is(entries[0].stream, 'stdout');
  }),
);

inBox('none leaves no file', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('echo hi', ['log', 'none', '', '0', '0'], ATTACH);
    const { stdout } = await run(HELPER, ['box', plan]);

    assert.is(stdout.toString(), 'hi\n');
    assert.not(existsSync(box.log));
  }),
);

inBox('a full log is rotated and only so many files are kept', () =>
  withBox(async (box) => {
    const log: PlanRecord = ['log', 'k8s-file', box.log, '10000', '3'];
    await run(HELPER, ['box', box.boxPlan('seq 1 3000', log, ATTACH)]);

    const files = readdirSync(box.containerDirectory).filter((it) => it.startsWith('log'));
    assert.equal(files.sort(), ['log', 'log.1', 'log.2']);
    const sizes = ['log.1', 'log.2'].map((it) => statSync(`${box.containerDirectory}/${it}`).size);
    for (const size of sizes) assert.ok(size >= 10_000 && size < 10_100, `size ${size}`);
    const numbers = ['.2', '.1', ''].flatMap((end) =>
      readFileSync(box.log + end, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => Number(line.split(' ')[3])),
    );
    assert.is(numbers.at(-1), 3000);
    assert.is(numbers[0], 3000 - numbers.length + 1);
  }),
);

inBox('a log that cannot grow is cut at a whole line, and the container goes on', () =>
  withBox(async (box) => {
    const plan = box.boxPlan('seq 1 100000; sleep 0.1; exit 4', ATTACH);
    // ulimit counts blocks of 512 bytes; beyond it writing fails like a full disk.
    const script = `ulimit -f 100; exec ${HELPER} box ${plan}`;
    const { exitCode, stdout } = await run('/bin/sh', ['-c', script]);

    assert.is(exitCode, 4);
    assert.is(stdout.length, 588_895);
    const text = readFileSync(box.log, 'utf8');
    assert.ok(text.length <= 51_200 && text.endsWith('\n'));
    for (const line of text.trimEnd().split('\n')) assert.match(line, / stdout [FP] \d+$/);
    assert.match(await box.exitFile(), /^log-lost \d+$/m);
  }),
);

inBox('a log that cannot be opened fails the start', () =>
  withBox(async (box) => {
    const log: PlanRecord = ['log', 'k8s-file', `${box.directory}/missing/log`, '0', '1'];
    const { exitCode, stderr } = await run(HELPER, ['box', box.boxPlan('true', log, ATTACH)]);

    assert.is(exitCode, 125);
    assert.match(stderr, /log: .*missing\/log: No such file/);
  }),
);

inBox('json-file has what log-field gives as attributes', () =>
  withBox(async (box) => {
    const log: PlanRecord = ['log', 'json-file', box.log, '0', '1'];
    const fields: PlanRecord[] = [
      ['log-field', 'tag', 'a "b"\n'],
      ['log-field', 'role', '\u00e9'],
    ];
    await run(HELPER, ['box', box.boxPlan('echo one; echo two', log, ATTACH, ...fields)]);

    const lines = readFileSync(box.log, 'utf8').trimEnd().split('\n');
    assert.is(lines.length, 2);
    for (const line of lines)
      assert.equal(JSON.parse(line).attrs, { tag: 'a "b"\n', role: '\u00e9' });
  }),
);

inBox('journald has an entry of each line, and of what has no end or is too long', () =>
  withBox(async (box) => {
    await using journal = await DatagramListener.open(`${box.directory}/journal`);
    const script = `printf 'one '; sleep 0.1; echo first; echo two >&2; printf %08200d 7; printf end`;
    const log: PlanRecord[] = [
      ['log', 'journald', journal.socket, '0', '0'],
      ['log-field', 'CONTAINER_NAME', 'web'],
      ['log-field', 'NOTE', 'two\nlines'],
    ];
    const { exitCode } = await run(HELPER, ['box', box.boxPlan(script, ...log, ATTACH)]);
    const said = await journal.hear(/end\|/);

    assert.is(exitCode, 0);
    const note = 'NOTE|\t\0\0\0\0\0\0\0two|lines|';
    const entries = said.split('\n').slice(1, -1).sort();
    const fields = (priority: number): string => `PRIORITY=${priority}|CONTAINER_NAME=web|${note}`;
    const partial = 'CONTAINER_PARTIAL_MESSAGE=true|';
    assert.equal(entries, [
      `MESSAGE=${'0'.repeat(8192)}|${fields(6)}${partial}`,
      `MESSAGE=${'0'.repeat(7)}7end|${fields(6)}${partial}`,
      `MESSAGE=one first|${fields(6)}`,
      `MESSAGE=two|${fields(3)}`,
    ]);
  }),
);

inBox('a journal that is not there fails the start; one that goes away does not stop it', () =>
  withBox(async (box) => {
    const socket = `${box.directory}/journal`;
    const plan = (command: string): string =>
      box.boxPlan(command, ['log', 'journald', socket, '0', '0'], ATTACH);
    const { exitCode, stderr } = await run(HELPER, ['box', plan('true')]);
    assert.is(exitCode, 125);
    assert.match(stderr, /journal: .*\/journal: No such file/);

    await using _journal = await DatagramListener.open(socket);
    const gone = await run(HELPER, ['box', plan(`rm ${socket}; echo lost; exit 3`)]);
    assert.is(gone.exitCode, 3);
    assert.is(gone.stdout.toString(), 'lost\n');
    assert.match(await box.exitFile(), /^log-lost 5$/m);
  }),
);

test.run();
