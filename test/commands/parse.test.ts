import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../src/base/error.ts';
import { defineCommand } from '../../src/commands/command.ts';
import { nearest, parseArguments } from '../../src/commands/parse.ts';

const test = suite('the command line');

const command = defineCommand({
  paths: [['demo']],
  category: 'System',
  summary: 'something to parse',
  usage: 'NAME [ARG...]',
  examples: [],
  options: {
    detach: { kind: 'flag', short: 'd', help: 'a flag' },
    interactive: { kind: 'flag', short: 'i', help: 'another' },
    sigProxy: { kind: 'flag', help: 'on unless said otherwise', default: true },
    publish: { kind: 'list', short: 'p', value: 'PORTS', help: 'a list' },
    name: { kind: 'text', value: 'NAME', help: 'a text' },
    workdir: { kind: 'text', short: 'w', value: 'DIR', help: 'a text with a letter' },
    pull: {
      kind: 'text',
      value: 'WHEN',
      help: 'a text with an implied value',
      implied: 'always',
      choices: ['always', 'never'],
    },
  },
  stopAtArgument: true,
  arguments: [1, Number.POSITIVE_INFINITY],
  run: () => 0,
});
const ordinary = { ...command, stopAtArgument: false, arguments: [0, 2] as const };

function failure(argv: string[], spec = command as typeof ordinary): UsageError {
  try {
    parseArguments(spec, argv);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`was accepted: ${argv.join(' ')}`);
}

test('takes values after a space, after = and glued to a letter', () => {
  const { options } = parseArguments(command, [
    '--name',
    'a',
    '-p80:80',
    '-p=81:81',
    '-p',
    '82:82',
    '--publish=83:83',
    '-w/srv',
    'x',
  ]);

  assert.is(options.name, 'a');
  assert.is(options.workdir, '/srv');
  assert.equal(options.publish, ['80:80', '81:81', '82:82', '83:83']);
});

test('takes several letters at once, the last one with its value', () => {
  const { options } = parseArguments(command, ['-idw', '/srv', 'x']);

  assert.equal([options.interactive, options.detach, options.workdir], [true, true, '/srv']);
});

test('takes flags switched off, and the words of strconv.ParseBool', () => {
  const { options } = parseArguments(command, ['--sig-proxy=false', '--detach=T', '-i=0', 'x']);

  assert.equal([options.sigProxy, options.detach, options.interactive], [false, true, false]);
  assert.match(
    failure(['--detach=maybe', 'x']).message,
    /--detach.*"maybe" is neither true nor false/,
  );
});

test('keeps defaults apart from what was given', () => {
  const { options, given } = parseArguments(command, ['--name', 'a', '--name=b', 'x']);

  assert.is(options.sigProxy, true);
  assert.is(options.name, 'b');
  assert.equal([...given], ['name']);
});

test('means the implied value by a bare option, and takes another after =', () => {
  const bare = parseArguments(command, ['--pull', 'x']);

  assert.equal([bare.options.pull, bare.args], ['always', ['x']]);
  assert.is(parseArguments(command, ['--pull=never', 'x']).options.pull, 'never');
});

test('leaves everything after the image to the container', () => {
  const { options, args } = parseArguments(command, [
    '-d',
    'image',
    'ls',
    '-l',
    '--name',
    'x',
    '--',
    '--help',
  ]);

  assert.equal(args, ['image', 'ls', '-l', '--name', 'x', '--', '--help']);
  assert.equal([options.detach, options.name], [true, undefined]);
});

test('mixes options and arguments elsewhere, up to --', () => {
  const { options, args } = parseArguments(ordinary, ['a', '-d', '--', '-i']);

  assert.equal([args, options.detach, options.interactive], [['a', '-i'], true, false]);
});

test('takes - and empty words as arguments and values', () => {
  assert.equal(parseArguments(ordinary, ['-', '']).args, ['-', '']);
  assert.is(parseArguments(ordinary, ['--name=']).options.name, '');
  assert.is(parseArguments(ordinary, ['--name', '-d']).options.name, '-d');
});

test('asks for help wherever it stands, even when arguments are missing', () => {
  assert.ok(parseArguments(command, ['--name', 'a', '--help']).wantsHelp);
  assert.ok(parseArguments(command, ['-h']).wantsHelp);
  assert.not(parseArguments(command, ['image', '--help']).wantsHelp);
});

test('refuses what it does not know, quotes it, and suggests what is near', () => {
  const misspelt = failure(['--detahc', 'x']);

  assert.match(misspelt.message, /unknown option --detahc for tsman demo/);
  assert.is(misspelt.hint, 'did you mean --detach?');
  assert.match(failure(['-dx', 'x']).message, /unknown option -x in -dx/);
  assert.match(failure(['--constructor', 'x']).message, /unknown option --constructor/);
});

test('refuses a missing value and a wrong number of arguments', () => {
  assert.match(failure(['--name']).message, /--name needs a value \(NAME\)/);
  assert.match(failure([]).message, /demo needs an argument/);
  assert.match(failure(['a', 'b', 'c'], ordinary).message, /unexpected argument "c"/);
});

test('suggests only what is really near', () => {
  assert.is(nearest('imagse', ['images', 'inspect']), 'images');
  assert.is(nearest('frobnicate', ['images', 'inspect']), undefined);
});

test.run();
