import { type ConfSearch, findConfFiles } from '../config/conf-files.ts';
import type { ConfValue, ContainersConf } from '../config/containers-conf.ts';
import { loadDefaultMounts } from '../config/mounts-conf.ts';
import type { StorageConf } from '../config/storage-conf.ts';
import type { CommandSpec, OptionSpecs } from './command.ts';
import type { EngineOptions } from './engine.ts';
import { type GlobalOptions, logs } from './global-options.ts';
import type { Parsed } from './parse.ts';

/** Commands whose options containers.conf may fill; no other command reads it. */
const CONFIGURABLE = new Set([
  'run',
  'create',
  'exec',
  'attach',
  'start',
  'pull',
  'push',
  'save',
  'commit',
]);

/** How files of this user and these options are looked for. */
export function confSearch({ modules }: GlobalOptions): ConfSearch {
  return { env: process.env, uid: process.geteuid?.() ?? 0, modules };
}

/** Where storage.conf puts the engine. Looked for only where neither options nor variables say it. */
export async function withStorageConf(options: GlobalOptions): Promise<EngineOptions> {
  const env = process.env;
  const isChosen = (options.root ?? env['TSMAN_ROOT']) && (options.runRoot ?? env['TSMAN_RUNROOT']);
  return isChosen ? options : { ...options, configured: await loadStorage(options) };
}

/** What storage.conf says; the module that parses is loaded when there is one. */
export async function loadStorage(options: GlobalOptions): Promise<StorageConf | undefined> {
  const search = confSearch(options);
  if (findConfFiles('storage', search).length === 0) return undefined;
  return await (await import('../config/storage-conf.ts')).loadStorageConf(search);
}

/** What containers.conf says; undefined when it says nothing. */
export async function loadContainers(options: GlobalOptions): Promise<ContainersConf | undefined> {
  const search = confSearch(options);
  const files = findConfFiles('containers', search);
  if (files.length === 0) return undefined;
  return await (await import('../config/containers-conf.ts')).loadContainersConf(search, files);
}

/** A command's options with the user's defaults from containers.conf. */
export async function configuredOptions(
  command: CommandSpec<OptionSpecs>,
  parsed: Parsed<OptionSpecs>,
  options: GlobalOptions,
): Promise<Parsed<OptionSpecs>['options']> {
  const name = command.paths[0]?.at(-1) ?? '';
  if (!CONFIGURABLE.has(name)) return parsed.options;
  const conf = withDefaultMounts(name, await loadContainers(options), options);
  if (conf === undefined) return parsed.options;
  report(conf, options);
  setEngineEnv(conf);
  const { withConfigured } = await import('./options/configured-options.ts');
  const merged = withConfigured(name, command.options, parsed.options, parsed.given, conf);
  // The parser's own cast: a command's values have the types of its specs.
  return merged as typeof parsed.options;
}

/** What mounts.conf says stands before the volumes of containers.conf. */
function withDefaultMounts(
  name: string,
  conf: ContainersConf | undefined,
  options: GlobalOptions,
): ContainersConf | undefined {
  if (name !== 'run' && name !== 'create') return conf;
  const { file, volumes, missing } = loadDefaultMounts(confSearch(options));
  if (logs(options, 'info'))
    for (const path of missing) process.stderr.write(`info: ${file}: ${path} is not there\n`);
  if (volumes.length === 0) return conf;
  const key = 'containers.volumes';
  const configured = conf?.values.get(key);
  const all = [...volumes, ...(Array.isArray(configured) ? configured : [])];
  return {
    ...(conf ?? { files: [], unknown: [], ignored: [] }),
    values: new Map<string, ConfValue>([...(conf?.values ?? []), [key, all]]),
  };
}

function report({ unknown, ignored, files }: ContainersConf, options: GlobalOptions): void {
  const where = files.join(', ');
  if (logs(options, 'debug'))
    for (const key of unknown) process.stderr.write(`debug: ${where}: unknown key ${key}\n`);
  if (logs(options, 'info'))
    for (const { key, because } of ignored)
      process.stderr.write(`info: ${where}: ${key} is not used: ${because}\n`);
}

/** `[engine] env`: variables for tsman itself, e.g. a proxy; the environment's own win. */
function setEngineEnv({ values }: ContainersConf): void {
  const entries = values.get('engine.env');
  for (const entry of Array.isArray(entries) ? entries : []) {
    const [name = '', ...rest] = String(entry).split('=');
    if (name !== '') process.env[name] ??= rest.join('=');
  }
}
