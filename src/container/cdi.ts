import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { parsePlainYaml } from '../config/plain-yaml.ts';
import type { RuntimeHook } from '../oci/runtime-config.ts';
import { containerPath, existingPath } from './mount-words.ts';
import type { VolumeMount } from './record.ts';

/** What CDI devices add to a container (Container Device Interface, SPEC.md, "containerEdits"). */
export interface DeviceEdits {
  readonly env: readonly string[];
  readonly devices: readonly { readonly source: string; readonly path: string }[];
  readonly volumes: readonly VolumeMount[];
  /** Of the kind createContainer. */
  readonly hooks: readonly RuntimeHook[];
  readonly groups: readonly string[];
}

interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly { readonly path: string; readonly hostPath?: string }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly hooks?: readonly (RuntimeHook & { readonly hookName: string })[];
  readonly additionalGids?: readonly number[];
}

interface CdiSpec {
  readonly kind: string;
  readonly devices: readonly { readonly name: string; readonly containerEdits: ContainerEdits }[];
  readonly containerEdits?: ContainerEdits;
}

const NAME = /^[A-Za-z][\w.-]*\/[A-Za-z][\w.-]*=[\w.:-]+$/;

/** `vendor.com/class=name`, not a path of the host's. */
export function isCdiName(text: string): boolean {
  return NAME.test(text);
}

/** Later ones win, as the specification says. */
function specDirectories(): string[] {
  const config = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  return ['/etc/cdi', '/var/run/cdi', join(config, 'cdi')];
}

/** Looks the devices up and gathers what they add. @throws TsmanError */
export function cdiEdits(names: readonly string[]): DeviceEdits {
  if (names.length === 0) return { env: [], devices: [], volumes: [], hooks: [], groups: [] };
  const { specs, failures } = readSpecs();
  const edits = names.flatMap((name) => editsOf(name, specs, failures));
  checkKnown(names, edits);
  return {
    env: edits.flatMap(({ env }) => env ?? []),
    devices: edits.flatMap(({ deviceNodes }) =>
      (deviceNodes ?? []).map(({ path, hostPath }) => ({ source: hostPath ?? path, path })),
    ),
    volumes: edits.flatMap(({ mounts }) => (mounts ?? []).map(toVolume)),
    hooks: edits.flatMap(({ hooks }) => (hooks ?? []).map((hook) => checkHook(names, hook))),
    groups: edits.flatMap(({ additionalGids }) => (additionalGids ?? []).map(String)),
  };
}

/** Others run where we have no right to be, or in the container, where nobody can vouch for them. */
function checkHook(
  names: readonly string[],
  { hookName, path, args, env, timeout }: RuntimeHook & { readonly hookName: string },
): RuntimeHook {
  if (hookName !== 'createContainer' || !path.startsWith('/'))
    throw new TsmanError(
      `device ${names.join(', ')}: its CDI file wants ${path} as ${hookName} hook, and only createContainer hooks are run`,
      { hint: 'take the hook out of a copy of the file in ~/.config/cdi' },
    );
  return {
    path,
    args: args?.length ? args : [path],
    env: env ?? [],
    ...(timeout === undefined ? {} : { timeout }),
  };
}

const KNOWN = ['env', 'deviceNodes', 'mounts', 'hooks', 'additionalGids'];

/** What a device wants and does not get would be missed only much later. */
function checkKnown(names: readonly string[], edits: readonly ContainerEdits[]): void {
  const other = edits.flatMap(Object.keys).find((key) => !KNOWN.includes(key));
  if (other !== undefined)
    throw new TsmanError(
      `device ${names.join(', ')}: its CDI file wants ${other}, which cannot be had`,
    );
}

function editsOf(
  name: string,
  specs: readonly CdiSpec[],
  failures: readonly unknown[],
): ContainerEdits[] {
  const [kind = '', device = ''] = name.split('=');
  const found = specs
    .filter((spec) => spec.kind === kind)
    .flatMap((spec) => {
      const wanted = spec.devices.find((candidate) => candidate.name === device);
      return wanted === undefined ? [] : [[spec.containerEdits ?? {}, wanted.containerEdits]];
    })
    .at(-1);
  if (found !== undefined) return found;
  // A file that cannot be read matters to who may be meant by it.
  if (failures.length > 0) throw failures[0];
  throw new TsmanError(`no CDI device ${name} in ${specDirectories().join(', ')}`, {
    hint: 'the vendor has a tool that writes its file, e.g. nvidia-ctk cdi generate',
  });
}

function readSpecs(): { specs: CdiSpec[]; failures: unknown[] } {
  const specs: CdiSpec[] = [];
  const failures: unknown[] = [];
  for (const directory of specDirectories())
    for (const name of namesIn(directory).filter((it) => /\.(json|ya?ml)$/.test(it)))
      try {
        specs.push(readSpec(join(directory, name)));
      } catch (error) {
        failures.push(error);
      }
  return { specs, failures };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return []; // Most machines have none.
  }
}

function readSpec(path: string): CdiSpec {
  try {
    const text = readFileSync(path, 'utf8');
    const spec = (path.endsWith('.json') ? JSON.parse(text) : parsePlainYaml(text)) as
      | Partial<CdiSpec>
      | undefined;
    if (typeof spec?.kind !== 'string' || !Array.isArray(spec.devices))
      throw new Error('kind or devices is missing');
    return spec as CdiSpec;
  } catch (cause) {
    throw new TsmanError(`CDI file ${path}: ${(cause as Error).message}`, { cause });
  }
}

function toVolume(mount: NonNullable<ContainerEdits['mounts']>[number]): VolumeMount {
  const words = (mount.options ?? []).filter((word) =>
    /^(ro|r?bind|nosuid|nodev|noexec)$/.test(word),
  );
  return {
    type: 'bind',
    source: existingPath(mount.hostPath),
    destination: containerPath(mount.containerPath, 'CDI mount'),
    options: words,
  };
}

/** The names meant by `--gpus all`, a count, or `device=0,1`. @throws TsmanError */
export function gpuNames(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  if (isCdiName(text)) return [text];
  const kind =
    readSpecs().specs.find((spec) => spec.kind.endsWith('/gpu'))?.kind ?? 'nvidia.com/gpu';
  if (text === 'all' || text === '-1') return [`${kind}=all`];
  const count = /^\d+$/.exec(text);
  if (count !== null) return Array.from({ length: Number(text) }, (_, i) => `${kind}=${i}`);
  const devices = /^"?device=([\w,.-]+)"?$/.exec(text)?.[1];
  if (devices !== undefined) return devices.split(',').map((device) => `${kind}=${device}`);
  throw new TsmanError(`option --gpus ${text}: want all, a number, device=… or a CDI name`);
}
