/**
 * Compiles the program into one executable: compile.ts OUTFILE [TARGET EXECUTABLE]
 *
 * The bundler makes a part of every module that some commands share: `run` would load 160 of them,
 * 20 us each. So all that `run` loads is first bundled into one module, and the second build takes every
 * one of these modules out of it, also for the other commands. What is imported late stays apart.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build, type Plugin, type PluginBuilder, Transpiler } from 'bun';

const ROOT = resolve(import.meta.dirname, '..');
/** What every command loads, and the one that is started most often. */
const STARTED_OFTEN = [
  'src/main.ts',
  'src/commands/run.ts',
  // Debian's containers.conf has settings in it.
  'src/config/containers-conf.ts',
  'src/commands/options/configured-options.ts',
];
const TOGETHER = 'started-often';
const COMMON = { target: 'bun', format: 'esm', minify: true } as const;
/**
 * JavaScriptCore compiles a function after 33 calls; the compiler's thread, code and memory cost a
 * command of 10 ms a third of its time. Forty times later, only work that takes long is compiled.
 */
const JIT_POLICY = 40;

const transpiler = new Transpiler({ loader: 'ts' });
const scan = (file: string) => transpiler.scan(readFileSync(file, 'utf8'));

/** The files that are loaded with these, in a fixed order. */
function loadedWith(files: readonly string[], seen = new Set<string>()): readonly string[] {
  for (const file of files) {
    if (seen.has(file)) continue;
    seen.add(file);
    const imports = scan(file).imports.filter(
      ({ kind, path }) => kind === 'import-statement' && path.startsWith('.'),
    );
    loadedWith(
      imports.map(({ path }) => resolve(dirname(file), path)),
      seen,
    );
  }
  return [...seen];
}

/** `export` of all names of a file, each under a name of its own among all files. */
function exportsOf(file: string, from: string, rename: (name: string) => string): string {
  const names = scan(file).exports.map(rename).join(', ');
  return `export { ${names} } from ${JSON.stringify(from)};`;
}

/** A module that has no file. */
function virtual(builder: PluginBuilder, contents: string): void {
  builder.onResolve({ filter: new RegExp(`^${TOGETHER}$`) }, ({ path }) => ({
    path,
    namespace: TOGETHER,
  }));
  builder.onLoad({ filter: /.*/, namespace: TOGETHER }, () => ({ contents, loader: 'js' }));
}

async function bundleTogether(files: readonly string[]): Promise<string> {
  const source = files.map((file, i) =>
    exportsOf(file, file, (name) => `${name} as $${i}_${name}`),
  );
  const lateStaysApart: Plugin = {
    name: 'late imports stay apart',
    setup(builder) {
      virtual(builder, source.join('\n'));
      builder.onResolve({ filter: /^\./ }, ({ kind, path, importer }) =>
        kind === 'dynamic-import'
          ? { path: resolve(dirname(importer), path), external: true }
          : undefined,
      );
    },
  };
  const { outputs } = await build({
    ...COMMON,
    entrypoints: [TOGETHER],
    plugins: [lateStaysApart],
  });
  return (await outputs[0]?.text()) ?? '';
}

async function compile(outfile: string, target?: string, executablePath?: string): Promise<void> {
  const files = loadedWith(STARTED_OFTEN.map((file) => resolve(ROOT, file)));
  const together = await bundleTogether(files);
  const takenFromIt: Plugin = {
    name: 'taken from the one module',
    setup(builder) {
      virtual(builder, together);
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const i = files.indexOf(path);
        if (i === -1) return undefined;
        return {
          contents: exportsOf(path, TOGETHER, (name) => `$${i}_${name} as ${name}`),
          loader: 'js',
        };
      });
    },
  };
  await build({
    ...COMMON,
    entrypoints: [resolve(ROOT, 'bin/tsman.ts')],
    plugins: [takenFromIt],
    splitting: true,
    bytecode: true,
    compile: {
      outfile,
      ...(target === undefined ? {} : { target }),
      ...(executablePath === undefined ? {} : { executablePath }),
      execArgv: ['--expose-gc'],
      jitPolicy: JIT_POLICY,
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
}

const [outfile = '', target, executablePath] = process.argv.slice(2);
await compile(resolve(outfile), target, executablePath);
