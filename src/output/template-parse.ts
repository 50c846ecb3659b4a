import { type Pipeline, parsePipeline, type Token, templateError } from './template-pipeline.ts';

/** The tree of a Go text/template (https://pkg.go.dev/text/template), as far as --format needs it. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Pipeline }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly value: Pipeline;
      readonly body: TemplateNode[];
      readonly otherwise: TemplateNode[];
    };

const TOKEN =
  /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|[|(),=]|\)(?:\.\w+)+|\$?[\w]*(?:\.\w+)+|\$\w*|\.|-?\d+(?:\.\d+)?|[A-Za-z_]\w*)/y;

/** Parses a template, which may begin behind a prefix; mistakes are told with their column in the whole. */
export function parseTemplate(source: string, from = 0): TemplateNode[] {
  return new TemplateParser(source, from).parse();
}

/** Shells keep `\t` in single quotes as it is; Docker and Podman mean the tab. */
function withTabs(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

class TemplateParser {
  readonly #source: string;
  #at: number;
  #ranges = 0;

  constructor(source: string, from: number) {
    this.#source = source;
    this.#at = from;
  }

  parse(): TemplateNode[] {
    const { nodes, end } = this.#block();
    if (end !== undefined) throw templateError(end.column, `{{${end.text}}} without a beginning`);
    return nodes;
  }

  /** Nodes up to the end of the text or an `end` or `else`, which is returned. */
  #block(): { nodes: TemplateNode[]; end?: Token; rest?: Token[] } {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const open = this.#source.indexOf('{{', this.#at);
      const text = withTabs(this.#source.slice(this.#at, open === -1 ? undefined : open));
      const trims = open !== -1 && /^\{\{-\s/.test(this.#source.slice(open, open + 4));
      if (text !== '') nodes.push({ kind: 'text', text: trims ? text.trimEnd() : text });
      if (open === -1) {
        this.#at = this.#source.length;
        return { nodes };
      }
      const tokens = this.#action(open + (trims ? 3 : 2), open);
      const [first, ...rest] = tokens;
      if (first === undefined) continue;
      if (first.text === 'end' || first.text === 'else') return { nodes, end: first, rest };
      nodes.push(this.#node(first, rest, tokens));
    }
  }

  #node(first: Token, rest: Token[], tokens: Token[]): TemplateNode {
    switch (first.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#control(first.text, first, rest);
      case 'break':
      case 'continue':
        if (this.#ranges === 0)
          throw templateError(first.column, `{{${first.text}}} outside {{range}}`);
        return { kind: first.text };
      default:
        return { kind: 'print', value: parsePipeline(tokens) };
    }
  }

  #control(kind: 'if' | 'with' | 'range', first: Token, rest: Token[]): TemplateNode {
    const value = parsePipeline(rest, first.column);
    if (kind === 'range') this.#ranges++;
    const body = this.#block();
    if (kind === 'range') this.#ranges--;
    let otherwise: TemplateNode[] = [];
    let end = body.end;
    if (end?.text === 'else') {
      const [word, ...more] = body.rest ?? [];
      // `else if` is an if of its own inside the else, sharing its end.
      if (word?.text === 'if')
        return { kind, value, body: body.nodes, otherwise: [this.#control('if', word, more)] };
      const other = this.#block();
      otherwise = other.nodes;
      end = other.end;
    }
    if (end?.text !== 'end') throw templateError(first.column, `{{${kind}}} without {{end}}`);
    return { kind, value, body: body.nodes, otherwise };
  }

  /** The tokens of one {{...}}; moves behind it. */
  #action(start: number, open: number): Token[] {
    const tokens: Token[] = [];
    let at = start;
    for (;;) {
      const rest = this.#source.slice(at);
      const close = /^\s*(-?)\}\}/.exec(rest);
      if (close !== null) {
        this.#at = at + close[0].length;
        if (close[1] === '-')
          this.#at += /^(?:\s|\\[tn])*/.exec(this.#source.slice(this.#at))?.[0].length ?? 0;
        return tokens;
      }
      const comment = /^\/\*[\s\S]*?\*\//.exec(rest);
      TOKEN.lastIndex = at;
      const token = TOKEN.exec(this.#source);
      if (comment !== null) at += comment[0].length;
      else if (token === null)
        throw rest.trim() === ''
          ? templateError(open, '{{ without }}')
          : templateError(at, `unexpected ${JSON.stringify(rest.trim()[0])}`);
      else {
        tokens.push({ text: token[1] ?? '', column: TOKEN.lastIndex - (token[1] ?? '').length });
        at = TOKEN.lastIndex;
      }
    }
  }
}
