/** Text options of which an empty value says something, or is not the number that is wanted. */
const MEANT = new Set([
  ...['entrypoint', 'detachKeys', 'cpus', 'cpuPeriod', 'cpuQuota', 'cpuShares', 'oomScoreAdj'],
  ...['pidsLimit', 'stopTimeout', 'timeout', 'preserveFds', 'healthRetries'],
  ...['healthMaxLogCount', 'healthMaxLogSize'],
]);
/** Lists of which pflag makes nothing of an empty word (its StringSlice). */
const LISTS = new Set(['device', 'envFile', 'groupAdd', 'labelFile', 'net', 'network', 'ulimit']);

/** Empty is as good as not given: scripts write `--name "$NAME"`, and Docker and Podman take it so. */
export function withoutEmptyValues<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, withoutEmpty(key, value)]),
  ) as T;
}

function withoutEmpty(key: string, value: unknown): unknown {
  if (value === '') return MEANT.has(key) ? value : undefined;
  return Array.isArray(value) && LISTS.has(key) ? value.filter((word) => word !== '') : value;
}
