import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { readSignedIdentity, type SignedIdentity } from './signed-identity.ts';

/** A `sigstoreSigned` requirement: one signature by one of the keys, for an identity that matches. */
export interface SigstoreSigned {
  /** PEM texts, any of which may have signed. */
  readonly keys: readonly string[];
  readonly identity: SignedIdentity;
}

type Table = Readonly<Record<string, unknown>>;

const KNOWN = ['type', 'keyPath', 'keyPaths', 'keyData', 'keyDatas', 'signedIdentity'];
/** What containers-policy.json(5) knows besides. A demand that is not checked must not be passed over. */
const UNCHECKED: Readonly<Record<string, string>> = {
  fulcio: 'signatures without a key (fulcio)',
  pki: 'certificates (pki)',
  rekorPublicKeyPath: 'the transparency log (rekor)',
  rekorPublicKeyPaths: 'the transparency log (rekor)',
  rekorPublicKeyData: 'the transparency log (rekor)',
  rekorPublicKeyDatas: 'the transparency log (rekor)',
};

/** Reads a requirement, with its keys. @throws TsmanError also for what tsman cannot check */
export function readSigstoreSigned(table: Table): SigstoreSigned {
  for (const key of Object.keys(table)) {
    const unchecked = UNCHECKED[key];
    if (unchecked !== undefined)
      throw new TsmanError(`tsman cannot check ${unchecked}`, {
        hint: 'use a public key: keyPath or keyData',
      });
    if (!KNOWN.includes(key)) throw new TsmanError(`unknown key ${JSON.stringify(key)}`);
  }
  const sources = KNOWN.slice(1, 5).filter((key) => table[key] !== undefined);
  const [source = ''] = sources;
  if (sources.length !== 1)
    throw new TsmanError(`want exactly one of ${KNOWN.slice(1, 5).join(', ')}`);
  const values = strings(table[source], source);
  const keys = values.map(source.startsWith('keyPath') ? readKeyFile : decodeKey);
  return { keys, identity: readSignedIdentity(table['signedIdentity']) };
}

function strings(value: unknown, key: string): string[] {
  const list = key.endsWith('s') ? value : [value];
  if (Array.isArray(list) && list.length > 0 && list.every((each) => typeof each === 'string'))
    return list;
  throw new TsmanError(`${key} is not ${key.endsWith('s') ? 'a list of strings' : 'a string'}`);
}

function readKeyFile(path: string): string {
  const text = readIfExists(path);
  if (text === undefined) throw new TsmanError(`key ${path}: no such file`);
  return text;
}

function decodeKey(data: string): string {
  return Buffer.from(data, 'base64').toString();
}
