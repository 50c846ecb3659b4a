/*
 * Commands that go over gigabytes in JavaScript. Most of their memory is the just-in-time compiler's
 * and what its code leaves for the collector; most of their time is spent in native code (zlib,
 * SHA-256, the agent). The engine takes these settings from the environment only, at its start, so the
 * command starts once more with them: measured in docs/storage.md, "Figures".
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // JavaScriptCore: interpret.
  BUN_JSC_useJIT: '0',
  // mimalloc: give freed memory back at once.
  MIMALLOC_PURGE_DELAY: '0',
};
const MARK = 'TSMAN_FRUGAL';

/** Starts this very command again with settings that save memory, once, where the runtime knows them. */
export function becomeFrugal(): void {
  const { execve, env } = process as {
    execve?: (file: string, args: string[], env?: NodeJS.ProcessEnv) => never;
    env: NodeJS.ProcessEnv;
  };
  const settings = Object.keys(SETTINGS);
  if (env[MARK] !== undefined) {
    // Programs that we start are none of this.
    for (const name of [MARK, ...settings]) delete env[name];
    return;
  }
  const isCompiled = process.argv[1]?.startsWith('/$bunfs/') === true;
  if (execve === undefined || !isCompiled || settings.some((name) => name in env)) return;
  const words = [process.execPath, ...process.argv.slice(2)];
  execve.call(process, process.execPath, words, { ...env, ...SETTINGS, [MARK]: '1' });
}
