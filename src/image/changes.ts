import { UsageError } from '../base/error.ts';
import type { ContainerDefaults } from '../oci/image.ts';

type Mutable = { -readonly [Key in keyof ContainerDefaults]: ContainerDefaults[Key] };
type Apply = (config: Mutable, value: string) => void;

/**
 * Applies `--change` instructions of `import` and `commit`, with the Containerfile's grammar:
 * `CMD ["a","b"]`, `ENV A=1 B="two words"`, `EXPOSE 80 53/udp`. `CMD=...` is taken, too.
 */
export function applyChanges(
  defaults: ContainerDefaults,
  changes: readonly string[],
): ContainerDefaults {
  const config: Mutable = { ...defaults };
  for (const change of changes) {
    const match = /^\s*([a-z]+)(?:\s+|=)(.*)$/is.exec(change);
    const apply = match === null ? undefined : INSTRUCTIONS[(match[1] ?? '').toUpperCase()];
    if (apply === undefined) {
      throw new UsageError(`option --change: ${JSON.stringify(change)} is no instruction`, {
        hint: `there are ${Object.keys(INSTRUCTIONS).join(', ')}`,
      });
    }
    apply(config, (match?.[2] ?? '').trim());
  }
  return config;
}

const INSTRUCTIONS: Readonly<Record<string, Apply>> = {
  CMD: (config, value) => {
    config.Cmd = commandWords(value);
  },
  ENTRYPOINT: (config, value) => {
    config.Entrypoint = commandWords(value);
  },
  ENV: (config, value) => {
    const names = new Map(
      (config.Env ?? []).map((entry) => [entry.slice(0, entry.indexOf('=')), entry]),
    );
    for (const [name, text] of pairs('ENV', value)) names.set(name, `${name}=${text}`);
    config.Env = [...names.values()];
  },
  EXPOSE: (config, value) => {
    const ports = words(value).map((port) => {
      if (!/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/.test(port))
        throw new UsageError(`option --change: EXPOSE ${port}: want PORT or PORT/PROTOCOL`);
      return port.includes('/') ? port : `${port}/tcp`;
    });
    config.ExposedPorts = { ...config.ExposedPorts, ...emptySet(ports) };
  },
  LABEL: (config, value) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs('LABEL', value)) };
  },
  ONBUILD: (config, value) => {
    config.OnBuild = [...(config.OnBuild ?? []), value];
  },
  STOPSIGNAL: (config, value) => {
    config.StopSignal = value;
  },
  USER: (config, value) => {
    config.User = value;
  },
  VOLUME: (config, value) => {
    config.Volumes = { ...config.Volumes, ...emptySet(jsonWords(value) ?? words(value)) };
  },
  WORKDIR: (config, value) => {
    config.WorkingDir = value;
  },
};

function emptySet(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

/** The exec form as it is; the shell form through /bin/sh. */
function commandWords(value: string): readonly string[] {
  return jsonWords(value) ?? ['/bin/sh', '-c', value];
}

function jsonWords(value: string): readonly string[] | undefined {
  if (!value.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `a=b "c d"=e f='g h'`; or the old form `NAME the rest`. */
function pairs(instruction: string, value: string): [string, string][] {
  const [first = '', ...rest] = words(value);
  if (!first.includes('=') && rest.length > 0) return [[first, value.slice(first.length).trim()]];
  return [first, ...rest].map((word) => {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`option --change: ${instruction} ${word}: want NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

/** Splits at spaces outside quotes; quotes go, a backslash keeps the next character. */
function words(value: string): string[] {
  const found = value.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs) ?? [];
  return found.map((word) =>
    word.replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs,
      (_, double?: string, single?: string, escaped?: string) =>
        double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(.)/gs, '$1'),
    ),
  );
}
