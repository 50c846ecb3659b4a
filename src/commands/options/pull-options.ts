import { UsageError } from '../../base/error.ts';
import { type PlatformWish, parsePlatform } from '../../image/platform.ts';
import type { PullOptions, PullPolicy } from '../../image/pull.ts';
import { chooseMode, createProgress } from '../../output/progress.ts';
import type { ImageRecord } from '../../storage/images.ts';
import type { CommandContext, OptionSpecs } from '../command.ts';
import type { Engine } from '../engine.ts';
import { registryName } from '../transport.ts';
import { type TransferFlags, transferAccess } from './registry-options.ts';

/** Which machine an image is for. */
export const PLATFORM_OPTIONS = {
  platform: { kind: 'text', value: 'OS/ARCH[/VARIANT]', help: "another machine's image" },
  arch: { kind: 'text', value: 'ARCH', help: 'another architecture' },
  os: { kind: 'text', value: 'OS', help: 'another operating system' },
  variant: { kind: 'text', value: 'VARIANT', help: 'another variant of the architecture, e.g. v7' },
} as const satisfies OptionSpecs;

export interface PlatformOptions {
  readonly platform?: string | undefined;
  readonly arch?: string | undefined;
  readonly os?: string | undefined;
  readonly variant?: string | undefined;
}

/** Undefined when the user wishes for nothing special. */
export function platformWish({
  platform,
  arch,
  os,
  variant,
}: PlatformOptions): PlatformWish | undefined {
  const single = arch !== undefined || os !== undefined || variant !== undefined;
  if (platform === undefined) return single ? { architecture: arch, os, variant } : undefined;
  if (single) throw new UsageError('--platform already says what --os, --arch and --variant would');
  return parsePlatform(platform);
}

const POLICIES: readonly PullPolicy[] = ['always', 'missing', 'newer', 'never'];

/** @throws UsageError for a word that is no policy */
export function parsePullPolicy(text: string | undefined, option: string): PullPolicy | undefined {
  // Docker says `if-not-present` in Compose; Podman takes true and false as well.
  const word =
    {
      ...{ ifnotpresent: 'missing', 'if-not-present': 'missing', '': 'missing' },
      ...{ ifnewer: 'newer', true: 'always', false: 'never' },
    }[text?.toLowerCase() ?? 'missing'] ?? text?.toLowerCase();
  const policy = POLICIES.find((each) => each === word);
  if (text !== undefined && policy === undefined) {
    throw new UsageError(
      `option ${option}: ${JSON.stringify(text)} is none of ${POLICIES.join(', ')}`,
    );
  }
  return policy;
}

export interface Shown {
  readonly quiet?: boolean | undefined;
  readonly progress?: string | undefined;
}

/** Runs a pull or push with its progress on stderr. */
export async function withProgress<T>(
  { stderr }: Pick<CommandContext, 'stderr'>,
  verb: string,
  { quiet, progress: mode }: Shown,
  work: (onTransfer: NonNullable<PullOptions['onTransfer']>) => Promise<T>,
): Promise<T> {
  const progress = await createProgress(stderr, chooseMode(stderr, quiet === true, mode), verb);
  try {
    return await work((event) => progress.show(event));
  } finally {
    progress.finish();
  }
}

/** What `run` and `create` need: the image by name, pulled with progress when the policy says so. */
export async function pullForRun(
  engine: Engine,
  name: string,
  options: PlatformOptions & Shown & TransferFlags & { readonly pull?: string | undefined },
  context: Pick<CommandContext, 'stdin' | 'stderr' | 'isSet'>,
): Promise<ImageRecord> {
  const [{ pullImage }, { nameChooser }] = await Promise.all([
    import('../../image/pull.ts'),
    import('../request/choose-name.ts'),
  ]);
  const settings = {
    ...(await transferAccess(options, context)),
    platform: platformWish(options),
    policy: parsePullPolicy(options.pull, '--pull') ?? 'missing',
    choose: nameChooser(context),
  };
  return withProgress(context, 'Pulling', options, (onTransfer) =>
    pullImage(engine, registryName(name, 'pull'), { ...settings, onTransfer }),
  );
}
