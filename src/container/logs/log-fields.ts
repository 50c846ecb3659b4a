import { TsmanError } from '../../base/error.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';

/**
 * What each entry of the log says besides the text: attributes of a json-file as Docker writes
 * them, fields of the journal as conmon does. The tag is a template, rendered at every start.
 */
export async function logFieldRecords(
  target: CreateTarget,
  container: Container,
  config: RuntimeConfig,
): Promise<PlanRecord[]> {
  const { driver, tag, attributes } = container.spec.log;
  if (driver !== 'journald' && tag === undefined && attributes === undefined) return [];
  const text = tag === undefined ? undefined : await renderTag(target, container, tag);
  const chosen = chosenAttributes(container, config);
  const fields =
    driver === 'journald'
      ? { ...journalNames(chosen), ...journalFields(container, text) }
      : { ...(text === undefined ? {} : { tag: text }), ...chosen };
  return Object.entries(fields).map(([name, value]): PlanRecord => ['log-field', name, value]);
}

function journalFields({ id, name, spec }: Container, tag = ''): Record<string, string> {
  return {
    ...Object.fromEntries(spec.log.attributes?.fields ?? []),
    CONTAINER_ID_FULL: id,
    CONTAINER_ID: id.slice(0, 12),
    CONTAINER_NAME: name,
    ...(tag === '' ? {} : { CONTAINER_TAG: tag }),
    SYSLOG_IDENTIFIER: tag === '' ? name : tag,
  };
}

/** The labels and variables that `--log-opt labels`, `env` and their patterns choose. */
function chosenAttributes({ spec }: Container, config: RuntimeConfig): Record<string, string> {
  const wanted = spec.log.attributes;
  if (wanted === undefined) return {};
  const env = config.process.env.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  const pick = (
    all: readonly (readonly [string, string])[],
    names: readonly string[],
    pattern: string,
  ): (readonly [string, string])[] =>
    all.filter(
      ([name]) => names.includes(name) || (pattern !== '' && new RegExp(pattern).test(name)),
    );
  return Object.fromEntries([
    ...pick(Object.entries(spec.labels), wanted.labels, wanted.labelsPattern),
    ...pick(env, wanted.env, wanted.envPattern),
  ]);
}

/** Names of labels as names of fields: capitals, and "_" for what a field's name may not have (Docker's rule). */
function journalNames(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name
        .toUpperCase()
        .replace(/[^A-Z0-9_]/g, '_')
        .replace(/^_+/, ''),
      value,
    ]),
  );
}

/** The fields of `inspect`, as with Podman, and the names that Docker's tags use. */
async function renderTag(target: CreateTarget, container: Container, tag: string): Promise<string> {
  const { renderTemplate } = await import('../../output/template.ts');
  const { inspectContainer } = await import('../inspect/inspect.ts');
  const { id, name, imageID = '', spec } = container;
  const data = {
    ...inspectContainer(target, container),
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: imageID.replace(/^sha256:/, '').slice(0, 12),
    ImageFullID: imageID,
    ImageName: spec.imageName,
    DaemonName: 'tsman',
  };
  try {
    return renderTemplate(tag, data);
  } catch (cause) {
    throw new TsmanError(`--log-opt tag ${JSON.stringify(tag)}`, { cause });
  }
}
