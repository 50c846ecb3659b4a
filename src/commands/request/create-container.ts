import * as fs from 'node:fs';
import { hasCode, TsmanError, UsageError } from '../../base/error.ts';
import { type CreateRequest, createContainer } from '../../container/create.ts';
import { existingContainers, isGone } from '../../container/existing.ts';
import { bindHint } from '../../container/mounts/bind-hint.ts';
import { parseSecretUse } from '../../container/mounts/secrets.ts';
import { resolveVolumes } from '../../container/mounts/volume-mounts.ts';
import { endNetworkOrphans } from '../../container/network/network-orphans.ts';
import { layerDirectories } from '../../container/new-spec.ts';
import { type Container, findContainer } from '../../container/record.ts';
import { type OwnUserns, parseUserns } from '../../container/root/userns.ts';
import { imageIDs } from '../../container/user-files.ts';
import { checkAttachments } from '../../network/attachment.ts';
import type { PortMapping } from '../../network/ports.ts';
import { deleteContainerRow } from '../../storage/containers.ts';
import type { CommandContext } from '../command.ts';
import type { Engine } from '../engine.ts';
import { CONTAINER_OPTIONS } from '../options/container-options.ts';
import { refuseOptions } from '../options/refused-options.ts';
import { driverSetting, usernsRoot } from '../storage-driver.ts';
import { requestDevices } from './devices.ts';
import { withoutEmptyValues } from './empty-values.ts';
import { type ContainerOptions, toCreateRequest, withPublishedAll } from './request.ts';
import { rootSource } from './root-source.ts';

/** Everything up to the record: image, ports, container, --cidfile. Shared with `create`. */
export async function create(
  given: ContainerOptions,
  args: readonly string[],
  context: CommandContext,
  engine: Engine,
): Promise<Container> {
  const options = withoutEmptyValues(given);
  const [image = '', ...command] = args;
  refuseOptions(CONTAINER_OPTIONS, context);
  if (options.replace && options.name === undefined)
    throw new UsageError('option --replace needs --name: whose place is it to take?');
  const request = toCreateRequest(options, command, await requestDevices(options, context));
  if (options.cidfile !== undefined && fs.existsSync(options.cidfile)) {
    throw new TsmanError(`option --cidfile ${options.cidfile}: the file exists`, {
      hint: 'remove it if its container is gone',
    });
  }
  const source = await rootSource(image, options, context, engine);
  const exposed = [
    ...Object.keys(source.defaults.ExposedPorts ?? {}),
    ...request.spec.exposedPorts,
  ];
  const wished = options.publishAll
    ? withPublishedAll(request.spec.ports, exposed, options)
    : request.spec.ports;
  const wanted = hasPorts(request.namespaces.network) ? wished : [];
  if (request.spec.ports.length > wanted.length)
    context.stderr.write('--publish has no effect in this network mode\n');
  const networks = checkAttachments(engine.storage, request.spec.networks ?? []);
  const ports = wanted.length === 0 ? [] : await assignPorts(wanted, engine);
  if (options.replace && options.name !== undefined) await removeByName(engine, options.name);
  const volumes = await resolveVolumes(engine, {
    volumes: request.volumes,
    from: options.volumesFrom,
    image:
      request.rare.imageVolumes === 'anonymous' ? Object.keys(source.defaults.Volumes ?? {}) : [],
    taken: request.mounts.map((mount) => mount.destination),
  });
  const asked = parseUserns(options, engine.userns, {
    others: () => existingContainers(engine),
    imageIDs: () => imageIDs(layerDirectories(engine, source)),
  });
  // A container without a namespace of its own lives in the engine's, as all do.
  // Loaded only for those who ask for one.
  const shifts =
    asked === undefined ? undefined : await import('../../container/root/shifted-root.ts');
  const userns =
    asked !== undefined && shifts?.mapOf(engine, asked) === 'engine' ? undefined : asked;
  const driver = source.rootfs === undefined ? await driverSetting(engine, context) : {};
  const hint =
    userns === undefined && !options.quiet
      ? bindHint(request.user ?? source.defaults.User ?? '', volumes)
      : undefined;
  // Only then: making the stream costs a millisecond.
  if (hint !== undefined) context.stderr.write(hint);
  const secrets = options.secret.map((text) => parseSecretUse(engine.storage, text));
  const container = createContainer(
    engine,
    source,
    {
      ...request,
      ...withUserns(request, userns),
      volumes: (await shifts?.chooseMounts(engine, userns, volumes)) ?? volumes,
      secrets,
      spec: {
        ...request.spec,
        ports,
        ...(networks.length > 0 ? { networks } : {}),
        ...requiredContainers(options, engine),
        ...driver,
        ...(await shifts?.chooseRoot(engine, userns, source.layers, {
          wish: usernsRoot(context),
          driver: driver.driver,
        })),
      },
    },
    (holder) => {
      if (!isGone(engine, holder)) return false;
      deleteContainerRow(engine.storage, holder.id);
      return true;
    },
  );
  if (options.cidfile !== undefined) writeCidfile(options.cidfile, container.id);
  return container;
}

/** What others made, and no network at all, have no ports of ours; Podman discards them too. */
function hasPorts(mode: string): boolean {
  return !['none', 'host'].includes(mode) && !/^(container|ns):/.test(mode);
}

/** Only who publishes ports pays for looking at them. */
async function assignPorts(wanted: readonly PortMapping[], engine: Engine): Promise<PortMapping[]> {
  await endNetworkOrphans(engine.directories);
  return await (await import('../../network/host-ports.ts')).assignHostPorts(wanted);
}

async function removeByName(engine: Engine, name: string): Promise<void> {
  const holder = existingContainers(engine).find((container) => container.name === name);
  if (holder === undefined) return;
  const { removeContainer } = await import('../../container/remove.ts');
  await removeContainer(engine, holder, { force: true });
}

/** With keep-id the caller's own ids are the user's, as with Podman. */
function withUserns(
  { user }: CreateRequest,
  userns: OwnUserns | undefined,
): Pick<CreateRequest, 'user'> & { userns?: OwnUserns } {
  if (userns === undefined) return { user };
  const own = (mappings: OwnUserns['uidMappings']): number =>
    mappings.find(({ hostID, size }) => hostID === 0 && size === 1)?.containerID ?? 0;
  const keeps = user === undefined && userns.mode.startsWith('keep-id');
  const caller = `${own(userns.uidMappings)}:${own(userns.gidMappings)}`;
  return { user: keeps ? caller : user, userns };
}

function writeCidfile(path: string, id: string): void {
  try {
    fs.writeFileSync(path, id, { flag: 'wx' });
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw new TsmanError(`option --cidfile ${path}`, { cause });
  }
}

/** IDs of what `--requires` names and of the containers whose namespaces are to be shared. */
function requiredContainers(options: ContainerOptions, engine: Engine): { requires?: string[] } {
  const { pid, ipc, uts, cgroupns, network, net } = options;
  const shared = [pid, ipc, uts, cgroupns, ...network, ...net].flatMap((mode) =>
    mode?.startsWith('container:') === true ? [mode.slice('container:'.length)] : [],
  );
  const names = [...options.requires.flatMap((text) => text.split(',')), ...shared];
  if (names.length === 0) return {};
  return { requires: [...new Set(names.map((name) => findContainer(engine.storage, name).id))] };
}
