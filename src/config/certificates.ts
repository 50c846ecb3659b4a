import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { userContainersPath } from './paths.ts';

/** What TLS to one host needs; PEM texts. */
export interface Certificates {
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Where distributions keep their list of authorities: Debian, Fedora, openSUSE, Alpine. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The machine's authorities: what an administrator adds there must count here. */
function systemAuthorities(env: NodeJS.ProcessEnv): string[] | undefined {
  const forced = env['SSL_CERT_FILE'];
  const path = [...(forced ? [forced] : []), ...SYSTEM_BUNDLES].find((each) => existsSync(each));
  const text = path === undefined ? undefined : readIfExists(path);
  return text === undefined ? undefined : [text];
}

/**
 * The certificates for a registry: `certDir`, else the first certs.d/HOST[:PORT] there is (the
 * user's, /etc/containers, /etc/docker). `*.crt` are authorities, `*.cert` with `*.key` is ours;
 * containers-certs.d(5).
 */
export function readCertificates(
  host: string,
  certDir: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Certificates {
  if (certDir !== undefined && !existsSync(certDir))
    throw new TsmanError(`--cert-dir ${certDir}: no such directory`);
  const directory = certDir ?? candidates(host, env).find((path) => existsSync(path));
  const names = directory === undefined ? [] : list(directory);
  const read = (name: string) => readIfExists(join(directory ?? '', name)) ?? '';
  const added = names.filter((name) => name.endsWith('.crt')).map(read);
  const cert = names.find((name) => name.endsWith('.cert'));
  const key = cert?.replace(/\.cert$/, '.key');
  if (key !== undefined && !names.includes(key))
    throw new TsmanError(`${directory}: ${cert} has no ${key} beside it`);
  const system = systemAuthorities(env);
  return {
    ca: added.length === 0 ? system : [...(system ?? rootCertificates), ...added],
    cert: cert === undefined ? undefined : read(cert),
    key: key === undefined ? undefined : read(key),
  };
}

function candidates(host: string, env: NodeJS.ProcessEnv): string[] {
  const user = userContainersPath('certs.d', env);
  return [user, '/etc/containers/certs.d', '/etc/docker/certs.d'].map((base) => join(base, host));
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    throw new TsmanError(`read certificates in ${directory}`, { cause });
  }
}
