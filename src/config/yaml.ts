/** How often a document may repeat an anchor, with all that repeats inside: more is an attack on memory. */
const MOST_ALIASES = 100;

/**
 * Parses one YAML 1.2 document. Settings half understood are worse than none: duplicate keys, tags
 * nobody knows and a second document are errors, as is whatever the parser only warns of. The parser
 * is loaded here: few have such a file.
 * @throws Error that names line and column
 */
export async function parseYaml(text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'error' });
  const [failure] = [...document.errors, ...document.warnings];
  if (failure !== undefined) throw new Error(failure.message.split('\n')[0]?.replace(/:$/, ''));
  return document.toJS({ maxAliasCount: MOST_ALIASES });
}
