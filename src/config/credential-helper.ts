import { spawn } from 'node:child_process';
import { TsmanError } from '../base/error.ts';
import type { Login } from './auth-file.ts';

const TIMEOUT_MS = 120_000;
const MAX_ANSWER = 1 << 20;

/**
 * Asks `docker-credential-NAME get`; undefined when it has nothing for the server.
 * https://github.com/docker/docker-credential-helpers
 */
export async function getFromHelper(helper: string, server: string): Promise<Login | undefined> {
  const { code, stdout } = await callHelper(helper, 'get', server);
  if (code !== 0) {
    // Words, not a code, tell "none" from trouble; every helper uses the library that fixes them.
    if (/credentials not found/i.test(stdout)) return undefined;
    throw new TsmanError(
      `docker-credential-${helper} get: ${stdout.trim().slice(0, 300) || `exit code ${code}`}`,
    );
  }
  const { Username: username, Secret: secret } = parseAnswer(helper, stdout);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  if (username === '<token>') return { username, password: '', identityToken: secret };
  return { username, password: secret };
}

/** Has the helper keep a login. */
export async function storeInHelper(helper: string, server: string, login: Login): Promise<void> {
  const input = JSON.stringify({
    ServerURL: server,
    Username: login.username,
    Secret: login.password,
  });
  await succeed(helper, 'store', input);
}

/** Has the helper forget a login; false when it had none. */
export async function eraseFromHelper(helper: string, server: string): Promise<boolean> {
  // Some helpers erase what is not there without a word.
  if ((await getFromHelper(helper, server)) === undefined) return false;
  await succeed(helper, 'erase', server);
  return true;
}

/** The servers a helper has logins for. */
export async function listInHelper(helper: string): Promise<string[]> {
  const { code, stdout } = await callHelper(helper, 'list', '');
  if (code !== 0) throw failure(helper, 'list', stdout, code);
  return Object.keys(parseAnswer(helper, stdout));
}

async function succeed(helper: string, verb: string, input: string): Promise<void> {
  const { code, stdout } = await callHelper(helper, verb, input);
  if (code !== 0) throw failure(helper, verb, stdout, code);
}

function failure(helper: string, verb: string, stdout: string, code: number | null): TsmanError {
  return new TsmanError(
    `docker-credential-${helper} ${verb}: ${stdout.trim().slice(0, 300) || `exit code ${code}`}`,
  );
}

function parseAnswer(helper: string, stdout: string): Record<string, unknown> {
  try {
    return JSON.parse(stdout) as Record<string, unknown>;
  } catch {
    // The answer is not quoted: it may hold half a password.
    throw new TsmanError(`docker-credential-${helper}: the answer is not JSON`);
  }
}

/** The secret goes through standard input, never through argv, which everybody can read. */
function callHelper(
  helper: string,
  verb: string,
  input: string,
): Promise<{ code: number | null; stdout: string }> {
  if (!/^[\w.-]+$/.test(helper))
    throw new TsmanError(`credential helper ${JSON.stringify(helper)}: not a program's name`);
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [verb], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: TIMEOUT_MS,
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout.length < MAX_ANSWER) stdout += chunk.toString();
    });
    child.on('error', (cause) => {
      reject(
        new TsmanError(`run docker-credential-${helper}`, {
          cause,
          hint: 'install it, or take it out of credHelpers or credsStore in auth.json or config.json',
        }),
      );
    });
    child.on('close', (code) => resolve({ code, stdout }));
    // A helper that ends without reading is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
