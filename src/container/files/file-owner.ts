import type { FsAgent } from '../../helper/fs-agent.ts';
import type { Container } from '../record.ts';
import { resolveInside } from '../root/inside-path.ts';

const FILE_MAX_BYTES = 1 << 20;

/** The ids of the user that a container runs as: whom files copied into it belong to. */
export async function containerOwner(
  agent: FsAgent,
  container: Container,
): Promise<{ uid: number; gid: number }> {
  const [user = '', group] = container.spec.user.split(':');
  const entry =
    /^\d*$/.test(user) && group !== undefined
      ? undefined
      : await find(agent, '/etc/passwd', user === '' ? '0' : user);
  const uid = /^\d+$/.test(user) ? Number(user) : Number(entry?.[2] ?? 0);
  if (group === undefined) return { uid, gid: Number(entry?.[3] ?? 0) };
  if (/^\d+$/.test(group)) return { uid, gid: Number(group) };
  return { uid, gid: Number((await find(agent, '/etc/group', group))?.[2] ?? 0) };
}

/** The fields of the line for a name or number. */
async function find(agent: FsAgent, file: string, key: string): Promise<string[] | undefined> {
  const { path, entry } = await resolveInside(agent, file);
  if (entry === undefined || entry.sizeBytes > FILE_MAX_BYTES) return undefined;
  const parts: Buffer[] = [];
  for await (const { bytes } of agent.readFile(Buffer.from(path, 'latin1'), 0, FILE_MAX_BYTES))
    parts.push(Buffer.from(bytes));
  const column = /^\d+$/.test(key) ? 2 : 0;
  return Buffer.concat(parts)
    .toString()
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[column] === key && /^\d+$/.test(fields[2] ?? ''));
}
