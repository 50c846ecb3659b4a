// timeout: 400
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pushDebian } from './support/debian.ts';
import { freePort } from './support/free-port.ts';
import { withRegistry } from './support/registry.ts';
import { requires } from './support/requires.ts';
import { type Scratch, withScratch } from './support/scratch.ts';
import { tsmanEnv, tsmanPath } from './support/tsman.ts';

const test = suite('the tour in README.md');

interface Step {
  readonly command: string;
  readonly output: string;
}

/** The lines after `$ ` in the section, each with what the page says comes out. */
function stepsOfTour(): Step[] {
  const section = readFileSync('README.md', 'utf8')
    .split(/^## /m)
    .find((it) => it.startsWith('A tour'));
  const blocks = [...(section ?? '').matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  return blocks.flatMap((block = '') =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.split('\n');
        return { command, output: output.join('\n').trim() };
      }),
  );
}

/** What differs from run to run, and nothing else: ids, times, sizes, the port, widths of columns. */
function withoutChance(text: string, port: number): string {
  return text
    .replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(String(port), 'PORT')
    .replace(/\[\d+\/\w+\/\d+ [\d:]+\]/g, '[DATE]')
    .replace(
      /(Less than a|About a|About an|\d+) (second|minute|hour|day|week|month|year)s?( ago)?/g,
      'TIME$3',
    )
    .replace(/\d+(\.\d+)? [kMG]?B\b/g, 'SIZE')
    .replace(/\b12\.\d+\b/g, '12.N')
    .replace(/ {2,}/g, '  ')
    .trim();
}

requires(
  test,
  'user',
  'userns',
  'subids',
  'docker-registry',
  'skopeo',
  'mmdebstrap',
  'pasta',
  'tun',
)('does what the page shows', () =>
  withRegistry({}, async ({ address }) => {
    // Debian stands for both: it has python3.
    for (const name of ['debian:bookworm', 'python:3'])
      await pushDebian('gzip', `${address}/library/${name}`);
    await withScratch(async (tsman, scratch) => {
      assert.is((await tsman('run', '--rm', 'hello')).exitCode, 0);
      const port = await freePort();
      const env = environment(scratch, address);
      const transcript: string[] = [];
      for (const { command, output } of stepsOfTour()) {
        const typed = command.replaceAll('8080', String(port));
        const found = typePatiently(typed, env, scratch.directory);
        transcript.push(`$ ${typed}\n${found}`);
        assert.is(withoutChance(found, port), withoutChance(output, 8080), transcript.join('\n'));
      }
      assert.ok(transcript.length >= 10, 'the whole tour');
      const file = process.env['TSMAN_TOUR'];
      if (file !== undefined) writeFileSync(file, transcript.join('\n'));
    });
  }),
);

/** docker.io is the registry of the test; tsman is found in PATH. */
function environment(scratch: Scratch, address: string): NodeJS.ProcessEnv {
  const config = join(scratch.makeDirectory('config'), 'containers');
  mkdirSync(config);
  const rule = `[[registry]]\nprefix = "docker.io"\nlocation = "${address}"\ninsecure = true\n`;
  writeFileSync(
    join(config, 'registries.conf'),
    `unqualified-search-registries = ["docker.io"]\n${rule}`,
  );
  return {
    ...process.env,
    ...tsmanEnv(scratch),
    XDG_CONFIG_HOME: dirname(config),
    PATH: `${dirname(tsmanPath())}:${process.env['PATH']}`,
  };
}

/** Somebody who types curl does so after the server has come up. */
function typePatiently(command: string, env: NodeJS.ProcessEnv, cwd: string): string {
  for (let attempt = 0; ; attempt++) {
    try {
      const options = { env, cwd, encoding: 'utf8', timeout: 120_000, stdio: 'pipe' } as const;
      // `tsman logs` shows what the program wrote to stderr there as well.
      const shown = command.startsWith('tsman logs') ? `${command} 2>&1` : command;
      return execFileSync('bash', ['-c', shown], options);
    } catch (error) {
      if (!command.startsWith('curl') || attempt === 300) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
}

test.run();
