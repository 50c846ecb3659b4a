import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { packLayout, writeLayout } from './oci-layout.ts';
import { runProgram } from './programs.ts';
import { type TarEntry, writeTar } from './tar.ts';
import type { Tsman } from './tsman.ts';

const SOURCES = ['probe.c', 'attacks.c'].map((name) => `test/support/${name}`);
/** What the image is called once loaded. */
export const PROBE_IMAGE = 'localhost/probe:latest';

const PASSWD = 'root:x:0:0:root:/root:/bin/probe\nalice:x:1000:1000::/home/alice:/bin/probe\n';
const GROUP = 'root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n';

/** Where the probe's image is: an OCI layout in `layout/`, the same as an archive in `probe.tar`, the program `probe`. */
export async function probeDirectory(): Promise<string> {
  const others = ['probe.ts', 'oci-layout.ts', 'attacks.h'].map((name) => `test/support/${name}`);
  const inputs = [...SOURCES, ...others].map((file) => readFileSync(file));
  const hash = createHash('sha256').update(Buffer.concat(inputs)).digest('hex').slice(0, 12);
  return cached(`probe-${hash}`, makeProbe);
}

/** Loads the probe's image, so that `tsman run localhost/probe /bin/probe id` works. */
export async function loadProbe(tsman: Tsman): Promise<void> {
  const archive = join(await probeDirectory(), 'probe.tar');
  const { exitCode, stderr } = await tsman('load', '--input', archive);
  if (exitCode !== 0) throw new Error(`load the probe: ${stderr}`);
}

async function makeProbe(directory: string): Promise<void> {
  const program = join(directory, 'probe');
  await runProgram('gcc', [
    '-static',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-s',
    '-o',
    program,
    ...SOURCES,
  ]);
  const tar = join(directory, 'layer.tar');
  await writeTar(tar, entries(readFileSync(program)));
  const layout = join(directory, 'layout');
  const config = {
    Cmd: ['/bin/probe', 'id'],
    Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
    WorkingDir: '/',
  };
  await writeLayout(layout, { name: PROBE_IMAGE, layers: [{ tar, compression: 'gzip' }], config });
  await packLayout(layout, join(directory, 'probe.tar'));
}

function entries(program: Buffer): TarEntry[] {
  const directory = (name: string, mode: number): TarEntry => ({ name, type: 'directory', mode });
  return [
    directory('bin/', 0o755),
    { name: 'bin/probe', mode: 0o755, content: program },
    directory('etc/', 0o755),
    { name: 'etc/passwd', mode: 0o644, content: PASSWD },
    { name: 'etc/group', mode: 0o644, content: GROUP },
    { ...directory('home/alice/', 0o700), uid: 1000, gid: 1000 },
    directory('root/', 0o700),
    directory('tmp/', 0o1777),
  ];
}
