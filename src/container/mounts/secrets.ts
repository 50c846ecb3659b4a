import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import { findSecret, readSecret } from '../../storage/secrets.ts';
import type { Storage } from '../../storage/storage.ts';
import { splitCsv, splitPair } from './csv.ts';

/** A secret as a container gets it; never its content. */
export interface SecretUse {
  readonly id: string;
  readonly name: string;
  readonly type: 'mount' | 'env';
  /** A path in the container, or the variable's name. */
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const DIRECTORY = '/run/secrets';

/** Parses `--secret NAME[,type=mount|env,target=,uid=,gid=,mode=]`. @throws UsageError, TsmanError */
export function parseSecretUse(storage: Storage, text: string): SecretUse {
  const [first = '', ...rest] = splitCsv(text);
  const fields = new Map(rest.map(splitPair));
  const name = first.startsWith('source=') ? first.slice('source='.length) : first;
  const secret = findSecret(storage, name);
  const type = fields.get('type') ?? 'mount';
  if (type !== 'mount' && type !== 'env')
    throw new UsageError(`option --secret ${text}: type= is mount or env`);
  for (const key of fields.keys())
    if (!['type', 'target', 'uid', 'gid', 'mode'].includes(key))
      throw new UsageError(`option --secret ${text}: unknown key ${JSON.stringify(key)}`);
  const wish = fields.get('target') || secret.name;
  const target = type === 'env' || wish.startsWith('/') ? wish : `${DIRECTORY}/${wish}`;
  if (type === 'env' && ['uid', 'gid', 'mode'].some((key) => fields.has(key)))
    throw new UsageError(`option --secret ${text}: uid, gid and mode are of files`);
  return {
    ...{ id: secret.id, name: secret.name, type, target },
    uid: whole(text, fields.get('uid') ?? '0', 10),
    gid: whole(text, fields.get('gid') ?? '0', 10),
    mode: whole(text, fields.get('mode') ?? '0444', 8),
  };
}

function whole(text: string, value: string, base: 8 | 10): number {
  if (!(base === 8 ? /^[0-7]{1,4}$/ : /^\d{1,10}$/).test(value))
    throw new UsageError(`option --secret ${text}: ${JSON.stringify(value)} is not a number`);
  return Number.parseInt(value, base);
}

function copyPath(containerDirectory: string, { id, target }: SecretUse): string {
  return `${containerDirectory}/secrets/${id}-${Buffer.from(target).toString('hex').slice(-100)}`;
}

/** Copies the content into the container's directory: the secret may be changed or removed later. */
export function copySecrets(
  storage: Storage,
  containerDirectory: string,
  uses: readonly SecretUse[],
): void {
  if (uses.length === 0) return;
  fs.mkdirSync(`${containerDirectory}/secrets`, { mode: 0o700 });
  for (const use of uses) {
    const content = readSecret(storage, use);
    if (use.type === 'env' && content.includes(0))
      throw new TsmanError(`secret ${use.name} holds a NUL byte: it cannot be a variable`);
    const path = copyPath(containerDirectory, use);
    fs.writeFileSync(path, content, { mode: 0o600 });
    if (use.type === 'mount') fs.chmodSync(path, use.mode);
  }
}

/** Files below a tmpfs of their own, so that not even their names come into an image. */
export function secretMounts(
  containerDirectory: string,
  uses: readonly SecretUse[] = [],
): PlanRecord[] {
  const files = uses.filter(({ type }) => type === 'mount');
  if (files.length === 0) return [];
  const flags = 'file,nosuid,nodev,noexec,rprivate';
  return [
    ['mount', 'tmpfs', 'tmpfs', DIRECTORY, 'nosuid,nodev,noexec', 'mode=755,size=64k'],
    ...files.flatMap((use): PlanRecord[] => [
      ['bind', copyPath(containerDirectory, use), use.target, flags],
      ...(use.uid === 0 && use.gid === 0
        ? []
        : [['owner', use.target, use.uid, use.gid] as PlanRecord]),
    ]),
  ];
}

/** Read at every start and exec: the values are in no configuration. */
export function secretEnvironment(
  containerDirectory: string,
  uses: readonly SecretUse[] = [],
): PlanRecord[] {
  return uses
    .filter(({ type }) => type === 'env')
    .map((use): PlanRecord => {
      const content = fs.readFileSync(copyPath(containerDirectory, use));
      return ['env', Buffer.concat([Buffer.from(`${use.target}=`), content])];
    });
}
