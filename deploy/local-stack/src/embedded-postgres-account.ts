import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The account that initdb and postgres run under; absent: our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** nobody and nogroup by number, on every Linux and BSD: needs no useradd and owns nothing else here. */
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** PostgreSQL refuses to run as root, so root starts it as nobody; everybody else starts it as themselves. */
export function accountForPostgres(): Account | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** Whether the account may pass every folder above `path`: a project below /root, mode 0700, is out of its reach. */
export async function isReachable(path: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!(await mayPass(folder, account))) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function mayPass(folder: string, account: Account): Promise<boolean> {
  const { uid, gid, mode } = await stat(folder);
  if (uid === account.uid) return (mode & 0o100) !== 0;
  return (mode & (gid === account.gid ? 0o010 : 0o001)) !== 0;
}
