import { UsageError } from '../base/error.ts';

/** `a | b | c`, with `$v :=`, `$v =` or `$i, $v :=` before it. */
export interface Pipeline {
  readonly variables: readonly string[];
  /** `:=` makes the variables, `=` sets those there are. */
  readonly isNew: boolean;
  readonly commands: readonly (readonly Operand[])[];
  readonly column: number;
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: unknown; readonly column: number }
  | { readonly kind: 'function'; readonly name: string; readonly column: number }
  | {
      readonly kind: 'path';
      readonly root: string;
      readonly fields: readonly string[];
      readonly column: number;
    }
  | {
      readonly kind: 'group';
      readonly pipeline: Pipeline;
      readonly fields: readonly string[];
      readonly column: number;
    };

/** A word of an action and where it stands in the template. */
export interface Token {
  readonly text: string;
  readonly column: number;
}

/** @throws UsageError with the column of the mistake */
export function templateError(column: number, what: string): UsageError {
  return new UsageError(`--format: column ${column + 1}: ${what}`);
}

/** Parses the inside of an action, e.g. `$x := index .Names 0 | upper`. */
export function parsePipeline(tokens: readonly Token[], column = tokens[0]?.column ?? 0): Pipeline {
  const assign = tokens.findIndex(({ text }) => text === ':=' || text === '=');
  const variables = tokens
    .slice(0, Math.max(assign, 0))
    .map(({ text }) => text)
    .filter((text) => text !== ',');
  const commands: Operand[][] = [[]];
  const rest = tokens.slice(assign + 1);
  for (let i = 0; i < rest.length; i++) {
    const token = rest[i] as Token;
    if (token.text === '|') commands.push([]);
    else if (token.text === '(') {
      const end = closing(rest, i);
      const pipeline = parsePipeline(rest.slice(i + 1, end), token.column);
      commands.at(-1)?.push({
        kind: 'group',
        pipeline,
        fields: fieldsOf((rest[end] as Token).text.slice(1)),
        column: token.column,
      });
      i = end;
    } else commands.at(-1)?.push(parseOperand(token));
  }
  if (commands.some((command) => command.length === 0))
    throw templateError(column, 'a value is missing');
  return { variables, isNew: tokens[assign]?.text !== '=', commands, column };
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.text === '(') depth++;
    if (tokens[i]?.text.startsWith(')') === true && --depth === 0) return i;
  }
  throw templateError(tokens[open]?.column ?? 0, '( without )');
}

function fieldsOf(path: string): string[] {
  return path.split('.').filter((part) => part !== '');
}

const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, nil: undefined };

function parseOperand({ text, column }: Token): Operand {
  if (text.startsWith('"')) return { kind: 'literal', value: unquote(text, column), column };
  if (text.startsWith('`')) return { kind: 'literal', value: text.slice(1, -1), column };
  if (/^-?\d/.test(text)) return { kind: 'literal', value: Number(text), column };
  if (text in WORDS) return { kind: 'literal', value: WORDS[text], column };
  if (text.startsWith('$') || text.startsWith('.')) {
    const [root = '', ...fields] = text === '.' ? ['.'] : text.split('.');
    return { kind: 'path', root: root === '' ? '.' : root, fields, column };
  }
  if (/^\w+$/.test(text)) return { kind: 'function', name: text, column };
  throw templateError(column, `unexpected ${JSON.stringify(text)}`);
}

function unquote(text: string, column: number): string {
  try {
    return JSON.parse(text) as string;
  } catch (error) {
    if (error instanceof SyntaxError) throw templateError(column, `${text} is no string`);
    throw error;
  }
}
