import { readFileSync } from 'node:fs';
import { TsmanError, UsageError } from '../base/error.ts';

export interface EnvironmentRequest {
  /** `KEY=VALUE`, `KEY` (taken from the caller), `KEY*` (every caller's variable that begins so). */
  readonly env: readonly string[];
  readonly envFiles: readonly string[];
  readonly envHost: boolean;
  readonly unset: readonly string[];
  readonly unsetAll: boolean;
  readonly httpProxy: boolean;
  /** `KEY=VALUE` where `$NAME` and `${NAME}` stand for variables set so far. */
  readonly merge?: readonly string[];
  /** `KEY=VALUE` of the engine's configuration: the image's variables win over them. */
  readonly configured?: readonly string[];
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'];

/**
 * The container's environment as `KEY=VALUE`. Later wins: defaults, proxies, the image, the caller's
 * (`--env-host`), files, flags.
 * @param imageEnv from the image: only `KEY=VALUE` counts, an entry without `=` must not copy a
 *   variable of the host (CVE-2026-57231)
 */
export function buildEnvironment(
  request: EnvironmentRequest,
  imageEnv: readonly string[],
  defaults: readonly string[],
  caller: NodeJS.ProcessEnv,
): string[] {
  const result = new Map<string, string>();
  if (!request.unsetAll) {
    result.set('PATH', DEFAULT_PATH);
    for (const entry of [...defaults, ...(request.configured ?? [])]) set(result, entry);
  }
  if (request.httpProxy) copyProxies(result, caller);
  if (!request.unsetAll) for (const entry of imageEnv) set(result, entry);
  if (request.envHost)
    for (const [key, value] of Object.entries(caller))
      if (value !== undefined) result.set(key, value);
  for (const key of request.unset) result.delete(key);
  for (const entry of request.merge ?? []) set(result, expand(entry, result));
  for (const file of request.envFiles)
    for (const entry of readEnvFile(file)) setFromUser(result, entry, caller);
  for (const entry of request.env) setFromUser(result, entry, caller);
  return [...result].map(([key, value]) => `${key}=${value}`);
}

function expand(entry: string, variables: ReadonlyMap<string, string>): string {
  return entry.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced: string | undefined, bare: string | undefined) =>
      variables.get(braced ?? bare ?? '') ?? '',
  );
}

function copyProxies(result: Map<string, string>, caller: NodeJS.ProcessEnv): void {
  for (const lower of PROXY_VARIABLES) {
    for (const key of [lower, lower.toUpperCase()]) {
      const value = caller[key];
      if (value !== undefined) result.set(key, value);
    }
  }
}

function set(result: Map<string, string>, entry: string): void {
  const equals = entry.indexOf('=');
  if (equals > 0) result.set(entry.slice(0, equals), entry.slice(equals + 1));
}

function setFromUser(result: Map<string, string>, entry: string, caller: NodeJS.ProcessEnv): void {
  if (entry === '' || entry.startsWith('='))
    throw new UsageError(
      `invalid environment variable ${JSON.stringify(entry)}: no name before "="`,
    );
  if (entry.includes('=')) {
    set(result, entry);
    return;
  }
  if (entry.endsWith('*')) {
    for (const [key, value] of Object.entries(caller))
      if (value !== undefined && key.startsWith(entry.slice(0, -1))) result.set(key, value);
    return;
  }
  const value = caller[entry];
  if (value !== undefined) result.set(entry, value);
}

/** Lines of `KEY=VALUE`, `KEY` or `KEY*`, as {@link readLines} takes them: quotes are part of the value. */
export function readEnvFile(path: string): string[] {
  return readLines(path, '--env-file');
}

/** `--label` and `--label-file` values as a record; `key` alone means an empty value. */
export function parseLabels(
  entries: readonly string[],
  files: readonly string[],
): Record<string, string> {
  const labels: Record<string, string> = {};
  const fromFiles = files.flatMap(readLabelFile);
  for (const entry of [...fromFiles, ...entries]) {
    const equals = entry.indexOf('=');
    const key = equals === -1 ? entry : entry.slice(0, equals);
    if (key === '')
      throw new UsageError(`invalid label ${JSON.stringify(entry)}: no name before "="`);
    labels[key] = equals === -1 ? '' : entry.slice(equals + 1);
  }
  return labels;
}

/** A name with a blank in it is a slip, `b = 2`; Docker and Podman refuse it too. */
function readLabelFile(path: string): string[] {
  const lines = readLines(path, '--label-file');
  for (const line of lines) {
    const [key = ''] = line.split('=', 1);
    if (/\s/.test(key))
      throw new UsageError(
        `--label-file ${path}: there is a blank in the name ${JSON.stringify(key)}`,
      );
  }
  return lines;
}

/**
 * Lines without the blanks they begin with, and without empty ones and those that begin with `#`.
 * What ends a line belongs to the value, but for the carriage return of a file from Windows.
 */
function readLines(path: string, option: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .split('\n')
      .map((line) => line.replace(/\r$/, '').replace(/^[ \t]+/, ''))
      .filter((line) => line !== '' && !line.startsWith('#'));
  } catch (cause) {
    throw new TsmanError(`${option} ${path}`, { cause });
  }
}
