import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatRows, renderTemplate } from '../../src/output/template.ts';

const test = suite('--format');
const record = {
  ID: 'abc',
  Names: ['a', 'b'],
  Labels: { x: '1', y: '2' },
  Size: 5,
  Config: { Env: ['A=1'] },
  Empty: '',
};

test('renders Go templates', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{{.ID}}\\t{{json .Names}}', 'abc\t["a","b"]'],
    ['{{range $i, $v := .Names}}{{$i}}={{$v}};{{end}}', '0=a;1=b;'],
    ['{{.Labels}}', 'map[x:1 y:2]'],
    ['{{index .Labels "x"}}{{index .Names 1}}', '1b'],
    ['{{if eq .Size 5}}five{{else}}no{{end}}', 'five'],
    ['{{if .Empty}}a{{else if .ID}}b{{else}}c{{end}}', 'b'],
    ['{{.Config.Env}}', '[A=1]'],
    ['{{join .Names ","}} {{.ID | upper | printf "%-5s|"}}', 'a,b ABC  |'],
    ['{{with .Config}}{{.Env}}{{end}}', '[A=1]'],
    ['{{len .Names}} {{- "x" -}}  z', '2xz'],
    ['{{(index .Names 0)}}{{/* nothing */}}', 'a'],
    ['{{and .ID (gt .Size 3)}} {{or .Empty "d"}} {{not .Empty}}', 'true d true'],
    ['{{truncate .ID 2}}{{pad .ID 1 1}}{{title .ID}}', 'ab abc Abc'],
    ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
    ['{{range .Names}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}!', 'a!'],
    ['{{range .Names}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{end}}!', 'b!'],
    ['{{range .Names}}{{range .}}{{break}}{{end}}{{.}}{{end}}', 'ab'],
    ['{{.Config.Nothing}}', '<no value>'],
  ];
  for (const [template, text] of cases) assert.is(renderTemplate(template, record), text, template);
});

test('says at which column a template is wrong', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{{.Foo}}', /column 3: no field \.Foo; there are ID/],
    ['x{{if .ID}}', /column 4: \{\{if\}\} without/],
    ['{{foo}}', /column 3: no function foo/],
    ['{{.ID', /column 1: \{\{ without/],
    ['{{end}}', /column 3/],
    ['{{if .ID}}{{break}}{{end}}', /column 13: \{\{break\}\} outside/],
    ['{{.ID ~}}', /column 7|unexpected/],
    ['{{index .Names 7}}', /out of range/],
  ];
  for (const [template, why] of cases)
    assert.throws(() => renderTemplate(template, record), why, template);
});

test('gives a table a header', () => {
  const headers = { ID: 'IMAGE ID', Size: 'SIZE', Names: 'NAMES' };
  assert.is(
    formatRows('table {{.ID}}\\t{{json .Size}}', [record], headers),
    'IMAGE ID    SIZE\nabc         5\n',
  );
  assert.is(formatRows('{{.ID}}', [record, record], headers), 'abc\nabc\n');
});

test('tell the column in what was typed, also behind table and escapes', () => {
  const rows = [{ ID: 'a' }];
  const fails = (format: string): string => {
    try {
      formatRows(format, rows, { ID: 'ID' });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.match(fails('table {{.ID}}\\t{{.Nope}}'), /column 18: no field \.Nope/);
  assert.match(fails('table   {{nope}}'), /column 11: no function nope/);
  assert.match(fails('{{.ID}}\\n\\t{{$x}}'), /column 14: no variable \$x/);
  assert.match(fails('{{$x = 1}}'), /no variable \$x/);
});

test('set variables, and print numbers of any length', () => {
  const source = '{{$x := 1}}{{range .list}}{{$x = .}}{{end}}{{$x}} {{json .big}}';
  assert.is(
    renderTemplate(source, { list: ['a', 'b'], big: 1795330267025491466n }),
    'b 1795330267025491466',
  );
  assert.is(renderTemplate('{{.a -}} \\n b', { a: 1 }), '1b');
});

test.run();
