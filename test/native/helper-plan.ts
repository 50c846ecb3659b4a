import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { probeDirectory } from '../support/probe.ts';
import { isAlive, untilEnded } from '../support/until.ts';

export type PlanRecord = readonly [name: string, ...args: string[]];

const HELPER =
  process.env['TSMAN_HELPER'] ??
  fileURLToPath(new URL('../../native/build/tsman-helper', import.meta.url));
const TIMEOUT_MS = 60_000;
/** Docker's default set, as a mask. */
export const DEFAULT_CAPABILITIES = 'a80425fb';

export interface HelperResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The bytes of a plan; see native/README.md. */
export function encodePlan(records: readonly PlanRecord[]): Buffer {
  const fields = ['tsman-plan', '1'];
  for (const [name, ...args] of [...records, ['end'] as PlanRecord])
    fields.push(name, `${args.length}`, ...args);
  return Buffer.from(fields.map((field) => `${field}\0`).join(''));
}

/** A run root, a data root and a root file system with the probe, gone after the test. */
export class Bench {
  readonly directory = mkdtempSync('/var/tmp/n');
  readonly runRoot = join(this.directory, 'r');
  readonly rootfs = join(this.directory, 'rootfs');
  #plans = 0;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    for (const path of ['bin', 'etc', 'dev', 'proc', 'sys', 'tmp', 'home/alice'])
      mkdirSync(join(bench.rootfs, path), { recursive: true });
    mkdirSync(join(bench.runRoot, 'containers'), { recursive: true });
    copyFileSync(join(await probeDirectory(), 'probe'), join(bench.rootfs, 'bin/probe'));
    bench.writeInside('etc/passwd', 'root:x:0:0::/root:/x\nalice:x:1000:1000::/home/alice:/x\n');
    bench.writeInside('etc/group', 'root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n');
    return bench;
  }

  writeInside(path: string, text: string): void {
    writeFileSync(join(this.rootfs, path), text);
  }

  run(verb: string, records: readonly PlanRecord[] | Buffer, input = ''): HelperResult {
    const path = join(this.directory, `plan-${this.#plans++}`);
    writeFileSync(path, Buffer.isBuffer(records) ? records : encodePlan(records), { mode: 0o600 });
    return this.call([verb, path], input);
  }

  call(args: readonly string[], input = ''): HelperResult {
    const { status, stdout, stderr, error } = spawnSync(HELPER, args, {
      encoding: 'utf8',
      input,
      timeout: TIMEOUT_MS,
    });
    if (error !== undefined) throw error;
    return { exitCode: status, stdout, stderr };
  }

  /** What every container here has, up to and without `exec`. */
  container(id: string, options: ContainerOptions = {}): PlanRecord[] {
    const runDir = join(this.runRoot, 'containers', id);
    const containerDir = join(this.directory, id);
    for (const path of [runDir, join(containerDir, 'upper'), join(containerDir, 'work')])
      mkdirSync(path, { recursive: true });
    const { settings = [['attach', 'stdout,stderr']], steps = [], late = [], user = '' } = options;
    return [
      ['id', id],
      ...this.userNamespace(),
      ['namespaces', 'mount,pid,uts,ipc,net,cgroup'],
      ['run-dir', runDir],
      ['container-dir', containerDir],
      ['log', 'k8s-file', join(containerDir, 'log'), '0', '1'],
      ...settings,
      options.rootfs ?? ['rootfs-bind', this.rootfs, ''],
      ['mount', 'proc', 'proc', '/proc', 'nosuid,nodev,noexec', ''],
      ['mount', 'tmpfs', 'tmpfs', '/dev', 'nosuid', 'mode=755'],
      ['mount', 'devpts', 'devpts', '/dev/pts', 'nosuid,noexec', 'newinstance,ptmxmode=0666'],
      ['devices'],
      ...steps,
      ['pivot'],
      ['env', 'PATH=/bin'],
      ['default-env', 'HOME', '/'],
      ['user', user],
      ['capabilities', DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES, '0', '0'],
      ['no-new-privileges'],
      ...(late.some(([name]) => name === 'cwd') ? [] : [['cwd', '/', ''] as PlanRecord]),
      ...late,
    ];
  }

  /** Runs a probe command in a container of its own. */
  box(id: string, command: readonly string[], options?: ContainerOptions, input?: string) {
    return this.run('box', [...this.container(id, options), ['exec', ...command]], input);
  }

  /** Runs a probe command in the running container. */
  exec(id: string, command: readonly string[], extra: readonly PlanRecord[] = []): HelperResult {
    const state = this.state(id);
    return this.run('exec', [
      ['id', id],
      ['target', state['pid'] ?? '', state['start'] ?? ''],
      ...(extra.some(([name]) => name === 'user') ? [] : [['user', ''] as PlanRecord]),
      ['env', 'PATH=/bin'],
      ['capabilities', DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES, '0', '0'],
      ...extra,
      ['exec', ...command],
    ]);
  }

  state(id: string): Record<string, string> {
    const text = readFileSync(join(this.runRoot, 'containers', id, 'state'), 'utf8');
    return Object.fromEntries(text.split('\n').map((line) => line.split(' ') as [string, string]));
  }

  #endMonitor(id: string): void {
    const pid = this.state(id)['monitor'];
    if (pid === undefined || !isAlive(Number(pid))) return;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes(this.directory)) process.kill(Number(pid), 'SIGKILL');
  }

  userNamespace(): PlanRecord[] {
    if (process.geteuid?.() === 0) return [['userns', 'none']];
    const { uid, gid, username } = userInfo();
    return [
      ['userns', 'map', this.runRoot],
      ...idMap('uid-map', uid, '/etc/subuid', username),
      ...idMap('gid-map', gid, '/etc/subgid', username),
    ];
  }

  close(): void {
    // A failed test leaves its containers: each ends with its monitor.
    for (const id of readdirSync(join(this.runRoot, 'containers')))
      if (existsSync(join(this.runRoot, 'containers', id, 'state'))) this.#endMonitor(id);
    // Files in an upper directory may belong to subordinate ids: remove as root of the namespace.
    const rm = [...this.userNamespace(), ['exec', '/bin/rm', '-rf', this.directory] as PlanRecord];
    this.run('unshare', rm);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface ContainerOptions {
  readonly settings?: readonly PlanRecord[];
  readonly steps?: readonly PlanRecord[];
  readonly late?: readonly PlanRecord[];
  readonly rootfs?: PlanRecord;
  readonly user?: string;
}

function idMap(record: string, id: number, file: string, user: string): PlanRecord[] {
  const own: PlanRecord = [record, '0', `${id}`, '1'];
  const line = readFileSync(file, 'utf8').match(new RegExp(`^${user}:(\\d+):(\\d+)$`, 'm'));
  return line === null ? [own] : [own, [record, '1', line[1] ?? '', line[2] ?? '']];
}

/** Sets up inside the test, so that a failure there is the test's. */
export async function withBench(body: (bench: Bench) => void | Promise<void>): Promise<void> {
  const bench = await Bench.open();
  try {
    await body(bench);
  } finally {
    bench.close();
  }
}

/** Ends the container started without `attach`, and waits for its monitor. */
export async function endContainer(bench: Bench, id: string): Promise<void> {
  const { pid, monitor } = bench.state(id);
  process.kill(Number(pid), 'SIGKILL');
  await untilEnded(Number(monitor));
}
