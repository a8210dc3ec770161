import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { RevocationStatement } from '@sigv4-keyd/revocation';
import { addDays, DAY_MS, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { presigned, signed, type Message } from '../edge-verifier/client.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { startStoryTiers, type EdgeOfStory } from './story-tiers.js';

/**
 * The story that this system is for: a breach is found in the American region on the 5th; the logs show that it began
 * on the 1st. Only signatures made with scopes of that region and dated from the 1st on are suspicious. Signatures made
 * elsewhere, or before the 1st, are still good.
 */
const HIT = 'us-east-1';
const SCOPES = [
  { region: HIT, service: 's3' },
  { region: HIT, service: 'execute-api' },
  { region: 'eu-west-1', service: 's3' },
  { region: 'ap-southeast-2', service: 's3' },
];
const ACCESS_KEYS = 5;
const WEEK_SECONDS = 7 * 86_400;
const TWO_DAYS_SECONDS = 2 * 86_400;
// Certificates are dated by the machine's own clock: the week lies around it.
const THE_FIRST = startOfScopeDate(scopeDateOf(Date.now()));
const dayOf = (day: number): number => THE_FIRST + (day - 1) * DAY_MS;

/** What is said of a URL that has outlived itself; which of the two hangs on how long ago that was. */
const DEAD = new Set(['presigned-expired', 'date-outside-window']);

interface Signature {
  readonly accessKey: CreatedAccessKey;
  readonly edge: EdgeOfStory;
  readonly signedAt: number;
  /** Absent: signed in the header. */
  readonly livesSeconds?: number;
  readonly message: Message;
}

/** What must become of a signature: an oracle of its own, by the sentences above. */
function fate(signature: Signature, now: number, revoked?: RevocationStatement): string {
  const { accessKey, edge, signedAt, livesSeconds } = signature;
  if (livesSeconds !== undefined && now > signedAt + livesSeconds * 1000) return 'dead';
  if (revoked === undefined) return 'served';
  const day = new Date(signedAt).toISOString().slice(0, 10).replaceAll('-', '');
  const isOfTheScope = edge.region === HIT && revoked.from <= day && day <= revoked.to;
  const isOld = Date.parse(accessKey.createdAt) < (revoked.issuedBefore ?? Infinity);
  return isOfTheScope && isOld ? 'scope-revoked' : 'served';
}

const describe = ({ accessKey, edge, signedAt, livesSeconds }: Signature): string =>
  `${accessKey.accessKeyId} ${edge.region} ${edge.service} ${new Date(signedAt).toISOString()} ` +
  (livesSeconds === undefined ? 'header' : `presigned for ${livesSeconds} s`);

t.setTimeout(300_000);

t.test('a breach that began on the 1st is found on the 5th', { timeout: 300_000 }, async (t) => {
  const clock = new LeapingClock(dayOf(-1) + 9 * 3_600_000);
  const { edges, keydctl, leapTo } = await startStoryTiers(t, clock, SCOPES);
  await leapTo(clock.now() + 1_000);
  const create = async (owner: string): Promise<CreatedAccessKey> =>
    (await keydctl('access-key', 'create', '--owner', owner)) as unknown as CreatedAccessKey;
  const accessKeys: CreatedAccessKey[] = [];
  for (let at = 0; at < ACCESS_KEYS; at += 1) accessKeys.push(await create(`client ${at}`));

  const draftOf = (accessKey: CreatedAccessKey, { region, service }: EdgeOfStory) => ({
    accessKeyId: accessKey.accessKeyId,
    secret: accessKey.secretAccessKey,
    region,
    service,
    now: clock.now(),
    target: '/photos/holiday.jpg',
  });
  const header = (accessKey: CreatedAccessKey, edge: EdgeOfStory): Signature => {
    const draft = draftOf(accessKey, edge);
    return { accessKey, edge, signedAt: draft.now, message: signed(draft) };
  };
  const presign = (accessKey: CreatedAccessKey, edge: EdgeOfStory, livesSeconds: number): Signature => {
    const draft = draftOf(accessKey, edge);
    const message = presigned({ ...draft, expiresSeconds: livesSeconds });
    return { accessKey, edge, signedAt: draft.now, livesSeconds, message };
  };

  const urls: Signature[] = [];
  /** Everything that may come at this moment: fresh header signatures, and every URL that was ever signed. */
  const present = (): readonly Signature[] => [
    ...accessKeys.flatMap((accessKey) => edges.map((edge) => header(accessKey, edge))),
    ...urls,
  ];
  /** Presents it all; the verdicts must be those of the oracle, one by one. Resolves to how many had each fate. */
  const judge = async (what: string, revoked?: RevocationStatement): Promise<ReadonlyMap<string, Signature[]>> => {
    const now = clock.now();
    const fates = new Map<string, Signature[]>();
    const wrong: string[] = [];
    const judgeOne = async (signature: Signature): Promise<void> => {
      const expected = fate(signature, now, revoked);
      const answer = await signature.edge.verdictOn(signature.message);
      const verdict = DEAD.has(answer) ? 'dead' : answer;
      if (verdict !== expected) wrong.push(`${describe(signature)}: ${verdict}, not ${expected}`);
      fates.set(verdict, [...(fates.get(verdict) ?? []), signature]);
    };
    await Promise.all(present().map(judgeOne));
    t.same(wrong, [], what);
    return fates;
  };

  for (const day of [-1, 0, 1, 2, 3, 4, 5]) {
    await leapTo(dayOf(day) + 10 * 3_600_000);
    for (const accessKey of accessKeys) {
      for (const edge of edges) {
        urls.push(presign(accessKey, edge, WEEK_SECONDS), presign(accessKey, edge, TWO_DAYS_SECONDS));
      }
    }
    if (day < 4) continue;
    await leapTo(dayOf(day) + 11 * 3_600_000);
    await judge(`day ${day}: everything that lives is served`);
  }

  await leapTo(dayOf(5) + 15 * 3_600_000);
  const from = new Date(dayOf(1)).toISOString().slice(0, 10);
  const scope = ['--region', HIT, '--from', from, '--issued-before', 'now', '--incident', 'INC-5'];
  const answer = await keydctl('revoke', ...scope, '--reason', 'the breach of the story', '--yes');
  const revoked = answer['statement'] as RevocationStatement;
  t.match(answer, { published: true, statement: { region: HIT, from: from.replaceAll('-', '') } });
  await leapTo(clock.now() + 1_000);
  for (let at = 0; at < 2; at += 1) accessKeys.push(await create(`client ${at}, anew`));
  for (const accessKey of accessKeys.slice(-2)) {
    for (const edge of edges) urls.push(presign(accessKey, edge, WEEK_SECONDS));
  }

  const found = await judge('the 5th: exactly the suspicious set is refused', revoked);
  const refused = found.get('scope-revoked') ?? [];
  const isUrl = ({ livesSeconds }: Signature): boolean => livesSeconds !== undefined;
  t.equal(refused.filter((signature) => !isUrl(signature)).length, ACCESS_KEYS * 2, 'header signatures');
  t.ok(
    refused.some((signature) => isUrl(signature) && signature.signedAt < dayOf(2)),
    'URLs of the 1st',
  );
  t.ok(
    found.get('served')?.some(({ edge, signedAt }) => edge.region === HIT && signedAt < dayOf(1)),
    'URLs before it',
  );
  t.ok((found.get('dead') ?? []).length > 0, 'dead URLs are refused as such');

  await leapTo(startOfScopeDate(addDays(revoked.to, 1)) + 9 * 3_600_000);
  const after = await judge('the day after the range: URLs of revoked days stay refused while they live', revoked);
  const late = after.get('scope-revoked') ?? [];
  t.ok(late.length > 0 && late.every(isUrl), 'URLs that live past its end');
  const today = (after.get('served') ?? []).filter((signature) => !isUrl(signature));
  t.equal(today.length, accessKeys.length * edges.length, 'and every access key signs again, everywhere');
});
