/** What scripts/compile.ts uses of Bun's bundler; src/ uses nothing of it. https://bun.com/docs/bundler */
declare module 'bun' {
  export interface Resolved {
    readonly path: string;
    readonly namespace?: string;
    readonly external?: boolean;
  }

  export interface PluginBuilder {
    onResolve(
      on: { readonly filter: RegExp },
      answer: (asked: {
        readonly path: string;
        readonly importer: string;
        readonly kind: string;
      }) => Resolved | undefined,
    ): void;
    onLoad(
      on: { readonly filter: RegExp; readonly namespace?: string },
      answer: (asked: {
        readonly path: string;
      }) => { readonly contents: string; readonly loader: 'js' | 'ts' } | undefined,
    ): void;
  }

  export interface Plugin {
    readonly name: string;
    setup(builder: PluginBuilder): void;
  }

  export interface CompileOptions {
    readonly outfile: string;
    readonly target?: string;
    readonly executablePath?: string;
    readonly execArgv: readonly string[];
    readonly jitPolicy: number;
    readonly autoloadDotenv: boolean;
    readonly autoloadBunfig: boolean;
  }

  /** Rejects when something cannot be built. */
  export function build(options: {
    readonly entrypoints: readonly string[];
    readonly plugins: readonly Plugin[];
    readonly target: 'bun';
    readonly format: 'esm';
    readonly minify: boolean;
    readonly splitting?: boolean;
    readonly bytecode?: boolean;
    readonly compile?: CompileOptions;
  }): Promise<{ readonly outputs: readonly { text(): Promise<string> }[] }>;

  export class Transpiler {
    constructor(options: { readonly loader: 'ts' });
    /** Names and imports that are left at run time, without types. */
    scan(source: string): {
      readonly exports: readonly string[];
      readonly imports: readonly { readonly path: string; readonly kind: string }[];
    };
  }
}
