import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { findProgram } from './programs.ts';

/** What a test may need from the machine. */
export type Need = keyof typeof PROBES;

/** Each answers undefined when the machine has it, else why not. */
const PROBES = {
  root: () => (process.geteuid?.() === 0 ? undefined : 'needs root'),
  user: () => (process.geteuid?.() === 0 ? 'needs an ordinary user' : undefined),
  userns: () =>
    runs('unshare', '--user', 'true') ? undefined : 'this machine forbids new user namespaces',
  subids: () => (hasSubids() ? undefined : 'the user has no range in /etc/subuid'),
  'cgroup-v2': () =>
    existsSync('/sys/fs/cgroup/cgroup.controllers')
      ? undefined
      : '/sys/fs/cgroup is not a cgroup v2 tree',
  tun: () => whyNotUsable('/dev/net/tun'),
  fuse: () => whyNotUsable('/dev/fuse'),
  pasta: () => whyNotInstalled('pasta'),
  skopeo: () => whyNotInstalled('skopeo'),
  mmdebstrap: () => whyNotInstalled('mmdebstrap'),
  'docker-registry': () => whyNotInstalled('docker-registry'),
  strace: () =>
    runs('strace', '-qq', '-o', '/dev/null', '-e', 'trace=none', 'true')
      ? undefined
      : 'strace is not installed, or may not trace',
  podman: () => whyNotInstalled('podman'),
  umoci: () => whyNotInstalled('umoci'),
  'aarch64-gcc': () => whyNotInstalled('aarch64-linux-gnu-gcc'),
  'qemu-user': () => whyNotInstalled('qemu-aarch64-static'),
  // ext4(5): its magic number, and its attributes by e2fsprogs.
  ext4: () =>
    statfsSync('/var/tmp').type === 0xef53 ? whyNotInstalled('lsattr') : '/var/tmp is not on ext4',
  fish: () => whyNotInstalled('fish'),
  zsh: () => whyNotInstalled('zsh'),
  journal: () =>
    existsSync('/run/systemd/journal/socket') ? whyNotInstalled('journalctl') : 'no journal here',
  tmux: () => whyNotInstalled('tmux'),
} satisfies Record<string, () => string | undefined>;

interface Suite {
  (name: string, body: () => Promise<void> | void): void;
  skip(name?: string, body?: () => Promise<void> | void): void;
  run(): void;
}

/** What tests are declared with: a suite, or something that skips. */
export interface Declare {
  (name: string, body: () => Promise<void> | void): void;
  run(): void;
}

/**
 * `requires(test, 'tun', 'root')('gets an address', …)` declares a test that is skipped, with the
 * reason printed, where the machine lacks something. `TSMAN_TEST_STRICT=1` makes the skip a failure.
 */
export function requires(test: Suite, ...needs: readonly Need[]): Declare {
  const reasons = needs.map((need) => PROBES[need]()).filter((reason) => reason !== undefined);
  if (reasons.length === 0) return test;
  const declare = (name: string): void => {
    if (process.env['TSMAN_TEST_STRICT'] === '1') {
      test(name, () => {
        throw new Error(`would be skipped: ${reasons.join(', ')}`);
      });
      return;
    }
    // scripts/run-tests.ts counts these lines against uvu's number of skipped tests.
    process.stdout.write(`SKIP ${name}: ${reasons.join(', ')}\n`);
    test.skip(name);
  };
  return Object.assign(declare, { run: test.run });
}

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
}

function whyNotInstalled(program: string): string | undefined {
  return findProgram(program) === undefined ? `${program} is not installed` : undefined;
}

function whyNotUsable(device: string): string | undefined {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `${device}: ${(error as NodeJS.ErrnoException).code}`;
  }
}

function hasSubids(): boolean {
  const owners = [process.env['USER'] ?? '', String(process.geteuid?.())];
  return readFileSync('/etc/subuid', 'utf8')
    .split('\n')
    .some((line) => owners.includes(line.split(':')[0] ?? ''));
}
