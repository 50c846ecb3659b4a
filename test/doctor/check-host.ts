import { mkdtempSync, rmSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { RemedyName } from '../../src/base/remedies.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Host } from '../../src/doctor/host.ts';
import { type Breakage, fakeHost } from './fake-host.ts';

/** A broken machine and the one line that doctor must say about it. */
export type BrokenHost = readonly [
  name: string,
  broken: Breakage,
  verdict: 'missing' | 'limited',
  problem: RemedyName,
  fix: RegExp,
];

/** Calls `body` with such a machine. */
export function withHost<T>(broken: Breakage, body: (host: Host) => T): T {
  const root = mkdtempSync('/var/tmp/t');
  try {
    return body(fakeHost(root, broken));
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** @throws when doctor says anything but this one cause with this one action */
export function assertOneFinding([, broken, verdict, problem, fix]: BrokenHost): void {
  const found = withHost(broken, examine).filter((result) => result.verdict !== 'ok');

  assert.equal(
    found.map((result) => [result.verdict, result.problem]),
    [[verdict, problem]],
  );
  assert.match(found[0]?.fix ?? '', fix);
  assert.not.match(`${found[0]?.text} ${found[0]?.fix}`, /[{}\n]|undefined/);
}

/** The machine with one sysctl changed. */
export const sysctl = (name: string, value: string): Breakage => ({
  files: { [`/proc/sys/${name.replaceAll('.', '/')}`]: `${value}\n` },
});
/** The machine without these files. */
export const without = (...paths: string[]): Breakage => ({
  files: Object.fromEntries(paths.map((path) => [path, undefined])),
});
