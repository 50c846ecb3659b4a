import { UsageError } from '../../base/error.ts';
import type { VolumeMount } from '../record.ts';
import { checkMountWords, containerPath, existingPath } from './mount-words.ts';
import { checkVolumeName } from './volumes.ts';

/**
 * Parses `-v [[NAME|HOST-DIR:]CONTAINER-DIR[:OPTIONS]]`. A volume has no source yet: it may have to
 * be made first.
 * @throws UsageError, or TsmanError when the host path is missing
 */
export function parseVolume(text: string): VolumeMount {
  const what = `option --volume ${text}`;
  const [first = '', second, third, ...more] = text.split(':');
  if (more.length > 0)
    throw new UsageError(`${what}: too many colons`, {
      hint: 'the form is [NAME|HOST-DIR:]CONTAINER-DIR[:OPTIONS]; --mount takes paths with colons',
    });
  // `/data` and `/data:ro` name no source; `/host:/data` does.
  const isAnonymous = second === undefined || (third === undefined && !second.startsWith('/'));
  const destination = containerPath((isAnonymous ? first : second) ?? '', what);
  const options = ((isAnonymous ? second : third) ?? '').split(',').filter((word) => word !== '');
  checkMountWords(options, what);
  const source = isAnonymous ? '' : first;
  if (source === '') return { type: 'volume', source: '', destination, options };
  if (isHostPath(source))
    return { type: 'bind', source: existingPath(source), destination, options };
  checkVolumeName(source);
  return { type: 'volume', name: source, source: '', destination, options };
}

/** As Podman tells them apart: a volume's name begins with a letter or digit. */
function isHostPath(source: string): boolean {
  return source.startsWith('/') || source.startsWith('.');
}
