import { formatTable } from './table.ts';
import { goText, isTrue, TEMPLATE_FUNCTIONS } from './template-functions.ts';
import { parseTemplate, type TemplateNode } from './template-parse.ts';
import { type Operand, type Pipeline, templateError } from './template-pipeline.ts';

/** Renders one value with a Go template: `{{.ID}}: {{range .Names}}{{.}} {{end}}`. */
export function renderTemplate(source: string, data: unknown): string {
  return render(parseTemplate(source), data);
}

/**
 * `--format` of a listing: `json`, `table {{.ID}}\t{{.Names}}`, or a template for each row. A table
 * has a header, made by the same template from `headers`.
 */
export function formatRows(
  format: string,
  rows: readonly object[],
  headers: Readonly<Record<string, unknown>>,
  withHeader = true,
): string {
  if (format === 'json') return `${JSON.stringify(rows, undefined, 4)}\n`;
  const prefix = /^table\s+/.exec(format)?.[0].length ?? 0;
  const isTable = prefix > 0;
  const nodes = parseTemplate(format, prefix);
  const lines = rows.map((row) => render(nodes, row));
  if (!isTable) return lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`)).join('');
  const header = withHeader ? [new Renderer(headers, true).nodes(nodes, headers)] : [];
  return formatTable([...header, ...lines].map((line) => line.split('\t')));
}

function render(nodes: readonly TemplateNode[], data: unknown): string {
  return new Renderer(data, false).nodes(nodes, data);
}

class Renderer {
  readonly #root: unknown;
  /** Functions give back their argument: `{{json .ID}}` has the header of `.ID`. */
  readonly #isHeader: boolean;
  #variables = new Map<string, unknown>();
  /** A `break` or `continue` on its way to its range. */
  #jump: 'break' | 'continue' | undefined;

  constructor(root: unknown, isHeader: boolean) {
    this.#root = root;
    this.#isHeader = isHeader;
  }

  nodes(nodes: readonly TemplateNode[], dot: unknown): string {
    let text = '';
    for (const node of nodes) {
      text += this.#node(node, dot);
      if (this.#jump !== undefined) break;
    }
    return text;
  }

  #node(node: TemplateNode, dot: unknown): string {
    if (node.kind === 'text') return node.text;
    if (node.kind === 'break' || node.kind === 'continue') {
      this.#jump = node.kind;
      return '';
    }
    const value = this.#pipeline(node.value, dot);
    if (node.kind === 'range') return this.#range(node, value, dot);
    for (const name of node.value.variables) this.#assign(node.value, name, value);
    if (node.kind === 'print') return node.value.variables.length > 0 ? '' : goText(value);
    if (!isTrue(value)) return this.nodes(node.otherwise, dot);
    return this.nodes(node.body, node.kind === 'with' ? value : dot);
  }

  #assign({ isNew, column }: Pipeline, name: string, value: unknown): void {
    if (!isNew && !this.#variables.has(name)) throw templateError(column, `no variable ${name}`);
    this.#variables.set(name, value);
  }

  #range(
    node: TemplateNode & { kind: 'if' | 'with' | 'range' },
    value: unknown,
    dot: unknown,
  ): string {
    const entries: [unknown, unknown][] = Array.isArray(value)
      ? value.map((inner, i) => [i, inner])
      : typeof value === 'object' && value !== null
        ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
        : [];
    if (this.#isHeader || entries.length === 0) return this.nodes(node.otherwise, dot);
    const [first, second] = node.value.variables;
    let text = '';
    for (const [key, inner] of entries) {
      if (second !== undefined) this.#variables.set(second, inner);
      if (first !== undefined) this.#variables.set(first, second === undefined ? inner : key);
      text += this.nodes(node.body, inner);
      const jump = this.#jump;
      this.#jump = undefined;
      if (jump === 'break') break;
    }
    return text;
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    for (const [i, command] of pipeline.commands.entries())
      value = this.#command(command, dot, i === 0 ? [] : [value]);
    return value;
  }

  #command([head, ...rest]: readonly Operand[], dot: unknown, piped: unknown[]): unknown {
    if (head === undefined) return undefined;
    const args = [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    if (head.kind !== 'function') {
      const value = this.#operand(head, dot);
      // A method of the row: `.Label "name"`.
      if (typeof value === 'function') return value(...args);
      if (args.length > 0) throw templateError(head.column, 'only a function takes arguments');
      return value;
    }
    if (this.#isHeader) return args.find((arg) => typeof arg === 'string') ?? '';
    return callFunction(head.name, args, head.column);
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'function':
        return callFunction(operand.name, [], operand.column);
      case 'group':
        return this.#fields(this.#pipeline(operand.pipeline, dot), operand.fields, operand.column);
      case 'path':
        return this.#fields(this.#rootOf(operand, dot), operand.fields, operand.column);
    }
  }

  #rootOf(operand: Operand & { kind: 'path' }, dot: unknown): unknown {
    if (operand.root === '.') return dot;
    if (operand.root === '$') return this.#root;
    if (!this.#variables.has(operand.root))
      throw templateError(operand.column, `no variable ${operand.root}`);
    return this.#variables.get(operand.root);
  }

  #fields(start: unknown, fields: readonly string[], column: number): unknown {
    let value = start;
    for (const field of fields) {
      if (value === undefined || value === null) return value;
      if (typeof value !== 'object') {
        if (this.#isHeader) return value;
        throw templateError(column, `${goText(value)} has no field ${field}`);
      }
      // A record of ours has all its fields; deeper down are maps, where keys may be missing.
      if (value === this.#root && !Object.hasOwn(value, field)) throw noField(value, field, column);
      // Own fields only, read so that a row may compute costly ones (sizes) when asked for.
      value = Object.hasOwn(value, field) ? Reflect.get(value, field) : undefined;
    }
    return value;
  }
}

function noField(record: object, field: string, column: number): Error {
  return templateError(column, `no field .${field}; there are ${Object.keys(record).join(', ')}`);
}

function callFunction(name: string, args: unknown[], column: number): unknown {
  if (!Object.hasOwn(TEMPLATE_FUNCTIONS, name)) {
    throw templateError(
      column,
      `no function ${name}; there are ${Object.keys(TEMPLATE_FUNCTIONS).join(', ')}`,
    );
  }
  try {
    return TEMPLATE_FUNCTIONS[name]?.(...args);
  } catch (error) {
    throw templateError(
      column,
      `${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
