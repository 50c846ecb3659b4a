import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../../base/error.ts';
import { configHome } from '../../base/home.ts';
import { isTable } from '../../config/toml.ts';
import { parseYaml } from '../../config/yaml.ts';
import type { RuntimeHook } from '../../oci/runtime-config.ts';

/** What a device asks for (Container Device Interface, SPEC.md, "containerEdits"). */
export interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly { readonly path: string; readonly hostPath?: string }[];
  readonly mounts?: readonly CdiMount[];
  readonly hooks?: readonly CdiHook[];
  readonly additionalGids?: readonly number[];
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

export type CdiHook = RuntimeHook & { readonly hookName: string };

/** One file. */
export interface CdiSpec {
  readonly path: string;
  readonly kind: string;
  readonly devices: readonly CdiDevice[];
  readonly containerEdits?: ContainerEdits;
}

export interface CdiDevice {
  readonly name: string;
  readonly containerEdits: ContainerEdits;
}

/** All files: directories from the least important to the most, and what could not be read. */
export interface CdiSpecs {
  readonly directories: readonly (readonly CdiSpec[])[];
  readonly failures: readonly unknown[];
}

/** Later ones win, as the specification says. */
export function defaultSpecDirectories(): string[] {
  return ['/etc/cdi', '/var/run/cdi', join(configHome(), 'cdi')];
}

/** Reads every `*.json`, `*.yaml` and `*.yml` of the directories. */
export async function readSpecs(directories: readonly string[]): Promise<CdiSpecs> {
  const failures: unknown[] = [];
  const found: CdiSpec[][] = [];
  for (const directory of directories) {
    const specs: CdiSpec[] = [];
    found.push(specs);
    for (const name of namesIn(directory).filter((it) => /\.(json|ya?ml)$/.test(it)))
      try {
        specs.push(await readSpec(join(directory, name)));
      } catch (error) {
        failures.push(error);
      }
  }
  return { directories: found, failures };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return []; // Most machines have none.
  }
}

async function readSpec(path: string): Promise<CdiSpec> {
  try {
    const text = readFileSync(path, 'utf8');
    const spec = path.endsWith('.json') ? JSON.parse(text) : await parseYaml(text);
    if (!isTable(spec) || typeof spec['kind'] !== 'string' || !Array.isArray(spec['devices']))
      throw new Error('kind or devices is missing');
    return { ...(spec as unknown as CdiSpec), path };
  } catch (cause) {
    throw new TsmanError(`CDI file ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Names of all devices, `vendor.com/class=name`, sorted. */
export function deviceNames({ directories }: CdiSpecs): string[] {
  const names = directories
    .flat()
    .flatMap(({ kind, devices }) => devices.map(({ name }) => `${kind}=${name}`));
  return [...new Set(names)].sort();
}

/**
 * The device and its file. Two files of one directory that name the same device leave it to chance which
 * counts, and are refused as the specification says.
 * @throws TsmanError
 */
export function findDevice(
  name: string,
  { directories }: CdiSpecs,
): { spec: CdiSpec; device: CdiDevice } | undefined {
  const [kind = '', wanted = ''] = name.split('=');
  for (const specs of [...directories].reverse()) {
    const found = specs
      .filter((spec) => spec.kind === kind)
      .flatMap((spec) =>
        spec.devices.filter((it) => it.name === wanted).map((device) => ({ spec, device })),
      );
    const [first, second] = found;
    if (second !== undefined)
      throw new TsmanError(
        `CDI device ${name} is in ${first?.spec.path} and once more in ${second.spec.path}`,
      );
    if (first !== undefined) return first;
  }
  return undefined;
}
