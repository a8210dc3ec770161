import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedMigrations } from '@sigv4-keyd/master-keyd';
import { FeedState } from '@sigv4-keyd/revocation';
import { apiDocuments } from '../api/documents.js';
import { createFeedKeys, RULE } from '../revocation/publisher.js';
import { TestFeed } from '../support/test-feed.js';
import { filesIn, keepAll, type KeptFiles } from './kept-files.js';
import { sentMessages } from './messages.js';
import { RELEASES, type RecordedFeed, type RecordedRelease } from './releases.js';
import { wireForms } from './wire-forms.js';

/** Keeps what later releases have to get on with: `node test/dist/upgrade/record.js 0.2`, once a minor version. */
const AT = Date.parse('2026-11-22T10:00:00Z');

async function recordedFeed(): Promise<RecordedFeed> {
  const feed = TestFeed.with(await createFeedKeys(), { now: () => AT });
  await feed.revoke({});
  await feed.change({ accessKeyId: 'AKIACHANGED', status: 'disabled', secretVersion: 1 });
  const { beacon, statements: facts } = await feed.document();
  const state = FeedState.empty(feed.keys.pinned, RULE);
  await state.accept({ beacon, statements: facts }, AT);
  return { at: AT, jwks: feed.jwks, beacon, facts, state: state.serialise() };
}

async function keptFiles(): Promise<KeptFiles> {
  const state = mkdtempSync(join(tmpdir(), 'keyd-record-'));
  try {
    await keepAll(state);
    return filesIn(state);
  } finally {
    rmSync(state, { recursive: true });
  }
}

const [, , release = ''] = process.argv;
if (!/^\d+\.\d+$/.test(release)) throw new Error('which release? such as 0.2');
const folder = join(RELEASES, release);
mkdirSync(join(folder, 'api'), { recursive: true });
const migrations = (await shippedMigrations()).map(({ name, checksum }) => ({ name, checksum }));
const recorded: Omit<RecordedRelease, 'release' | 'api'> = {
  forms: await wireForms(),
  messages: sentMessages(),
  kept: await keptFiles(),
  feed: await recordedFeed(),
  migrations,
};
writeFileSync(join(folder, 'wire.json'), `${JSON.stringify(recorded, null, 2)}\n`);
for (const [service, document] of await apiDocuments()) {
  writeFileSync(join(folder, 'api', `${service}.json`), `${JSON.stringify(document)}\n`);
}
