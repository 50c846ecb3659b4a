import { UsageError } from '../base/error.ts';

/** containers-transports(5), as far as they are files. */
const FILES = /^(docker-archive|oci-archive|oci|dir|containers-storage|docker-daemon|sif|ostree):/;

/**
 * The name in what Podman takes: `docker://` is what is meant anyway.
 * @throws UsageError for transports that are files, which load and save are for
 */
export function registryName(text: string, verb: 'pull' | 'push'): string {
  const transport = FILES.exec(text)?.[1];
  if (transport !== undefined)
    throw new UsageError(`${verb} ${text}: ${transport}: is no registry`, {
      hint:
        verb === 'pull'
          ? 'archives and directories are taken with tsman load -i PATH'
          : 'tsman save --format docker-archive, oci-archive, oci-dir or docker-dir writes files',
    });
  return text.replace(/^docker:\/\//, '');
}
