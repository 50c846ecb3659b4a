import { TsmanError } from '../../base/error.ts';
import type { RuntimeHook } from '../../oci/runtime-config.ts';
import { checkMountWords, containerPath, existingPath } from '../mounts/mount-words.ts';
import type { VolumeMount } from '../record.ts';
import {
  type CdiHook,
  type CdiMount,
  type CdiSpec,
  type CdiSpecs,
  type ContainerEdits,
  defaultSpecDirectories,
  findDevice,
  readSpecs,
} from './cdi-specs.ts';

/** What CDI devices add to a container (Container Device Interface, SPEC.md, "containerEdits"). */
export interface DeviceEdits {
  readonly env: readonly string[];
  readonly devices: readonly { readonly source: string; readonly path: string }[];
  readonly volumes: readonly VolumeMount[];
  /** Of the kind createContainer. */
  readonly hooks: readonly RuntimeHook[];
  readonly groups: readonly string[];
}

const NAME = /^[A-Za-z][\w.-]*\/[A-Za-z][\w.-]*=[\w.:-]+$/;

/** `vendor.com/class=name`, not a path of the host's. */
export function isCdiName(text: string): boolean {
  return NAME.test(text);
}

/** What is asked for: `--device` names, `--gpus`, and where files lie if not in the usual places. */
export interface WantedDevices {
  readonly names: readonly string[];
  readonly gpus: string | undefined;
  readonly directories: readonly string[] | undefined;
}

/** Looks the devices up and gathers what they add. @throws TsmanError */
export async function cdiEdits(wanted: WantedDevices): Promise<DeviceEdits> {
  const directories = wanted.directories ?? defaultSpecDirectories();
  const specs = await readSpecs(directories);
  const names = [...wanted.names, ...gpuNames(wanted.gpus, specs)];
  const seen = new Set<CdiSpec>();
  const edits = names.flatMap((name) => editsOf(name, { specs, directories, seen }));
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
  { hookName, path, args, env, timeout }: CdiHook,
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

/** What a file says for all its devices counts once, however many of them are wanted. */
function editsOf(
  name: string,
  files: { specs: CdiSpecs; directories: readonly string[]; seen: Set<CdiSpec> },
): ContainerEdits[] {
  const found = findDevice(name, files.specs);
  if (found !== undefined) {
    const { spec, device } = found;
    const common = files.seen.has(spec) ? [] : [spec.containerEdits ?? {}];
    files.seen.add(spec);
    return [...common, device.containerEdits];
  }
  // A file that cannot be read matters to who may be meant by it.
  if (files.specs.failures.length > 0) throw files.specs.failures[0];
  throw new TsmanError(`no CDI device ${name} in ${files.directories.join(', ')}`, {
    hint: 'the vendor has a tool that writes its file, e.g. nvidia-ctk cdi generate',
  });
}

function toVolume({ hostPath, containerPath: path, type, options }: CdiMount): VolumeMount {
  const what = `CDI mount ${hostPath}`;
  if (type !== undefined && type !== '' && type !== 'bind' && type !== 'none')
    throw new TsmanError(`${what}: type ${type} cannot be had, only bind`);
  checkMountWords(options ?? [], what);
  return {
    type: 'bind',
    source: existingPath(hostPath),
    destination: containerPath(path, what),
    options: options ?? [],
  };
}

/** The names meant by `--gpus all`, a count, or `device=0,1`. @throws TsmanError */
function gpuNames(text: string | undefined, { directories }: CdiSpecs): string[] {
  if (text === undefined || text === '') return [];
  if (isCdiName(text)) return [text];
  const kind =
    directories.flat().find((spec) => spec.kind.endsWith('/gpu'))?.kind ?? 'nvidia.com/gpu';
  if (text === 'all' || text === '-1') return [`${kind}=all`];
  const count = /^(?:count=)?(\d+)$/.exec(text)?.[1];
  if (count !== undefined) return Array.from({ length: Number(count) }, (_, i) => `${kind}=${i}`);
  const devices = /^"?device=([\w,.-]+)"?$/.exec(text)?.[1];
  if (devices !== undefined) return devices.split(',').map((device) => `${kind}=${device}`);
  throw new TsmanError(`option --gpus ${text}: want all, a number, device=… or a CDI name`);
}
