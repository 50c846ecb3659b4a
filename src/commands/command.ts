import type { Readable } from 'node:stream';
import type { StandardOutput } from '../output/output.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { GlobalOptions } from './global-options.ts';

/** `--detach`, `-d`; also `--detach=false`. */
export interface FlagOption {
  readonly kind: 'flag';
  readonly short?: string;
  readonly help: string;
  readonly default?: boolean;
  /** Left out of --help and completions: aliases and accepted no-ops. */
  readonly hidden?: boolean;
}

/** `--name VALUE`, `--name=VALUE`, `-nVALUE`. The last one given wins. */
export interface TextOption {
  readonly kind: 'text';
  readonly short?: string;
  /** What the value is called in help, e.g. `NAME`. */
  readonly value: string;
  readonly help: string;
  /** The value meant by a bare `--name` (pflag's NoOptDefVal); then another value needs `=`. */
  readonly implied?: string;
  /** What holds when it is not given, for help; the command's own code makes it so. */
  readonly defaultText?: string;
  /** Values offered by completion and help. */
  readonly choices?: readonly string[];
  readonly hidden?: boolean;
}

/** A text option that may be repeated; the values in the order given. */
export interface ListOption extends Omit<TextOption, 'kind' | 'implied'> {
  readonly kind: 'list';
}

export type OptionSpec = FlagOption | TextOption | ListOption;
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values that `specs` yields: keys in camelCase, as declared. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Key in keyof Specs]: Specs[Key] extends FlagOption
    ? boolean
    : Specs[Key] extends ListOption
      ? readonly string[]
      : string | undefined;
};

export interface CommandContext {
  readonly stdin: Readable;
  readonly stdout: StandardOutput;
  readonly stderr: StandardOutput;
  readonly env: NodeJS.ProcessEnv;
  /** Opens storage and user namespace at the first call; commands that need neither never pay. */
  openEngine(): Engine;
  /** The options before the command's name. */
  readonly globals: GlobalOptions;
  /** Where the engine's directories are asked to be. */
  readonly places: EngineOptions;
  /** True when the user gave this option, whatever its value: to tell a default from a choice. */
  isSet(option: string): boolean;
}

export interface CommandSpec<Specs extends OptionSpecs = OptionSpecs> {
  /** Every way to say it, the first one is its name: `[['rm'], ['container', 'rm']]`. */
  readonly paths: readonly (readonly string[])[];
  readonly category: 'Containers' | 'Images' | 'Registries' | 'Networks' | 'Volumes' | 'System';
  /** One line, lower case, no full stop. */
  readonly summary: string;
  /** After the command's name, e.g. `IMAGE [COMMAND [ARG...]]`. */
  readonly usage: string;
  readonly examples: readonly (readonly [what: string, command: string])[];
  readonly options: Specs;
  /** Options end at the first argument: the rest belongs to the container. */
  readonly stopAtArgument?: boolean;
  /** It goes over so much data that memory matters more than the speed of JavaScript (base/frugal.ts). */
  readonly isFrugal?: true;
  /** How many arguments: [least, most]. */
  readonly arguments: readonly [number, number];
  /** What completion offers for arguments. */
  readonly completes?:
    | 'containers'
    | 'running'
    | 'images'
    | 'volumes'
    | 'networks'
    | 'secrets'
    | 'files';
  run(
    options: OptionValues<Specs>,
    args: readonly string[],
    context: CommandContext,
  ): Promise<number> | number;
}

/** Gives `run` its option types; otherwise the identity. */
export function defineCommand<const Specs extends OptionSpecs>(
  spec: CommandSpec<Specs>,
): CommandSpec<Specs> {
  return spec;
}
