import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

export interface RegistryOptions {
  /** Serve TLS with a certificate of a CA of its own; see `caPath`. */
  readonly tls?: boolean | 'expired' | 'wrong-name';
  /** Want these credentials (Basic). */
  readonly htpasswd?: { readonly username: string; readonly password: string };
}

/** Debian's docker-registry with empty storage on a free loopback port. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** With TLS: the CA, as `ca.crt` in a directory fit for --cert-dir. */
  readonly certDirectory: string;
  readonly storageDirectory: string;
  stop(): Promise<void>;
}

/** Starts a registry; the caller stops it. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToStart(options);
    } catch (error) {
      // Another process may have taken the port between our look and the registry's.
      if (!(error instanceof RegistryEnded) || attempt === 5) throw error;
    }
  }
}

class RegistryEnded extends Error {}

async function tryToStart(options: RegistryOptions): Promise<TestRegistry> {
  const directory = mkdtempSync('/var/tmp/tr');
  const certDirectory = join(directory, 'certs');
  mkdirSync(certDirectory);
  const port = await freePort();
  const config = configuration(directory, port, options);
  writeFileSync(join(directory, 'config.yml'), config);
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: 'ignore',
  });
  const address = `127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilListening(port, child, { directory, isTLS: Boolean(options.tls) });
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, certDirectory, storageDirectory: join(directory, 'storage'), stop };
}

/** Runs `body` with a registry that is gone afterwards. */
export async function withRegistry(
  options: RegistryOptions,
  body: (registry: TestRegistry) => Promise<void>,
): Promise<void> {
  const registry = await startRegistry(options);
  try {
    await body(registry);
  } finally {
    await registry.stop();
  }
}

function configuration(
  directory: string,
  port: number,
  { tls, htpasswd }: RegistryOptions,
): string {
  const lines = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${join(directory, 'storage')}}, delete: {enabled: true}}`,
    'http:',
    `  addr: 127.0.0.1:${port}`,
    `  headers: {${IDENTITY}: [${JSON.stringify(directory)}]}`,
  ];
  if (tls) {
    makeCertificates(directory, tls === true ? 'good' : tls);
    lines.push(
      `  tls: {certificate: ${join(directory, 'server.crt')}, key: ${join(directory, 'server.key')}}`,
    );
  }
  if (htpasswd !== undefined) {
    const file = join(directory, 'htpasswd');
    writeFileSync(
      file,
      execFileSync('htpasswd', ['-niB', htpasswd.username], { input: htpasswd.password }),
    );
    lines.push(`auth: {htpasswd: {realm: test, path: ${file}}}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A CA and a server certificate, with the tool everybody uses; `server.crt` also goes for 127.0.0.1. */
export function makeCertificates(
  directory: string,
  kind: 'good' | 'expired' | 'wrong-name',
): { cert: string; key: string } {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore', timeout: 60_000 });
  const ca = join(directory, 'certs/ca.crt');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    ca,
    '-subj',
    '/CN=test CA',
    '-days',
    '2',
  );
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
    '-subj',
    '/CN=test',
  );
  const names = kind === 'wrong-name' ? 'DNS:other.example' : 'IP:127.0.0.1,DNS:localhost';
  writeFileSync(join(directory, 'names'), `subjectAltName=${names}\n`);
  const days = kind === 'expired' ? '-1' : '2';
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    ca,
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.crt',
    '-days',
    days,
    '-extfile',
    'names',
  );
  return {
    cert: readFileSync(join(directory, 'server.crt'), 'utf8'),
    key: readFileSync(join(directory, 'server.key'), 'utf8'),
  };
}

/** By it a registry is told from another that took the port before it. */
const IDENTITY = 'X-Test-Registry';

async function untilListening(
  port: number,
  child: ChildProcess,
  identity: { readonly directory: string; readonly isTLS: boolean },
): Promise<void> {
  await until('docker-registry answers', async () => {
    if (child.exitCode !== null)
      throw new RegistryEnded(`docker-registry ended with ${child.exitCode}`);
    return (await answeredIdentity(port, identity.isTLS)) === identity.directory;
  });
}

function answeredIdentity(port: number, isTLS: boolean): Promise<unknown> {
  const options = { host: '127.0.0.1', port, path: '/v2/', timeout: 5000, agent: false } as const;
  return new Promise((resolve) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response.headers[IDENTITY.toLowerCase()]);
    };
    const request = isTLS
      ? httpsGet({ ...options, rejectUnauthorized: false }, answered)
      : httpGet(options, answered);
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}
