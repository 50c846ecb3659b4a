import { TsmanError } from '../base/error.ts';
import { type Digest, isDigest } from './digest.ts';

/**
 * Image references with the grammar of distribution/reference (`reference.go`), which Docker and
 * Podman share:  [HOST[:PORT]/]path[/path...][:TAG][@DIGEST]
 */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`; `localhost` is also where names without a registry live. */
  readonly registry: string;
  /** `library/debian` */
  readonly repository: string;
  /** As typed: see withDefaultTag. */
  readonly tag?: string;
  readonly digest?: Digest;
}

export const DEFAULT_REGISTRY = 'docker.io';
export const LOCAL_REGISTRY = 'localhost';
const MAX_NAME_LENGTH = 255;

const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;

/**
 * Parses what the user typed; a name without a registry is taken to be Docker Hub's.
 * @throws TsmanError that says which part is wrong
 */
export function parseReference(text: string): Reference {
  const { name, tag, digest } = splitReference(text);
  const { registry, path } = splitRegistry(name);
  const hub =
    registry === undefined || registry === 'index.docker.io' || registry === DEFAULT_REGISTRY;
  const repository = hub && !path.includes('/') ? `library/${path}` : path;
  return checked(text, {
    registry: hub ? DEFAULT_REGISTRY : registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  });
}

/** True when the text names its registry: `quay.io/x`, `localhost/x`, `localhost:5000/x`. */
export function hasRegistry(text: string): boolean {
  return splitRegistry(text).registry !== undefined;
}

/** What a name for something made here becomes: `web` -> `localhost/web:latest`, as Podman has it. */
export function parseLocalReference(text: string): Reference {
  return withDefaultTag(parseReference(hasRegistry(text) ? text : `${LOCAL_REGISTRY}/${text}`));
}

/**
 * The full references a typed name may mean in the local store, most likely first: what was built
 * or loaded here, then Docker Hub's.
 */
export function localCandidates(text: string): Reference[] {
  const hub = withDefaultTag(parseReference(text));
  return hasRegistry(text) ? [hub] : [parseLocalReference(text), hub];
}

/** `:latest` where neither a tag nor a digest was given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference;
}

/** The full form, `docker.io/library/debian:12@sha256:...`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Docker's short form: `debian:12` for docker.io/library/debian:12. */
export function familiarName(reference: Reference): string {
  return formatReference(reference).replace(/^docker\.io\/(library\/(?=[^/]+$))?/, '');
}

/** Registry and repository without tag and digest. */
export function repositoryName({
  registry,
  repository,
}: Pick<Reference, 'registry' | 'repository'>): string {
  return `${registry}/${repository}`;
}

function splitReference(text: string): { name: string; tag?: string; digest?: Digest } {
  if (text === '') throw invalid(text, 'it is empty');
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, 'after @ there must be sha256: and 64 lower-case hexadecimal digits');
  }
  const rest = at === -1 ? text : text.slice(0, at);
  // A colon before the last slash belongs to the registry's port.
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) {
    throw invalid(
      text,
      `${JSON.stringify(tag.slice(0, 130))} is no tag: up to 128 letters, digits, _ . -`,
    );
  }
  const name = colon === -1 ? rest : rest.slice(0, colon);
  return {
    name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The first part is a registry when it cannot be a path: a dot, a colon, upper case, or `localhost`. */
function splitRegistry(name: string): { registry: string | undefined; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return slash === -1 || !isHost
    ? { registry: undefined, path: name }
    : { registry: first, path: name.slice(slash + 1) };
}

function checked(text: string, reference: Reference): Reference {
  const { registry, repository } = reference;
  if (!DOMAIN.test(registry))
    throw invalid(text, `${JSON.stringify(registry)} is no registry's host`);
  if (/[A-Z]/.test(repository)) {
    throw invalid(
      text,
      'the repository must be lower case',
      `try ${formatReference({ ...reference, repository: repository.toLowerCase() })}`,
    );
  }
  const bad = repository.split('/').find((part) => !PATH_COMPONENT.test(part));
  if (bad !== undefined) {
    throw invalid(
      text,
      `${JSON.stringify(bad)} is no part of a repository's name: a-z 0-9, and . _ __ - between them`,
    );
  }
  if (repositoryName(reference).length > MAX_NAME_LENGTH)
    throw invalid(text, `the name is longer than ${MAX_NAME_LENGTH}`);
  if (/^[0-9a-f]{64}$/.test(text)) throw invalid(text, '64 hexadecimal digits are an image ID');
  return reference;
}

function invalid(text: string, why: string, hint?: string): TsmanError {
  const shown = text.length > 300 ? `${text.slice(0, 300)}...` : text;
  return new TsmanError(`invalid reference ${JSON.stringify(shown)}: ${why}`, { hint });
}
