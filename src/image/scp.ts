import { type ChildProcess, spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { hasCode, TsmanError, UsageError } from '../base/error.ts';
import { matchedName, requireImage } from '../storage/image-lookup.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { loadImages } from './load.ts';
import { saveImages } from './save.ts';
import { type ScpEnd, scpCommand, scpEndName } from './scp-end.ts';

type Elsewhere = Exclude<ScpEnd, { kind: 'here' }>;

export interface ScpContext {
  /** Opened only when one of the ends is this store. */
  openTarget(): LayerTarget;
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
  /** Our own executable, which other users of this machine run too. */
  readonly program: string;
}

/**
 * Copies an image between two stores: an OCI archive through a pipe, over ssh or by sudo. Returns the
 * names that were loaded here; what is loaded elsewhere is said there, on our standard output.
 */
export async function copyImage(from: ScpEnd, to: ScpEnd, context: ScpContext): Promise<string[]> {
  if (from.image === '') throw new UsageError('image scp: the source names no image');
  if (to.image !== '')
    throw new UsageError('image scp: an image cannot be renamed on the way', {
      hint: 'end the destination with ::, and tag the image there',
    });
  if (to.kind !== 'here') {
    return from.kind === 'here' ? sendTo(from.image, to, context) : relay(from, to, context);
  }
  if (from.kind === 'here')
    throw new UsageError('image scp: neither end is another machine or user', {
      hint: 'write it as [USER@]HOST::IMAGE, the destination as [USER@]HOST::',
    });
  return fetchFrom(from, context);
}

async function sendTo(name: string, to: Elsewhere, context: ScpContext): Promise<string[]> {
  const { storage } = context.openTarget();
  const image = requireImage(storage, name);
  const match = matchedName(image, name);
  const load = start(to, 'load', context);
  const names = match === undefined ? [] : [match];
  const sent = saveImages(storage, [{ image, names }], 'oci-archive', load.input).then(() => {
    load.input.end();
  });
  await both(load, sent);
  return [];
}

async function fetchFrom(from: Elsewhere, context: ScpContext): Promise<string[]> {
  const target = context.openTarget();
  const save = start(from, 'save', context);
  const loaded = loadImages(target, save.output);
  await both(save, loaded);
  return (await loaded).flatMap(({ names, id }) => (names.length > 0 ? names : [`sha256:${id}`]));
}

async function relay(from: Elsewhere, to: Elsewhere, context: ScpContext): Promise<string[]> {
  const [save, load] = [start(from, 'save', context), start(to, 'load', context)];
  await both(save, both(load, pipeline(save.output, load.input)));
  return [];
}

/** Waits for a program and for our half of the work; the program's failure says more than a broken pipe. */
async function both(program: Running, work: Promise<unknown>): Promise<void> {
  let isDone = false;
  const marked = work.finally(() => {
    isDone = true;
  });
  marked.catch(() => program.stop());
  await program.ended;
  // A reader that is gone never makes room again: its writer would wait for ever.
  if (program.writes || isDone) await marked;
  else throw new TsmanError(`${program.name} ended before it had read the image`);
}

interface Running {
  readonly name: string;
  readonly writes: boolean;
  readonly input: NonNullable<ChildProcess['stdin']>;
  readonly output: NonNullable<ChildProcess['stdout']>;
  /** Rejects unless the program ends with 0. */
  readonly ended: Promise<void>;
  stop(): void;
}

function start(end: Elsewhere, verb: 'save' | 'load', context: ScpContext): Running {
  const [program = '', ...words] = scpCommand(end, verb, context);
  const writes = verb === 'save';
  // What is loaded elsewhere is said there. Not our directory: another user may not enter it.
  const child = spawn(program, words, {
    stdio: [writes ? 'ignore' : 'pipe', writes ? 'pipe' : 'inherit', 'inherit'],
    cwd: '/',
  });
  const name = `${program} (${verb}, ${scpEndName(end)})`;
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => reject(notStarted(program, cause)));
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : reject(new TsmanError(`${name}: ended with ${signal ?? code}`)),
    );
  });
  // Awaited by the caller; until then a failure must not count as unhandled.
  ended.catch(() => undefined);
  // A pipe that breaks is seen as the program's end.
  child.stdin?.on('error', () => undefined);
  return {
    name,
    writes,
    input: child.stdin as Running['input'],
    output: child.stdout as Running['output'],
    ended,
    stop: () => void child.kill(),
  };
}

function notStarted(program: string, cause: Error): TsmanError {
  if (!hasCode(cause, 'ENOENT')) return new TsmanError(`run ${program}`, { cause });
  return new TsmanError(`${program} is not installed`, {
    hint:
      program === 'sudo'
        ? 'to another user of this machine an image goes by sudo; or save it to a file that both may read'
        : `install ${program}, or carry the image over as a file: tsman save, tsman load`,
  });
}
