import { statSync } from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import type { DeviceEdits } from '../../container/devices/cdi.ts';
import type { CommandContext } from '../command.ts';
import type { ContainerOptions } from './request.ts';

const NOTHING: DeviceEdits = { env: [], devices: [], volumes: [], hooks: [], groups: [] };

/** Devices of the host, and what the CDI files say of those with a vendor's name. */
export async function requestDevices(
  options: ContainerOptions,
  { globals }: CommandContext,
): Promise<DeviceEdits> {
  const cdi = hasCdi(options) ? await byName(options, globals.cdiSpecDirs) : NOTHING;
  const nodes = options.device.filter((text) => !isVendorName(text)).map(parseDevice);
  return { ...cdi, devices: [...cdi.devices, ...nodes] };
}

function hasCdi({ device, gpus }: ContainerOptions): boolean {
  return (gpus !== undefined && gpus !== '') || device.some(isVendorName);
}

/** A path of the host begins with a slash or a dot; what else has an `=` is for src/container/devices/cdi.ts. */
function isVendorName(text: string): boolean {
  return /^[A-Za-z][^:]*\/[^:]*=/.test(text);
}

/** Only who asks for such a device loads what reads the files. */
async function byName(
  options: ContainerOptions,
  typedDirectories: readonly string[],
): Promise<DeviceEdits> {
  const { cdiEdits, isCdiName } = await import('../../container/devices/cdi.ts');
  const names = options.device.filter(isVendorName);
  const bad = names.find((name) => !isCdiName(name));
  if (bad !== undefined)
    throw new UsageError(`option --device ${bad}: want VENDOR/CLASS=NAME or a device of the host`);
  const directories = typedDirectories.length > 0 ? typedDirectories : options.cdiSpecDirs;
  return await cdiEdits({ names, gpus: options.gpus, directories });
}

function parseDevice(text: string): { source: string; path: string } {
  const [source = '', second, third] = text.split(':');
  const permissions = third ?? (second !== undefined && !second.startsWith('/') ? second : 'rwm');
  if (!/^[rwm]{1,3}$/.test(permissions))
    throw new UsageError(`option --device ${text}: permissions are of r, w and m`);
  const path = second?.startsWith('/') ? second : source;
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined) throw new TsmanError(`device ${source}: no such file`);
  if (!stat.isCharacterDevice() && !stat.isBlockDevice())
    throw new TsmanError(`device ${source}: not a device node`);
  return { source, path };
}
