import { UsageError } from '../../base/error.ts';
import type { EngineEvent } from '../../container/events/event-log.ts';

/** An event with the field names that Podman's templates and JSON have. */
export function eventRow(event: EngineEvent): Record<string, unknown> {
  return {
    ID: event.id,
    Name: event.name,
    Image: event.image,
    Status: event.action,
    Action: event.action,
    Type: event.type,
    Time: goTime(event.timeNano).replace(' +0000 UTC', 'Z').replace(' ', 'T'),
    TimeNano: event.timeNano,
    ContainerExitCode: event.exitCode ?? 0,
    HealthStatus: event.details['health_status'] ?? '',
    Attributes: { ...event.labels, ...event.details },
  };
}

/** The same for templates, with the names of `docker events` besides. */
export function eventTemplateRow(event: EngineEvent): Record<string, unknown> {
  const attributes = { ...event.labels, ...event.details, image: event.image, name: event.name };
  const exitCode = event.exitCode === undefined ? {} : { exitCode: String(event.exitCode) };
  return {
    ...eventRow(event),
    Actor: { ID: event.id, Attributes: { ...attributes, ...exitCode } },
    From: event.image,
    Scope: 'local',
  };
}

/** One line; nanoseconds have more digits than JSON.stringify can write. */
export function eventJson(event: EngineEvent): string {
  const { TimeNano, ...row } = eventRow(event);
  return `${JSON.stringify(row).slice(0, -1)},"timeNano":${TimeNano}}`;
}

export const EVENT_HEADERS: Readonly<Record<string, string>> = {
  ID: 'ID',
  Name: 'NAME',
  Image: 'IMAGE',
  Status: 'STATUS',
  Type: 'TYPE',
  Time: 'TIME',
};

/** `2026-01-31 12:00:00.5 +0000 UTC container died 3f… (image=debian, name=web)`, Podman's line. */
export function eventText(event: EngineEvent, isWhole: boolean): string {
  const id = isWhole ? event.id : event.id.slice(0, 12);
  if (event.type === 'volume' || event.type === 'secret') {
    const what = event.type === 'volume' ? event.name : event.id;
    return printable(`${goTime(event.timeNano)} ${event.type} ${event.action} ${what}`);
  }
  const pairs = Object.entries({ ...event.labels, ...event.details });
  const about = [`image=${event.image}`, `name=${event.name}`]
    .concat(event.exitCode === undefined ? [] : [`exitCode=${event.exitCode}`])
    .concat(pairs.map(([key, value]) => `${key}=${value}`));
  return printable(
    `${goTime(event.timeNano)} ${event.type} ${event.action} ${id} (${about.join(', ')})`,
  );
}

/** Labels come from images: they must not fake a line or move the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** Go's default layout of a time. */
function goTime(nano: bigint): string {
  const [date = '', time = ''] = new Date(Number(nano / 1_000_000n)).toISOString().split('T');
  const fraction = String(nano % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${date} ${time.slice(0, 8)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}

type EventTest = (event: EngineEvent) => boolean;

/** Between keys all must hold, between values of one key any. @throws UsageError */
export function parseEventFilters(values: readonly string[]): EventTest {
  const byKey = new Map<string, EventTest[]>();
  for (const text of values) {
    const equals = text.indexOf('=');
    if (equals < 1)
      throw new UsageError(`option --filter: ${JSON.stringify(text)} is not KEY=VALUE`);
    const key = text.slice(0, equals).toLowerCase();
    byKey.set(key, [...(byKey.get(key) ?? []), eventTest(key, text.slice(equals + 1))]);
  }
  return (event) => [...byKey.values()].every((tests) => tests.some((test) => test(event)));
}

function eventTest(key: string, value: string): EventTest {
  switch (key) {
    case 'container':
      return ({ id, name }) => name === value || (value !== '' && id.startsWith(value));
    case 'event':
    case 'status':
      // Docker's word.
      return ({ action }) => action === (value === 'die' ? 'died' : value);
    case 'image':
      return ({ image }) => image === value || image.includes(value);
    case 'type':
      return ({ type }) => type === value;
    case 'label': {
      const [name = '', ...rest] = value.split('=');
      return ({ labels }) =>
        rest.length === 0 ? Object.hasOwn(labels, name) : labels[name] === rest.join('=');
    }
    case 'volume':
      return ({ type, name }) => type === 'volume' && name === value;
    case 'secret':
      return ({ type, id, name }) => type === 'secret' && (name === value || id === value);
    case 'pod':
    case 'network':
      // Neither has events yet.
      return () => false;
    default:
      throw new UsageError(`option --filter: unknown key ${JSON.stringify(key)}`, {
        hint: 'keys are container, event, image, label, secret, type and volume',
      });
  }
}
