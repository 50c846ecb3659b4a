import * as fs from 'node:fs';
import { TsmanError } from '../../base/error.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';

const ZONES = '/usr/share/zoneinfo';

/** How a container is told its time zone. */
export interface TimeZone {
  readonly env: readonly string[];
  readonly mounts: readonly RuntimeMount[];
}

/**
 * `--tz ZONE`: the host's file of the zone as /etc/localtime, as with Podman, so that the image needs
 * no zone files. A host without any leaves it to `TZ` and the image's. `local` is the host's zone.
 * @throws TsmanError for a zone that the host does not know
 */
export function timeZone(text: string | undefined): TimeZone {
  if (text === undefined) return { env: [], mounts: [] };
  const isLocal = text === 'local';
  const file = isLocal ? '/etc/localtime' : `${ZONES}/${text}`;
  const isWithin = isLocal || !text.split('/').some((word) => word === '' || word === '..');
  if (isWithin && fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    return { env: [], mounts: [localtime(fs.realpathSync(file))] };
  if (!isLocal && (!isWithin || fs.existsSync(ZONES)))
    throw new TsmanError(`option --tz: no time zone ${JSON.stringify(text)}`, {
      hint: `names are those below ${ZONES}, e.g. Europe/Berlin`,
    });
  const zone = isLocal ? Intl.DateTimeFormat().resolvedOptions().timeZone : text;
  return { env: [`TZ=${zone}`], mounts: [] };
}

function localtime(source: string): RuntimeMount {
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec'];
  return { destination: '/etc/localtime', type: 'bind', source, options };
}
